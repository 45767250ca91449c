"""Sums of row losses -> the objective on a window, with its interval: measured on labels, or expected by the model.

The interval is that of a mean of so many rows (normal, 95 %); nothing is drawn, so nothing needs a seed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Any, Final

from lifecycle.drift_alert import AlertState
from lifecycle.hour_counts import Expected
from lifecycle.judged_model import JudgedModel
from lifecycle.monitoring import Monitoring
from lifecycle.objective import Objective
from lifecycle.quality_alert import CONFIDENCE, judge_quality

_REACH: Final = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The objective on `rows`, in its own unit, with the bounds of its interval."""

    metric: str
    value: float
    low: float
    high: float
    rows: int
    estimate: bool = False
    money: Mapping[str, Any] | None = None

    def to_plain(self) -> dict[str, Any]:
        """Return JSON values, as `Reference.quality` spells them."""
        names = ("metric", "value", "low", "high", "rows", "estimate", "money")
        return {name: getattr(self, name) for name in names}


def measure(objective: Objective, losses: Expected, *, estimate: bool) -> Measured | None:
    """Return the objective of so many losses, None when there are none.

    Parameters
    ----------
    objective
        What is measured.
    losses
        Their number, sum, and sum of squares.
    estimate
        Whether they are what the model expects of itself, instead of what labels say.

    >>> found = measure(Objective(metric="mae_error"), Expected(rows=100, total=200.0, squares=500.0), estimate=False)
    >>> found.value, round(found.low, 3), round(found.high, 3)
    (2.0, 1.804, 2.196)
    """
    if losses.rows == 0:
        return None
    mean = losses.total / losses.rows
    spread = max(0.0, losses.squares / losses.rows - mean * mean)
    reach = _REACH * sqrt(spread / losses.rows)
    bounds = sorted(objective.from_mean(loss) for loss in (_possible(objective, mean - reach), mean + reach))
    value = objective.from_mean(mean)
    money = objective.money
    earned = {"unit": money.unit, "per_row": value, "total": value * losses.rows} if money else None
    return Measured(
        metric=objective.metric,
        value=value,
        low=bounds[0],
        high=bounds[1],
        rows=losses.rows,
        estimate=estimate,
        money=earned,
    )


def _possible(objective: Objective, loss: float) -> float:
    """A bound that no mean of losses can go below; money may."""
    return loss if objective.money else max(0.0, loss)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowQuality:
    """`quality` of the window file (None where nothing is known), the state after it, and what is to be said."""

    quality: Mapping[str, Any] | None
    state: AlertState
    notes: tuple[str, ...] = ()


def judged_quality(
    model: JudgedModel, losses: tuple[Expected, Expected], rules: Monitoring, before: AlertState, *, until: str
) -> WindowQuality:
    """Return what is known of the quality of a window.

    Measured where there are `min_labels` labels, and then held against the holdout; else what the model expects of
    itself, if it answers probabilities. An estimate is never judged: a model that is wrong about the world is wrong
    about itself. `losses` are those of labelled rows, and those that the model expects of all rows.
    """
    objective, (labelled, expected) = model.objective, losses
    measured = measure(objective, labelled, estimate=False) if labelled.rows >= rules.min_labels else None
    known = measured or measure(objective, expected, estimate=True)
    notes = [] if measured else [_why_not(labelled.rows, rules, known)]
    if known is None:
        return WindowQuality(quality=None, state=before, notes=tuple(notes))
    trained = model.reference.quality
    if trained.get("metric") != objective.metric:
        was = trained.get("metric", "nothing")
        notes.append(f"quality is not judged: the live model's holdout was measured in {was}, not {objective.metric}")
        return WindowQuality(quality=known.to_plain() | _NO_REFERENCE, state=before, notes=tuple(notes))
    found = known.to_plain() | {"reference": trained["value"], "drop": None}
    if measured is None:
        return WindowQuality(quality=found, state=before, notes=tuple(notes))
    verdict = judge_quality(model.reference, measured.to_plain(), rules, before, until=until)
    return WindowQuality(quality=found | {"drop": verdict.drop}, state=verdict.state, notes=tuple(notes))


_NO_REFERENCE: Final = {"reference": None, "drop": None}


def _why_not(labelled: int, rules: Monitoring, known: Measured | None) -> str:
    few = f"{labelled} labels have come back, {rules.min_labels} are needed (monitoring.min_labels)"
    if known is None:
        return f"{few}: quality is not known, and no estimate can be made"
    return f"{few}: quality is estimated from the model's own probabilities"
