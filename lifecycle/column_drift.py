"""One column of the reference + the same column of a window -> how far it moved, and the chance of that.

Rows lie in few groups here: a number's bins in ten of equal size between two tails (a value that many rows share stays
apart), a category's values one by one. Groups in which the window should hold fewer than five rows are pooled, by what
the reference says alone, so that chance counts are never taken for a shift; values that training had hardly or never
seen are in that pool.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lifecycle import distance
from lifecycle.reference import NUMBER, ColumnReference
from lifecycle.significance import chance_of_more
from lifecycle.tally import ColumnTally

GROUPS: Final = 10
TAILS: Final = 1 / 500
"""Each tail's share of the reference at most: a change of units shows there, even if it concerns few rows."""
FEW: Final = 100
"""Fewer values than this, say the gusts of a calm day, tell of a few moments only, whatever the window's rows."""
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
    farthest
        The excess if no value lay where training had its rows.
    distance
        Numbers: Kolmogorov and Smirnov's gap over all bins; categories: half the L1 distance of shares. 0 to 1.
    statistic
        Chi-square over the groups.
    p, p_missing
        The chances of such values, and of so many missing ones, if nothing changed and rows were independent.
    missing, missing_before
        Shares of rows without a value, 0 to 1.
    present
        The window's rows with a value.
    """

    psi: float = 0.0
    excess: float = 0.0
    farthest: float = 0.0
    distance: float = 0.0
    statistic: float = 0.0
    p: float = 1.0
    p_missing: float = 1.0
    missing: float = 0.0
    missing_before: float = 0.0
    present: int = 0

    @property
    def rise(self) -> float:
        """By how much the share of missing values grew."""
        return max(0.0, self.missing - self.missing_before)


def compare(reference: ColumnReference, tally: ColumnTally) -> Moved:
    """Return how far a column moved. Columns without rows, constant or without any value have moved by nothing."""
    missing = tally.missing / tally.rows if tally.rows else 0.0
    missing_before = reference.missing / reference.rows if reference.rows else 0.0
    p_missing = 1.0
    if reference.rows and missing > missing_before:
        p_missing = chance_of_more(tally.missing, tally.rows, reference.missing, reference.rows)
    table = _grouped(reference, tally.counts, _members(reference))
    if table is None:
        return Moved(missing=missing, missing_before=missing_before, p_missing=p_missing)
    chi, gap = distance.chi_square(*table.sound), distance.half_l1(reference.counts, tally.counts)
    chances = [chi.p, table.chance_of_pool()]
    if reference.kind == NUMBER:
        fine = distance.kolmogorov_smirnov(reference.counts, tally.counts)
        gap = fine.statistic
        chances += [fine.p, distance.rank_sum(reference.counts, tally.counts).p]
    return Moved(
        psi=table.psi(),
        excess=table.excess(),
        farthest=table.farthest(),
        distance=gap,
        statistic=chi.statistic,
        p=min(1.0, len(chances) * min(chances)),
        p_missing=p_missing,
        missing=missing,
        missing_before=missing_before,
        present=sum(tally.counts),
    )


def swings(reference: ColumnReference, windows: Sequence[ColumnTally]) -> list[tuple[float, float]]:
    """Return PSI beyond chance and rise of the share of missing values of windows, as shares of the farthest possible.

    A window with fewer than `FEW` values has not moved.
    """
    members, found = _members(reference), []
    before = reference.missing / reference.rows if reference.rows else 0.0
    for window in windows:
        table = _grouped(reference, window.counts, members) if sum(window.counts) >= FEW else None
        far = table.farthest() if table else 0.0
        rise = max(0.0, window.missing / window.rows - before) if window.rows else 0.0
        moved = min(1.0, table.excess() / far) if table and far else 0.0
        found.append((moved, rise / (1.0 - before) if before < 1.0 else 0.0))
    return found


@dataclass(frozen=True, slots=True)
class _Table:
    """Rows before and after by group: sound ones, and those pooled for being rare."""

    sound: tuple[list[int], list[int]]
    pool: tuple[int, int]

    @property
    def sizes(self) -> tuple[int, int]:
        return sum(self.sound[0]) + self.pool[0], sum(self.sound[1]) + self.pool[1]

    def psi(self) -> float:
        return distance.psi([*self.sound[0], self.pool[0]], [*self.sound[1], self.pool[1]])

    def excess(self) -> float:
        """The pool counts as a group even if empty, so that one row in it does not change what chance explains."""
        return max(0.0, self.psi() - distance.chance_psi(len(self.sound[0]) + 1, *self.sizes))

    def farthest(self) -> float:
        empty = [0] * len(self.sound[0])
        return _Table((self.sound[0], empty), (self.pool[0], self.sizes[1])).excess()

    def chance_of_pool(self) -> float:
        """The chance of so many rows in the pool: exact, since few are expected there."""
        before, after = self.sizes
        if self.pool[1] * before <= self.pool[0] * after:
            return 1.0
        return chance_of_more(self.pool[1], after, self.pool[0], before)


def _members(reference: ColumnReference) -> list[slice]:
    counts = reference.counts
    if reference.kind != NUMBER:
        return [slice(place, place + 1) for place in range(len(counts))]
    return [slice(group[0], group[-1] + 1) for group in groups(counts)]


def _grouped(reference: ColumnReference, after: Sequence[int], members: list[slice]) -> _Table | None:
    before = reference.counts
    one, two = sum(before), sum(after)
    if not one or not two:
        return None
    sound: tuple[list[int], list[int]] = ([], [])
    pool = [0, 0]
    for group in members:
        counts = [sum(side[group]) for side in (before, after)]
        if counts[0] >= EXPECTED and counts[0] * two >= EXPECTED * one:
            sound[0].append(counts[0])
            sound[1].append(counts[1])
        else:
            pool = [pool[0] + counts[0], pool[1] + counts[1]]
    return _Table(sound, (pool[0], pool[1]))


def groups(counts: Sequence[int]) -> list[list[int]]:
    """Return neighbouring bins in groups of about a tenth of the rows; a bin of more than that is a group by itself.

    The outermost bins that hold at most `TAILS` of the rows are groups, too.

    >>> groups([0, 450, 550, 0, 0])
    [[0], [1], [2], [3, 4]]
    """
    low, high = _tail(counts), len(counts) - _tail(counts[::-1])
    if low >= high:
        return [list(range(len(counts)))]
    size = sum(counts) / GROUPS
    begins, held = [0, low], 0.0
    for place in range(low, high):
        count = counts[place]
        if place > low and (held >= size or count >= size or held + count / 2 > size):
            begins.append(place)
            held = 0.0
        held += count
    ends = [*begins[1:], high, len(counts)]
    return [list(range(begin, end)) for begin, end in zip([*begins, high], ends, strict=True) if begin < end]


def _tail(counts: Sequence[int]) -> int:
    """How many bins from the first one hold at most `TAILS` of the rows; few rows make bins larger, one may do then."""
    rows, place = sum(counts), 0
    room = max(rows * TAILS, counts[0] if counts[0] * 2 * GROUPS <= rows else 0)
    while place < len(counts) and counts[place] <= room:
        room -= counts[place]
        place += 1
    return place
