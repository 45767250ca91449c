"""One column of the reference + the same column of a window -> how far it moved, and the chance of that.

Rows lie in few, large groups here: a number's bins in about ten of equal size (a value that many rows share stays
apart), a category's values one by one. Groups in which the window should hold fewer than five rows are pooled, by what
the reference says alone, so that chance counts are never taken for a shift; values never seen before are in that pool.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lifecycle import distance
from lifecycle.reference import NUMBER, ColumnReference
from lifecycle.significance import chance_of_more
from lifecycle.tally import ColumnTally

GROUPS: Final = 10
EXPECTED: Final = 5.0
"""Rows that a group should hold at least: the usual bound below which chi-square's limit does not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What happened to one column.

    Attributes
    ----------
    psi
        The PSI of values over the groups.
    excess
        What of it exceeds the PSI that samples of these sizes have on average by chance; never negative.
    distance
        Numbers: Kolmogorov and Smirnov's gap over all bins; categories: half the L1 distance of shares. 0 to 1.
    statistic
        Chi-square over the groups.
    p, p_missing
        The chances of such values, and of so many missing ones, if nothing changed and rows were independent.
    rise
        How much larger the share of missing values is than in the reference; never negative.
    """

    psi: float = 0.0
    excess: float = 0.0
    distance: float = 0.0
    statistic: float = 0.0
    p: float = 1.0
    p_missing: float = 1.0
    missing: float = 0.0
    missing_before: float = 0.0

    @property
    def rise(self) -> float:
        """By how much the share of missing values grew."""
        return max(0.0, self.missing - self.missing_before)


def compare(reference: ColumnReference, tally: ColumnTally) -> Moved:
    """Return how far a column moved. Columns without rows, constant or without any value have moved by nothing."""
    before, after = reference.counts, tally.counts
    missing = tally.missing / tally.rows if tally.rows else 0.0
    missing_before = reference.missing / reference.rows if reference.rows else 0.0
    p_missing = 1.0
    if reference.rows and missing > missing_before:
        p_missing = chance_of_more(tally.missing, tally.rows, reference.missing, reference.rows)
    one, two = sum(before), sum(after)
    if not one or not two:
        return Moved(missing=missing, missing_before=missing_before, p_missing=p_missing)
    members = groups(before) if reference.kind == NUMBER else [[place] for place in range(len(before))]
    grouped = [(sum(before[i] for i in group), sum(after[i] for i in group)) for group in members]
    sound = [pair for pair in grouped if pair[0] >= EXPECTED and pair[0] * two >= EXPECTED * one]
    rare = [pair for pair in grouped if not (pair[0] >= EXPECTED and pair[0] * two >= EXPECTED * one)]
    pool = (sum(a for a, _ in rare), sum(b for _, b in rare))
    table = [*sound, pool] if any(pool) else sound
    chi = distance.chi_square(*_sides(sound))
    chances = [chi.p, _of_pool(pool, one, two)]
    gap = distance.half_l1(before, after)
    if reference.kind == NUMBER:
        fine = distance.kolmogorov_smirnov(before, after)
        gap = fine.statistic
        chances.append(fine.p)
    psi = distance.psi(*_sides(table))
    return Moved(
        psi=psi,
        excess=max(0.0, psi - distance.chance_psi(len(table), one, two)),
        distance=gap,
        statistic=chi.statistic,
        p=min(1.0, len(chances) * min(chances)),
        p_missing=p_missing,
        missing=missing,
        missing_before=missing_before,
    )


def groups(counts: Sequence[int]) -> list[list[int]]:
    """Return neighbouring bins in groups of about a tenth of the rows; a bin of more than that is a group by itself.

    >>> groups([5, 90, 5])
    [[0], [1], [2]]
    """
    size = sum(counts) / GROUPS
    found: list[list[int]] = []
    held = size  # so that the first bin begins a group
    for place, count in enumerate(counts):
        if held >= size or count >= size or held + count / 2 > size:
            found.append([])
            held = 0.0
        found[-1].append(place)
        held += count
    return found


def _of_pool(pool: tuple[int, int], before: int, after: int) -> float:
    """The chance of so many rows in the pool: exact, since few are expected there."""
    if pool[1] * before <= pool[0] * after:
        return 1.0
    return chance_of_more(pool[1], after, pool[0], before)


def _sides(pairs: Sequence[tuple[int, int]]) -> tuple[list[int], list[int]]:
    return [a for a, _ in pairs], [b for _, b in pairs]
