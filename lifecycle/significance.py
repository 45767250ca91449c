"""Two samples -> how likely such a difference is by chance alone. Exact for counts; for scores, Kolmogorov's limit.

Both arms of a rollout get their requests by chance, so what differs more than chance explains is the version's doing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import exp, inf, lgamma, sqrt
from typing import Any, Final

_NEGLIGIBLE: Final = 1e-18
_TERMS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Values and how much each counts. Rows of one request are no independent draws, so together they count once."""

    values: tuple[Any, ...] = ()
    weights: tuple[float, ...] = ()

    @property
    def size(self) -> float:
        """The number of independent draws: the sum of the weights."""
        return sum(self.weights)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How far two samples are apart (0 to 1) and the chance `p` of that much if nothing differed."""

    distance: float = 0.0
    p: float = 1.0
    where: str = ""
    sizes: tuple[float, float] = field(default=(0.0, 0.0))


def chance_of_more(bad: int, tried: int, other_bad: int, other_tried: int) -> float:
    """Return the chance of at least `bad` of `tried` if both arms fail alike (Fisher's exact test, one side).

    >>> round(chance_of_more(3, 3, 0, 30), 6)
    0.000183
    >>> chance_of_more(0, 50, 0, 500)
    1.0
    """
    if not (0 <= bad <= tried and 0 <= other_bad <= other_tried):
        raise ValueError(f"{bad} of {tried} and {other_bad} of {other_tried} are no counts of a part and a whole")
    all_bad, everything = bad + other_bad, tried + other_tried
    lowest = max(0, all_bad - other_tried)
    if bad <= lowest:
        return 1.0
    whole = _log_ways(everything, all_bad)
    peak = (all_bad + 1) * (tried + 1) / (everything + 2)
    total = 0.0
    for hits in range(bad, min(all_bad, tried) + 1):
        term = exp(_log_ways(tried, hits) + _log_ways(other_tried, all_bad - hits) - whole)
        total += term
        if hits > peak and term < _NEGLIGIBLE:
            break
    return min(1.0, total)


def of_numbers(one: Sample, other: Sample) -> Difference:
    """Return the largest gap between the two distributions and its chance (Kolmogorov and Smirnov, two samples).

    The chance is the limit with Stephens' correction for small samples; with equal values it errs to the safe side.
    """
    sizes = (one.size, other.size)
    if not min(sizes):
        return Difference(sizes=sizes)
    steps: dict[float, float] = {}
    for sample, sign in ((one, 1.0), (other, -1.0)):
        size = sample.size
        for value, weight in zip(sample.values, sample.weights, strict=True):
            steps[value] = steps.get(value, 0.0) + sign * weight / size
    gap, widest, where = 0.0, 0.0, 0.0
    for value in sorted(steps):
        gap += steps[value]
        if abs(gap) > widest:
            widest, where = abs(gap), value
    widest = min(widest, 1.0)
    effective = sqrt(sizes[0] * sizes[1] / sum(sizes))
    p = kolmogorov((effective + 0.12 + 0.11 / effective) * widest)
    return Difference(distance=widest, p=p, where=f"around {where:.6g}", sizes=sizes)


def of_classes(one: Sample, other: Sample) -> Difference:
    """Return the largest difference of a class's share, and its chance: Fisher's test for each class, both sides.

    The chance is multiplied by twice the number of classes, since so many questions are asked.
    """
    sizes = (one.size, other.size)
    if not min(sizes):
        return Difference(sizes=sizes)
    mine, theirs = _shares(one), _shares(other)
    names = sorted(mine.keys() | theirs.keys())
    gaps = {name: mine.get(name, 0.0) - theirs.get(name, 0.0) for name in names}
    worst = max(names, key=lambda name: abs(gaps[name]))
    tried, others = max(1, round(sizes[0])), max(1, round(sizes[1]))
    hits, other_hits = round(mine.get(worst, 0.0) * tried), round(theirs.get(worst, 0.0) * others)
    if gaps[worst] > 0:
        p = chance_of_more(hits, tried, other_hits, others)
    else:
        p = chance_of_more(other_hits, others, hits, tried)
    return Difference(distance=abs(gaps[worst]), p=min(1.0, 2 * len(names) * p), where=f"class {worst}", sizes=sizes)


def kolmogorov(scaled: float) -> float:
    """Return the chance that Kolmogorov's limit distribution exceeds `scaled`."""
    if scaled < 0.2:
        return 1.0  # the sum converges slowly there, and is 1 to ten digits
    total, sign = 0.0, 1.0
    for number in range(1, _TERMS):
        term = exp(-2 * number * number * scaled * scaled)
        total += sign * term
        if term < _NEGLIGIBLE:
            break
        sign = -sign
    return max(0.0, min(1.0, 2 * total))


def _shares(sample: Sample) -> Mapping[str, float]:
    found: dict[str, float] = {}
    for value, weight in zip(sample.values, sample.weights, strict=True):
        found[value] = found.get(value, 0.0) + weight / sample.size
    return found


def _log_ways(whole: int, part: int) -> float:
    if part < 0 or part > whole:
        return -inf
    return lgamma(whole + 1) - lgamma(part + 1) - lgamma(whole - part + 1)
