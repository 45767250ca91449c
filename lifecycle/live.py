"""The alias `live` -> which model is live: its description is the one place that says so (docs/decisions/0030).

The description changes in the same UpdateAlias call as the version, so the two can never disagree.
"""

import json
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Live:
    """The model package behind the alias and the run that made it."""

    package_arn: str
    run_id: str

    def to_description(self) -> str:
        """Return the alias's description (Lambda allows 256 characters)."""
        return json.dumps({"package_arn": self.package_arn, "run_id": self.run_id}, separators=(",", ":"))


def parse(description: str) -> Live | None:
    """Read an alias's description; None before the first model (the stack's own description is no JSON of ours).

    >>> parse("before the first model") is None
    True
    """
    try:
        raw = json.loads(description)
        return Live(package_arn=raw["package_arn"], run_id=raw["run_id"])
    except (ValueError, KeyError, TypeError):
        return None
