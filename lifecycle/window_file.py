"""What one look at a model's traffic found -> the window file: everything that page, terminal and decisions read.

The same JSON with a member more, `memory`, is `latest.json`: what one look has to know of the one before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from lifecycle import names
from lifecycle.drift_alert import AlertState, DriftVerdict, FeatureDrift
from lifecycle.reference import Reference
from lifecycle.share_bars import bars
from lifecycle.tally import Tally

SCHEMA: Final = 1
HISTORY: Final = 500
PICTURES: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """Facts of one look. Times are ISO 8601, UTC.

    `labelled` of the window's `rows` have a label; `coverage` is the share of rows with one among those that quality
    was asked of, which may be older. `staleness_hours` and `newest` tell of the newest logged row.
    """

    stage: str
    model: str
    run_id: str | None
    model_version: str | None
    at: str
    since: str
    until: str
    rows: int = 0
    labelled: int = 0
    coverage: float | None = None
    staleness_hours: float = 0.0
    newest: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the rows say; everything is empty where there is no model or no row to judge."""

    drift: DriftVerdict | None = None
    distributions: Mapping[str, Any] = field(default_factory=dict)
    quality: Mapping[str, Any] | None = None
    slices: Sequence[Mapping[str, Any]] = ()
    permutation: Mapping[str, float] = field(default_factory=dict)
    alerts: tuple[str, ...] = ()
    state: AlertState = field(default_factory=AlertState)
    hours: Mapping[str, Any] = field(default_factory=dict)


def build(looked: Looked, judged: Judgement, before: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the window file with its `memory`: what the next look has to know, and nobody else.

    `before` is what the look before this one left so; None for the first.
    """
    past = before or {}
    memory = past.get("memory", {})
    drifting = memory.get("drifting", {})
    drift = judged.drift
    names_on = drift.drifted if drift else ()
    since = {name: drifting.get(name, looked.until) for name in names_on}
    if drift and drift.score.drifted:
        since["\0score"] = drifting.get("\0score", looked.until)
    found = {
        "schema": SCHEMA,
        **{name: getattr(looked, name) for name in ("stage", "model", "run_id", "model_version", "at", "since")},
        **{name: getattr(looked, name) for name in ("until", "rows", "labelled", "staleness_hours", "newest")},
        "judged": bool(drift and drift.judged),
        "notes": list(looked.notes),
        "drift": _drift(drift, since, judged.permutation),
        "distributions": {"features": {}, "score": None, **judged.distributions},
        "quality": judged.quality,
        "slices": list(judged.slices),
        "alerts": list(judged.alerts),
        "retraining": None,  # it follows the look; the ledger holds it
        "memory": {
            "state": judged.state.to_plain(),
            "drifting": since,
            "told": dict(memory.get("told", {})),
            "hours": {stem: list(facts) for stem, facts in judged.hours.items()},
        },
    }
    return {**found, "history": _history(found, looked, past)}


def distributions(reference: Reference, tally: Tally, verdict: DriftVerdict) -> dict[str, Any]:
    """Return the pictures of the most severe features, and that of the score, which no feature's name can hide."""
    order = [each.name for each in verdict.features][:PICTURES]
    found = {name: bars(reference.columns[name], tally.columns[name]) for name in order}
    return {"features": found, "score": bars(reference.scores, tally.scores)}


def alerts(*, drift: DriftVerdict | None, state: AlertState, stale: bool) -> tuple[str, ...]:
    """Return the alerts that are on, in the order of `names.ALERTS`."""
    on = {
        names.ALERT_DRIFT: bool(drift and drift.drifted),
        names.ALERT_SCORES: bool(drift and drift.score.drifted),
        names.ALERT_QUALITY: bool(state.quality.on),
        names.ALERT_STALE: stale,
    }
    return tuple(alert for alert in names.ALERTS if on[alert])


def _drift(drift: DriftVerdict | None, since: Mapping[str, str], permutation: Mapping[str, float]) -> dict[str, Any]:
    if drift is None:
        return {"features": [], "drifted": [], "worst": 0.0, "worst_missing": 0.0, "score": None}
    features = [_feature(each, since.get(each.name), permutation.get(each.name)) for each in drift.features]
    return {
        "features": features,
        "drifted": list(drift.drifted),
        "worst": drift.worst,
        "worst_missing": drift.worst_missing,
        "score": _feature(drift.score, since.get("\0score"), None),
    }


def _feature(each: FeatureDrift, since: str | None, permutation: float | None) -> dict[str, Any]:
    return {**each.to_plain(), "since": since, "permutation": permutation}


def _history(found: Mapping[str, Any], looked: Looked, past: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Earlier looks and this one; a look at the same window takes the place of the one before it."""
    quality = found["quality"] or {}
    judged = found["judged"]
    entry = {
        "at": looked.at,
        "until": looked.until,
        "features_drifted": len(found["drift"]["drifted"]) if judged else None,
        "worst_drift": found["drift"]["worst"] if judged else None,
        "score_drift": found["drift"]["score"]["severity"] if judged else None,
        **{name: quality.get(name) for name in ("low", "high")},
        "quality": quality.get("value"),
        "estimate": bool(quality.get("estimate")),
        "rows": looked.rows,
        "coverage": looked.coverage,
        "model_version": looked.model_version,
    }
    kept = [one for one in past.get("history", []) if one.get("until") != looked.until]
    return [*kept, entry][-HISTORY:]
