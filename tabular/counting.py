"""Columns -> moments and counts by bin or cell, at a few nanoseconds a row: what profiles and tallies are made of.

Arrays of numpy, because shifting and counting bits takes a tenth of the time there that grouping takes in polars
(benchmarks/profiling.py). Rows go through in blocks that stay in the processor's cache.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from lifecycle.grid import Grid
from lifecycle.profile import Moments

BLOCK: Final = 1 << 18
FEW: Final = 1 << 15
"""Up to so many numbers, searching costs less than a table of all cells."""
_SIZE: Final = (1 << 63) - 1
_MICROSECONDS: Final = 1_000_000

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


def blocks(values: pl.Series) -> Iterator[Floats]:
    """Yield the values that are there as doubles, in blocks: numbers as they are, times as epoch seconds."""
    pieces = values.n_chunks() > 4 + 4 * len(values) // BLOCK
    for chunk in (values.rechunk() if pieces else values).get_chunks():
        for start in range(0, len(chunk), BLOCK):
            yield _floats(chunk.slice(start, BLOCK))


def present(values: pl.Series) -> Floats:
    """Return the values that are there as doubles, all at once."""
    return _floats(values)


def _floats(values: pl.Series) -> Floats:
    if values.dtype == pl.Datetime:
        values = values.dt.epoch("us").cast(pl.Float64) / _MICROSECONDS
    whole = values if values.dtype == pl.Float64 else values.cast(pl.Float64)
    found: npt.NDArray[Any] = (whole.drop_nulls() if whole.null_count() else whole).to_numpy()
    return found


def moments(numbers: Floats, space: Floats | None = None) -> Moments:
    """Return count, mean, squares, smallest and largest of finite numbers; what is beyond the doubles is infinite.

    `space` for as many numbers saves the system from finding pages for them in every block.
    """
    if not numbers.size:
        return Moments()
    apart = np.empty_like(numbers) if space is None else space[: numbers.size]
    with np.errstate(over="ignore"):
        mean = float(numbers.mean())
        np.subtract(numbers, mean, out=apart)
        # not by np.dot: its threads wait for each other where processors are few
        squares = float(np.multiply(apart, apart, out=apart).sum())
    return Moments(count=numbers.size, mean=mean, squares=squares, min=float(numbers.min()), max=float(numbers.max()))


class BinCounts:
    """Counts finite numbers by bin, block after block; `edges` ascend and are inclusive above."""

    def __init__(self, edges: Sequence[float], rows: int) -> None:
        self._edges = np.asarray(edges, dtype=np.float64)
        plan = _plan(tuple(edges)) if rows > FEW else None
        self._cells = None if plan is None else CellCounts(plan[0])
        self._ends = plan[1] if plan else None
        self._total = np.zeros(len(edges) + 1, dtype=np.int64)

    def add(self, numbers: Floats) -> None:
        """Count more numbers."""
        if self._cells is not None:
            self._cells.add(numbers)
            return
        bins = np.searchsorted(self._edges, numbers, side="left")
        self._total += np.bincount(bins, minlength=len(self._total))

    @property
    def counts(self) -> tuple[int, ...]:
        """How many numbers lie in each bin."""
        if self._cells is None:
            return tuple(self._total.tolist())
        sums = np.cumsum(self._cells.total)
        return tuple(np.diff(sums[self._ends], prepend=0, append=sums[-1]).tolist())


@lru_cache(maxsize=512)
def _plan(edges: tuple[float, ...]) -> tuple[Grid, Counts] | None:
    """Return the grid of the edges and the places of the cells that end there; None where no grid has them."""
    grid = Grid.of_edges(edges)
    if grid is None:
        return None
    return grid, np.array([grid.index_before(edge) + grid.cells + 1 for edge in edges], dtype=np.int64)


class CellCounts:
    """Counts finite numbers by cell of a grid; cell 0 is at place `middle` of `total`."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.middle = grid.cells + 1
        self.total: Counts = np.zeros(2 * self.middle + 1, dtype=np.int64)
        self._space = np.empty((2, BLOCK), dtype=np.int64)

    def add(self, numbers: Floats) -> None:
        """Count more numbers."""
        for start in range(0, numbers.size, BLOCK):
            self._add(numbers[start : start + BLOCK])

    def _add(self, block: Floats) -> None:
        bits, cell, sign = block.view(np.int64), self._space[0, : block.size], self._space[1, : block.size]
        low = float(block.min()) if block.size else 1.0
        # of zeros, too: one of them may be -0.0
        size = bits if low > 0 else np.bitwise_and(bits, _SIZE, out=cell)
        np.right_shift(size, self.grid.shift, out=cell)
        np.subtract(cell, self.grid.first - 1, out=cell)
        np.clip(cell, 0, self.middle, out=cell)
        upper = self.total[self.middle :]
        if low < 0:
            np.right_shift(bits, 63, out=sign)
            np.bitwise_xor(cell, sign, out=cell)
            np.subtract(cell, sign, out=cell)
            np.add(cell, self.middle, out=cell)
            upper = self.total
        upper += np.bincount(cell, minlength=upper.size)


def by_cell(numbers: Floats, grid: Grid) -> tuple[list[int], list[int]]:
    """Return (cells that hold numbers, ascending, how many each holds); all numbers are finite."""
    counted = CellCounts(grid)
    counted.add(numbers)
    held = np.flatnonzero(counted.total)
    return (held - counted.middle).tolist(), counted.total[held].tolist()


def by_bin(numbers: Floats, edges: Sequence[float]) -> tuple[int, ...]:
    """Return how many finite numbers lie in each bin; `edges` ascend and are inclusive above."""
    counted = BinCounts(edges, numbers.size)
    counted.add(numbers)
    return counted.counts
