"""Two histograms over the same bins -> how far apart they are, and the chance of that much if nothing differed.

Each from counts alone, so that rows are read once and windows add up: the population stability index (PSI: how large),
Kolmogorov and Smirnov's gap and Wilcoxon's ranks (numbers), chi-square (groups). scipy computes the same figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import erfc, exp, lgamma, log, sqrt
from typing import Final

from lifecycle.significance import kolmogorov

FLOOR: Final = 0.5
"""What an empty bin counts in the PSI, in rows: one rare value cannot make it infinite."""
_CONVERGED: Final = 1e-16
_TERMS: Final = 10_000
_TINY: Final = 1e-300


@dataclass(frozen=True, slots=True)
class Chance:
    """A statistic, and the chance `p` of at least that much if both histograms were drawn from the same rows."""

    statistic: float = 0.0
    p: float = 1.0


def psi(before: Sequence[float], after: Sequence[float]) -> float:
    """Return the PSI of two histograms over the same bins (counts).

    0 when the shares are equal, never negative; by custom below 0.1 is stable and above 0.25 is a shift.

    >>> psi([10, 20], [100, 200])
    0.0
    """
    total_before, total_after = sum(before), sum(after)
    if not total_before or not total_after:
        return 0.0
    moved = 0.0
    for one, two in zip(before, after, strict=True):
        if one or two:
            share_one, share_two = max(one, FLOOR) / total_before, max(two, FLOOR) / total_after
            moved += (share_two - share_one) * log(share_two / share_one)
    return moved


def chance_psi(bins: int, before: float, after: float) -> float:
    """Return the PSI that two samples of so many rows have on average, though nothing differs.

    >>> chance_psi(10, 900, 900)
    0.02
    """
    return (bins - 1) * (1 / before + 1 / after) if bins > 1 and before and after else 0.0


def half_l1(before: Sequence[float], after: Sequence[float]) -> float:
    """Return the share of rows that lie in another bin than they would (0 to 1): half the sum of differences."""
    total_before, total_after = sum(before), sum(after)
    if not total_before or not total_after:
        return 0.0
    return min(1.0, sum(abs(a / total_before - b / total_after) for a, b in zip(before, after, strict=True)) / 2)


def kolmogorov_smirnov(before: Sequence[float], after: Sequence[float]) -> Chance:
    """Return the largest gap between the two distributions (0 to 1), at the edges of ordered bins, and its chance.

    The chance is the limit for large samples with Stephens' correction. Within a bin, a gap can be larger than at its
    edges by the bin's share of rows at most; it is never smaller, so binning errs to the safe side.

    >>> kolmogorov_smirnov([50, 50], [100, 0]).statistic
    0.5
    """
    one, two = sum(before), sum(after)
    if not one or not two:
        return Chance()
    gap = max(abs(a / one - b / two) for a, b in zip(accumulate(before), accumulate(after), strict=True))
    effective = sqrt(one * two / (one + two))
    return Chance(gap, kolmogorov((effective + 0.12 + 0.11 / effective) * gap))


def rank_sum(before: Sequence[float], after: Sequence[float]) -> Chance:
    """Return by how many deviations the ranks of the second histogram are too high (below 0: too low), and its chance.

    Wilcoxon's test for ordered bins, rows of a bin sharing their rank. Of tests that assume no form of distribution it
    sees a small rise or fall of a number best.

    >>> round(rank_sum([50, 50, 0], [30, 50, 20]).p, 6)
    4.7e-05
    """
    one, two = sum(before), sum(after)
    rows = one + two
    if not one or not two or rows < 2:
        return Chance()
    below = ranks = ties = 0.0
    for count, later in zip(before, after, strict=True):
        held = count + later
        ranks += later * (below + (held + 1) / 2)
        ties += held**3 - held
        below += held
    variance = one * two / 12 * (rows + 1 - ties / (rows * (rows - 1)))
    if variance <= 0:
        return Chance()
    deviations = (ranks - two * (rows + 1) / 2) / sqrt(variance)
    return Chance(deviations, erfc(abs(deviations) / sqrt(2)))


def chi_square(before: Sequence[float], after: Sequence[float]) -> Chance:
    """Return Pearson's statistic of the table of both histograms, and its chance. Bins empty in both do not count.

    Sound where at least five rows are expected in each cell: pool rarer bins first (`lifecycle.column_drift`).

    >>> round(chi_square([30, 70], [50, 50]).p, 6)
    0.003892
    """
    one, two = sum(before), sum(after)
    pairs = [(a, b) for a, b in zip(before, after, strict=True) if a or b]
    if not one or not two or len(pairs) < 2:
        return Chance()
    statistic = sum((a * two - b * one) ** 2 / (a + b) for a, b in pairs) / (one * two)
    return Chance(statistic, upper_gamma((len(pairs) - 1) / 2, statistic / 2))


def upper_gamma(shape: float, x: float) -> float:
    """Return the regularized upper incomplete gamma function Q(shape, x): the chi-square distribution's upper tail.

    Raises ValueError unless `shape` is above 0 and `x` at least 0.
    """
    if shape <= 0 or x < 0:
        raise ValueError(f"the incomplete gamma function needs shape > 0 and x >= 0, got {shape} and {x}")
    if x == 0:
        return 1.0
    scale = exp(shape * log(x) - x - lgamma(shape))
    return max(0.0, 1.0 - scale * _series(shape, x)) if x < shape + 1 else min(1.0, scale * _fraction(shape, x))


def _series(shape: float, x: float) -> float:
    term = total = 1.0 / shape
    for number in range(1, _TERMS):
        term *= x / (shape + number)
        total += term
        if term < total * _CONVERGED:
            break
    return total


def _fraction(shape: float, x: float) -> float:
    """Lentz's way through the continued fraction; it converges fast for x above shape + 1."""
    b = x + 1.0 - shape
    c, d = 1.0 / _TINY, 1.0 / b
    value = d
    for number in range(1, _TERMS):
        a = -number * (number - shape)
        b += 2.0
        d = 1.0 / (a * d + b or _TINY)
        c = b + a / c or _TINY
        value *= d * c
        if abs(d * c - 1.0) < _CONVERGED * 8:
            break
    return value
