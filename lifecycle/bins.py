"""Counts by cell of a grid -> the edges of at most `BINS` bins, and counts by bin.

Each bin holds at most one in `FINE` of the rows, unless one cell alone holds more: that cell gets a bin to itself, so
that a value which many rows share is told from its neighbours. Where rows are few or values many, so that `BINS` such
bins do not suffice, bins become as much larger as it takes.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Final

from lifecycle.grid import Grid

BINS: Final = 1024
FINE: Final = 1000


def bins_over(grid: Grid, cells: Sequence[int], counts: Sequence[int]) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Return the inclusive upper edges of the bins, ascending, and the rows in each; the last bin has no upper edge.

    Parameters
    ----------
    grid
        Where the cells lie.
    cells
        Indices of the cells that hold rows, ascending.
    counts
        How many rows each of them holds.
    """
    sums = list(accumulate(counts))
    if not sums:
        return (), (0,)
    limit = max(1, sums[-1] // FINE)
    ends = _ends(sums, limit)
    while len(ends) >= BINS:
        limit += max(1, limit // 50)
        ends = _ends(sums, limit)
    last = {cells[place] for place in ends if cells[place] <= grid.cells}
    before = sorted(
        (-counts[place], cells[place] - 1)
        for place in ends
        if counts[place] > limit and cells[place] - 1 not in last and cells[place] > -(grid.cells + 1)
    )
    room = BINS - 1 - len(last)
    last |= {cell for _, cell in before[:room]}
    inside = sorted(last)
    ranks = [0, *(bisect_right(cells, cell) for cell in inside), len(cells)]
    sums = [0, *sums]
    within = tuple(sums[high] - sums[low] for low, high in pairwise(ranks))
    return tuple(grid.edges_after(inside)), within


def _ends(sums: Sequence[int], limit: int) -> list[int]:
    """Return the places of the last cell of each bin: as many cells as together hold `limit` rows, or a single one."""
    ends: list[int] = []
    place, before = 0, 0
    while place < len(sums) and len(ends) < BINS:
        end = max(place, bisect_right(sums, before + limit, lo=place) - 1)
        ends.append(end)
        place, before = end + 1, sums[end]
    return ends
