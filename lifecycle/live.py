"""The alias `live` -> which model is live, since when, and what must not come back by itself (docs/decisions/0050).

The alias's description is the one place that says so. It changes in the same UpdateAlias call as the version and the
weights, so they can never disagree, and a rollback is complete in one call.
"""

import json
from dataclasses import dataclass, fields
from typing import Any, Final

LENGTH: Final = 256  # Lambda's limit of an alias's description
_WRITTEN: Final = {"not_code": "not"}
_LEAST: Final = ("package_arn", "run_id")
_DROPPED: Final = ("back", "did")


@dataclass(frozen=True, kw_only=True, slots=True)
class Live:
    """The model package behind the alias and the run that made it.

    `since` is when the alias moved (epoch seconds). `back` is the published version to return to, if there is one.
    `code` identifies handler and configuration of the live version. `above` is the highest package number that was
    rolled back from, `not_code` the handler and configuration that were: neither is deployed again by itself. `did`
    identifies the rollback that made this move, so that the same order given twice is one.
    """

    package_arn: str
    run_id: str
    since: int = 0
    back: str | None = None
    code: str | None = None
    above: int | None = None
    not_code: str | None = None
    did: str | None = None

    @property
    def number(self) -> int:
        """The number of the model package: the model's version in answers."""
        return int(self.package_arn.rsplit("/", 1)[1])

    def to_description(self) -> str:
        """Return the alias's description: at most 256 characters, whatever must be left out for that.

        What is left out first is the way back: a rollback then has to name its target.
        """
        said = {_WRITTEN.get(f.name, f.name): getattr(self, f.name) for f in fields(self)}
        kept = {name: value for name, value in said.items() if value is not None}
        for name in _DROPPED:
            if len(_text(kept)) > LENGTH:
                kept.pop(name, None)
        return _text(kept)


def parse(description: str) -> Live | None:
    """Read an alias's description; None before the first model (the stack's own description is no JSON of ours).

    >>> parse("before the first model") is None
    True
    """
    try:
        raw = json.loads(description)
        if not all(isinstance(raw[name], str) for name in _LEAST):
            return None
    except (ValueError, KeyError, TypeError):
        return None
    known = {f.name: raw[_WRITTEN.get(f.name, f.name)] for f in fields(Live) if _WRITTEN.get(f.name, f.name) in raw}
    return Live(**known)


def _text(said: dict[str, Any]) -> str:
    return json.dumps(said, separators=(",", ":"))
