"""Logged answers beside a candidate's answers to the same rows -> how many decisions change, and how far scores move.

A shadow test at no live cost, and the evidence that the gate may ask for. The score is the probability (binary), the
value (regression), or, for several classes, half the sum of the differences of all their probabilities.
"""

import heapq
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from lifecycle.gate import Verdict
from lifecycle.shadow import Refused, Shadow
from lifecycle.spec import ReplayGate

QUANTILES: Final = (0.5, 0.9, 0.99)
WORST: Final = 5
REASONS: Final = 5

Record = Mapping[str, Any]


@dataclass(slots=True)
class _Group:
    rows: int = 0
    changed: int = 0
    difference: float = 0.0


@dataclass(slots=True)
class Comparison:
    """What a replay has seen so far. `cut` rows were too long for the log; `refused` by the candidate's own door."""

    task: str
    cut: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    incomparable: int = 0
    _differences: array[float] = field(default_factory=lambda: array("d"))
    _before: array[float] = field(default_factory=lambda: array("d"))
    _after: array[float] = field(default_factory=lambda: array("d"))
    _changed: int = 0
    _groups: dict[tuple[str, str], _Group] = field(default_factory=dict)
    _worst: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)

    def add(self, record: Record, answer: Mapping[str, Any] | Refused | None) -> None:
        """Take one logged prediction and the candidate's answer to its row; None stands for a row that was cut."""
        if answer is None:
            self.cut += 1
            return
        if isinstance(answer, Refused):
            self.refused[answer.reason] += 1
            return
        difference = self._difference(record, answer)
        if difference is None:
            self.incomparable += 1
            return
        changed = self.task != "regression" and record.get("decision") != answer["decision"]
        self._differences.append(difference)
        self._changed += changed
        group = self._groups.setdefault((str(record.get("arm")), str(record.get("model_version"))), _Group())
        group.rows += 1
        group.changed += changed
        group.difference += difference
        self._keep_worst(record, answer, difference)

    def _difference(self, record: Record, answer: Mapping[str, Any]) -> float | None:
        member = MEMBER[self.task]
        before, after = record.get(member), answer[member]
        if self.task == "multiclass":
            if not isinstance(before, dict):
                return None
            return float(sum(abs(after.get(k, 0.0) - before.get(k, 0.0)) for k in {*before, *after})) / 2
        if isinstance(before, bool) or not isinstance(before, int | float):
            return None
        self._before.append(before)
        self._after.append(after)
        return abs(float(after) - before)

    def _keep_worst(self, record: Record, answer: Mapping[str, Any], difference: float) -> None:
        shown = {
            "prediction_id": record["prediction_id"],
            "time": record["time"],
            "arm": record.get("arm"),
            "difference": difference,
            "before": _shown(record, self.task),
            "after": _shown(answer, self.task),
        }
        entry = (difference, str(record["prediction_id"]), shown)
        if len(self._worst) < WORST:
            heapq.heappush(self._worst, entry)
        elif entry[:2] > self._worst[0][:2]:
            heapq.heapreplace(self._worst, entry)

    def summary(self) -> dict[str, Any]:
        """Return the figures as JSON values; shares and means are None where nothing could be compared."""
        rows, ordered = len(self._differences), sorted(self._differences)
        decided = rows if self.task != "regression" else 0
        return {
            "rows": rows,
            "cut": self.cut,
            "incomparable": self.incomparable,
            "refused": sum(self.refused.values()),
            "refused_because": [{"reason": r, "rows": n} for r, n in self.refused.most_common(REASONS)],
            "changed_decisions": self._changed if decided else None,
            "changed_share": self._changed / decided if decided else None,
            "mean_difference": sum(ordered) / rows if rows else None,
            "quantiles": {f"p{share * 100:g}": _quantile(ordered, share) for share in QUANTILES} if rows else None,
            "largest_difference": ordered[-1] if rows else None,
            "ks": ks(self._before, self._after) if self._before else None,
            "by_version": self._by_version(),
            "worst": [shown for *_, shown in sorted(self._worst, key=lambda entry: entry[:2], reverse=True)],
        }

    def _by_version(self) -> list[dict[str, Any]]:
        return [
            {
                "arm": arm,
                "model_version": version,
                "rows": group.rows,
                "changed_decisions": group.changed if self.task != "regression" else None,
                "mean_difference": group.difference / group.rows,
            }
            for (arm, version), group in sorted(self._groups.items())
        ]


MEMBER: Final = {"binary": "probability", "multiclass": "probabilities", "regression": "value"}


def ks(before: array[float], after: array[float]) -> float:
    """Return the Kolmogorov-Smirnov statistic of two samples: the largest distance of their distributions, 0 to 1.

    >>> ks(array("d", [1, 2]), array("d", [3, 4]))
    1.0
    """
    one, two = sorted(before), sorted(after)
    points = {*one, *two}
    return max(abs(bisect_right(one, x) / len(one) - bisect_right(two, x) / len(two)) for x in points)


def judge(summary: Mapping[str, Any], gate: ReplayGate) -> Verdict:
    """Return whether a candidate's answers are close enough to the logged ones; every reason has its numbers.

    Fewer rows than the gate asks for judge nobody: a model that few have asked yet could otherwise never be replaced.
    Nor does a replay that says why it was `skipped`.
    """
    if skipped := summary.get("skipped"):
        return Verdict(approved=True, reasons=(f"replay judges nothing: {skipped}",))
    rows, seen = summary["rows"], summary["rows"] + summary["refused"]
    if seen < gate.min_rows:
        text = f"{seen} logged rows of the last {gate.days:g} days, fewer than {gate.min_rows}: replay judges nothing"
        return Verdict(approved=True, reasons=(text,))
    findings = [
        _within("of the logged decisions change", summary["changed_share"], gate.max_changed_decisions, share=True),
        _within("is the mean difference of scores", summary["mean_difference"], gate.max_mean_difference),
        _within("of the logged rows would be refused", summary["refused"] / seen, gate.max_refused, share=True),
    ]
    told = [(passed, f"replay of {rows} rows: {text}") for passed, text in filter(None, findings)]
    against = tuple(text for passed, text in told if not passed)
    return Verdict(approved=not against, reasons=against or tuple(text for _, text in told))


def _within(what: str, found: float | None, limit: float | None, *, share: bool = False) -> tuple[bool, str] | None:
    if limit is None or found is None:
        return None
    passed = found <= limit
    shown, bound = (f"{value:.2%}" if share else f"{value:.6g}" for value in (found, limit))
    return passed, f"{shown} {what}, {'within' if passed else 'above'} the gate's {bound}"


def _shown(answer: Mapping[str, Any], task: str) -> dict[str, Any]:
    return {name: answer[name] for name in (MEMBER[task], "decision") if name in answer}


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def replay(records: Iterable[Record], shadow: Shadow, limit: int | None = None) -> Comparison:
    """Return the comparison of logged predictions with what a candidate answers; at most `limit` of them."""
    comparison = Comparison(shadow.task)
    for record in islice(records, limit):
        row = record.get("row")
        comparison.add(record, shadow.answer(row) if isinstance(row, dict) else None)
    return comparison


def spread(records: Iterable[Record], most: int) -> Iterator[Record]:
    """Yield at most `most` records of each hour, so that a long time is looked at as a whole."""
    taken: Counter[int] = Counter()
    for record in records:
        hour = int(record["time"] // 3_600_000)
        taken[hour] += 1
        if taken[hour] <= most:
            yield record
