"""Choice rules: which transition the data asks for."""

from collections.abc import Mapping, Sequence
from typing import Any

from local.states import paths


def choose(choices: Sequence[Mapping[str, Any]], data: Any, context: Mapping[str, Any]) -> str | None:
    """Return Next of the first rule that holds, or None. Raises PathMissing when a variable is not there.

    A value that is no boolean never equals one.
    """
    for rule in choices:
        if paths.read(rule["Variable"], data, context) is rule["BooleanEquals"]:
            return str(rule["Next"])
    return None
