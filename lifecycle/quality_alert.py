"""Quality of the holdout and of a window -> how much is lost for certain, and whether that lasts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import hypot
from statistics import NormalDist
from typing import Any, Final

from lifecycle.drift_alert import AlertState
from lifecycle.metrics import larger_is_better
from lifecycle.monitoring import Monitoring
from lifecycle.reference import Reference

CONFIDENCE: Final = 0.95
"""Of an interval that does not say its own."""
QUALITY: Final = "quality"


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityVerdict:
    """How much worse than the holdout a window is, in the metric's own unit.

    Attributes
    ----------
    worse
        The difference itself; negative when the window is better.
    certain
        Its lower bound: what is lost but for a chance of `false_alarms`; 0 when chance explains the difference.
    drop
        What an alarm looks at: `certain` while the alert is on (the last bad window's, while it is not yet cleared),
        else 0.
    """

    judged: bool
    reason: str
    worse: float
    certain: float
    drop: float
    confirmed: bool
    state: AlertState


def judge_quality(
    reference: Reference, now: Mapping[str, Any], rules: Monitoring, before: AlertState, *, until: str
) -> QualityVerdict:
    """Return the verdict on a window's quality, measured on labels (never on an estimate).

    Parameters
    ----------
    reference
        Of the live model; its `quality` is what is held against, its `swing` (a standard deviation, in the metric's
        unit) how far windows of the holdout were from one another anyway.
    now
        Of the same form as `Reference.quality`: metric, value, low and high of its interval, rows (with labels) and,
        where it is not `CONFIDENCE`, the interval's confidence.
    rules
        The model's `min_labels`, `false_alarms`, `max_quality_drop`, `confirm` and `clear`.
    before
        The state that the last verdict left (`DriftVerdict.state` of the same window will do).
    until
        When the window ends; as in `lifecycle.drift_alert.judge`.

    Raises
    ------
    ValueError
        When the two are not of the same metric.
    """
    if now["metric"] != reference.quality["metric"]:
        raise ValueError(f"quality in {now['metric']} cannot be held against {reference.quality['metric']}")
    state = before.bound_to(reference)
    worse, certain = _lost(reference.quality, now, rules.false_alarms)
    judged = now["rows"] >= rules.min_labels
    reason = "" if judged else f"{now['rows']} labelled rows, {rules.min_labels} are needed (monitoring.min_labels)"
    if judged and until >= state.quality.until:
        bad = certain > rules.max_quality_drop
        streaks = state.quality.after({QUALITY: bad}, until, confirm=rules.confirm, clear=rules.clear)
        drop = (certain if bad else state.drop) if streaks.on else 0.0
        state = replace(state, quality=streaks, drop=drop)
    return QualityVerdict(
        judged=judged,
        reason=reason,
        worse=worse,
        certain=certain,
        drop=state.drop,
        confirmed=bool(state.quality.on),
        state=state,
    )


def _lost(before: Mapping[str, Any], now: Mapping[str, Any], false_alarms: float) -> tuple[float, float]:
    """Return the loss and its lower bound; the intervals' arms, and how windows differ anyway, add up in squares."""
    sign = -1.0 if larger_is_better(now["metric"]) else 1.0
    worse = sign * (now["value"] - before["value"])
    best_now = now["value"] - now["low"] if sign > 0 else now["high"] - now["value"]
    worst_before = before["high"] - before["value"] if sign > 0 else before["value"] - before["low"]
    arms = hypot(best_now / _deviations(now), worst_before / _deviations(before), before.get("swing", 0.0))
    return worse, max(0.0, worse - NormalDist().inv_cdf(1 - false_alarms) * arms)


def _deviations(quality: Mapping[str, Any]) -> float:
    """How many standard deviations an arm of the interval is long."""
    return NormalDist().inv_cdf((1 + quality.get("confidence", CONFIDENCE)) / 2)
