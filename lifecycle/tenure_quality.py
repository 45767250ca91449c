"""Labelled rows that the live model answered, and what the model before it would have said -> is the live one worse.

Both answer the same rows, so what counts is the difference row by row. The question is asked again at every look at the
log, so its interval holds at all looks together (docs/decisions/0086): an asymptotic confidence sequence with a normal
mixture (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Time-uniform central limit theory, 2021, section 2).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log, sqrt
from typing import Any, Final

from lifecycle import metrics
from lifecycle.feedback_label import Value
from lifecycle.objective import Objective
from lifecycle.shadow import Refused
from lifecycle.spec import Contract, Task

CONFIDENCE: Final = 0.95
HOUR_MS: Final = 3_600_000
NEGLIGIBLE: Final = 1e-9  # of the metric: rounding, when two models answer alike
REFUSED_AT_MOST: Final = 0.01  # of the rows: callers would get an error for them
_MEMBER: Final = {Task.BINARY: "probability", Task.MULTICLASS: "probabilities", Task.REGRESSION: "value"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Whether the live model is worse than the one before it, or why nobody can tell (`reason`; `judged` False).

    `difference` is how much worse the live model is, in the metric's unit, with the bounds of its interval; a positive
    `low` is proof. `lasting`: asking again in this tenure cannot help.
    """

    judged: bool
    worse: bool
    reason: str
    metric: str
    rows: int
    refused: int
    live: float | None = None
    before: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    lasting: bool = False

    @property
    def figures(self) -> dict[str, Any]:
        """The numbers as JSON values, for the ledger."""
        named = ("metric", "rows", "refused", "live", "before", "difference", "low", "high")
        return {name: getattr(self, name) for name in named}


def why_not(contract: Contract, live: Contract, before: Contract) -> str | None:
    """Return why answers of two models cannot be compared under the labels of `contract`; None when they can."""
    wanted = _question(contract)
    for name, other in (("live model", live), ("model before it", before)):
        if _question(other) != wanted:
            return f"the {name} answers another question (task, target or positive label) than model.yaml now asks"
    return None


def _question(contract: Contract) -> tuple[Any, ...]:
    return contract.task, contract.target, contract.positive


@dataclass(slots=True)
class Comparison:
    """What was compared so far, under the objective and contract of model.yaml."""

    objective: Objective
    contract: Contract
    rows: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    _live: float = 0.0
    _before: float = 0.0
    _difference: float = 0.0
    _squares: float = 0.0
    _hours: dict[int, tuple[int, float]] = field(default_factory=dict)

    def add(self, record: Mapping[str, Any], label: Value, answer: Mapping[str, Any] | Refused) -> None:
        """Take one logged answer of the live model, its label, and what the model before it answers to the same row.

        A record without a score (of another task, or damaged) counts for neither.
        """
        if isinstance(answer, Refused):
            self.refused[answer.reason] += 1
            return
        live, before = self._loss(record, label), self._loss(answer, label)
        if live is None or before is None:
            return
        self.rows += 1
        self._live += live
        self._before += before
        step = live - before - self._difference  # Welford: no cancellation, whatever the size of the losses
        self._difference += step / self.rows
        self._squares += step * (live - before - self._difference)
        hour = int(record.get("time", 0)) // HOUR_MS
        rows, total = self._hours.get(hour, (0, 0.0))
        self._hours[hour] = rows + 1, total + live - before

    def verdict(self, least: int) -> Verdict:
        """Judge. Fewer than `least` rows, and rows that the model before would refuse, judge nobody."""
        refused = self.refused.total()
        if refused > REFUSED_AT_MOST * (self.rows + refused):
            why = f"{self.refused.most_common(1)[0][0]}"
            text = f"the model before would refuse {refused} of {self.rows + refused} rows that the live one answered"
            return self._not_judged(f"{text} ({why})", lasting=True)
        if self.rows < max(least, 2):
            return self._not_judged(f"{self.rows} labelled rows of this tenure, fewer than {least} (min_labels)")
        live, before = self._live / self.rows, self._before / self.rows
        width = half_width(self.rows, self._deviation(), least)
        shown = [self.objective.from_mean(mean) for mean in (live, before)]
        scale = self._scale(*shown)
        gap, low, high = (value * scale for value in (live - before, live - before - width, live - before + width))
        worse = low > NEGLIGIBLE * max(1.0, abs(shown[1]))
        said = "worse than" if worse else "not significantly worse than"
        text = (
            f"{self.objective.metric} of the live model is {shown[0]:.6g}, of the one before {shown[1]:.6g} on the "
            f"same {self.rows} labelled rows: {said} it, by {gap:.6g} ({low:.6g} to {high:.6g}, {CONFIDENCE:.0%} "
            "however often it is looked at)"
        )
        return Verdict(
            judged=True,
            worse=worse,
            reason=text,
            metric=self.objective.metric,
            rows=self.rows,
            refused=refused,
            live=shown[0],
            before=shown[1],
            difference=gap,
            low=low,
            high=high,
        )

    def _deviation(self) -> float:
        """The standard deviation of a row's difference; more where whole hours differ by more than chance explains.

        Rows of one hour are no independent draws: a storm makes one model look bad in all of them.
        """
        single = self._squares / (self.rows - 1)
        groups = len(self._hours)
        if groups < 2:
            return sqrt(single)
        swings = sum((total - rows * self._difference) ** 2 for rows, total in self._hours.values())
        return sqrt(max(single, swings * groups / (groups - 1) / self.rows))

    def _loss(self, answer: Mapping[str, Any], label: Value) -> float | None:
        output = answer.get(_MEMBER[self.contract.task])
        if output is None or output.__class__ is bool:
            return None
        if self.contract.task is Task.REGRESSION:
            return self.objective.row_loss(label=float(label), output=float(output), decision=None)
        is_positive = str(label) == self.contract.positive
        said = is_positive if self.contract.task is Task.BINARY else str(label)
        return self.objective.row_loss(label=said, output=output, decision=answer.get("decision"))

    def _scale(self, live: float, before: float) -> float:
        """What makes a difference of mean losses one of the metric: roots differ by the squares' over their sum."""
        if self.objective.metric != metrics.RMSE:
            return 1.0
        return 1.0 / (live + before) if live + before > 0 else 1.0

    def _not_judged(self, reason: str, *, lasting: bool = False) -> Verdict:
        return Verdict(
            judged=False,
            worse=False,
            reason=reason,
            metric=self.objective.metric,
            rows=self.rows,
            refused=self.refused.total(),
            lasting=lasting,
        )


def half_width(rows: int, deviation: float, least: int) -> float:
    """Return half the width of the interval of a mean that holds at every number of rows at once.

    Parameters
    ----------
    rows, deviation
        how many values there are, and their standard deviation.
    least
        the number of rows at which the sequence is narrowest: the first that is looked at.

    >>> round(half_width(200, 1.0, 200) / (1.96 / 200**0.5), 2)
    1.55
    """
    alpha = 1 - CONFIDENCE
    mixed = (-2 * log(alpha) + log(-2 * log(alpha)) + 1) * rows / max(least, 1)
    return deviation * sqrt(2 * (mixed + 1) / (mixed * rows) * log(sqrt(mixed + 1) / alpha))
