"""The one figure by which a model is judged wherever it is judged: gate, report, dashboard, alarm.

It is a mean over rows, so that its interval can be told on a window of any size; figures that rank whole sets of rows
(roc_auc_score, f1_score) may be gates, not objectives. In money it is the mean of what each outcome is worth.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lifecycle import metrics

SMALLEST: Final = 1e-15  # a probability of 0 costs as much as this one
LARGEST: Final = 1e100
"""No loss counts for more: a label of 1e300 must not make sums infinite, nor a metric that CloudWatch refuses."""
ALLOWED: Final = {
    "binary": (metrics.LOG_LOSS, metrics.BRIER_LOSS, metrics.MONEY),
    "multiclass": (metrics.LOG_LOSS,),
    "regression": (metrics.RMSE, metrics.MAE),
}


@dataclass(frozen=True, kw_only=True)
class Money:
    """What an outcome of a binary decision is worth, in `unit` for each row; costs are negative."""

    unit: str
    true_positive: float = 0.0
    false_positive: float = 0.0
    true_negative: float = 0.0
    false_negative: float = 0.0

    def of(self, decision: bool, label: bool) -> float:
        """Return what one row brought.

        >>> Money(unit="EUR", true_positive=20.0, false_positive=-5.0).of(decision=True, label=False)
        -5.0
        """
        if decision:
            return self.true_positive if label else self.false_positive
        return self.false_negative if label else self.true_negative

    @property
    def costs(self) -> tuple[float, float]:
        """What a false positive and a false negative lose against the right decision."""
        return self.true_negative - self.false_positive, self.true_positive - self.false_negative


@dataclass(frozen=True, kw_only=True)
class Objective:
    """A metric of `ALLOWED` (its suffix says which way is better); `money` only with money_score."""

    metric: str = metrics.LOG_LOSS
    money: Money | None = None

    @classmethod
    def from_plain(cls, raw: Mapping[str, Any]) -> "Objective":
        """Read the spec's member."""
        money = raw.get("money")
        return cls(metric=raw.get("metric", metrics.LOG_LOSS), money=Money(**money) if money else None)

    @property
    def said(self) -> str:
        """The metric for people: with the unit of money.

        >>> Objective(metric="money_score", money=Money(unit="EUR")).said, Objective().said
        ('money_score, EUR a row', 'log_loss')
        """
        return f"{self.metric}, {self.money.unit} a row" if self.money else self.metric

    def row_loss(self, *, label: Any, output: Any, decision: Any) -> float:
        """Return one row's share of the metric, smaller is better (money: negated; rmse_error: its square).

        Parameters
        ----------
        label
            binary: true for the positive class; multiclass: the class; regression: the number.
        output
            binary: the positive class's probability; multiclass: class -> probability; regression: the value.
        decision
            binary: true when decided positive (only money needs it).
        """
        if self.metric == metrics.MONEY:
            assert self.money is not None, "money_score has money"
            return -self.money.of(bool(decision), bool(label))
        if self.metric == metrics.MAE:
            return min(LARGEST, abs(float(label) - float(output)))
        if self.metric == metrics.RMSE:
            error = float(label) - float(output)
            return min(LARGEST, error * error)
        if self.metric == metrics.BRIER_LOSS:
            return (float(bool(label)) - float(output)) ** 2
        if isinstance(output, Mapping):
            likely = float(output.get(label, 0.0))
        else:
            likely = float(output) if label else 1.0 - float(output)
        return -math.log(min(1.0, max(SMALLEST, likely)))

    def from_mean(self, loss: float) -> float:
        """Return the metric of a mean of `row_loss`, in its own unit and direction."""
        if self.metric == metrics.RMSE:
            return math.sqrt(loss)
        return -loss if metrics.larger_is_better(self.metric) else loss
