"""Entries of a model's ledger -> who was live from when to when, on which data, by whose word."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from lifecycle import ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenure:
    """One time of being live. `version` is the function's; times are ISO 8601, `until` None for who is live still."""

    model_version: str
    version: str
    package_arn: str
    run_id: str
    data_version: str | None
    since: str
    by: str
    reason: str
    until: str | None = None


def tenures(entries: Iterable[Mapping[str, Any]]) -> list[Tenure]:
    """Return the times of being live, oldest first, from entries in the ledger's order."""
    found: list[Tenure] = []
    for entry in entries:
        if entry["kind"] not in (ledger.MODEL_LIVE, ledger.ROLLED_BACK):
            continue
        if found:
            found[-1] = replace(found[-1], until=entry["at"])
        found.append(_tenure(entry["at"], entry["detail"]))
    return found


def at(known: Sequence[Tenure], moment: float) -> Tenure | None:
    """Return who was live at `moment` (epoch seconds), or None when nobody was yet."""
    begun = [one for one in known if datetime.fromisoformat(one.since).timestamp() <= moment]
    return begun[-1] if begun else None


def last_of(known: Sequence[Tenure], model_version: str) -> Tenure | None:
    """Return the last time that a model's version, as answers name it, was live, or None."""
    return next((one for one in reversed(known) if one.model_version == model_version), None)


def _tenure(since: str, detail: Mapping[str, Any]) -> Tenure:
    said = detail.get("approval") or detail.get("reason") or ""
    return Tenure(
        model_version=str(detail["model_version"]),
        version=str(detail["version"]),
        package_arn=detail["package_arn"],
        run_id=detail["run_id"],
        data_version=detail.get("data_version"),
        since=since,
        by=detail.get("by") or detail.get("approved_by") or "",
        reason=detail["reason"] if detail.get("by") else said,
    )
