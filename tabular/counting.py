"""Columns -> counts by value or by cell, at a few nanoseconds a row: the inner loops of profiles and tallies.

Arrays of numpy, because shifting and counting bits takes a tenth of the time there that grouping takes in polars
(benchmarks/profiling.py). Rows go through in blocks that stay in the processor's cache.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from lifecycle.grid import Grid

BLOCK: Final = 1 << 18
FEW: Final = 1 << 14
"""Up to so many numbers, searching costs less than a table of all cells."""
_SIZE: Final = (1 << 63) - 1

Floats = npt.NDArray[np.float64]


def present(values: pl.Series) -> Floats:
    """Return the values that are there as doubles: numbers as they are, times as epoch seconds."""
    if values.dtype == pl.Datetime:
        values = values.dt.epoch("us").cast(pl.Float64) / 1_000_000
    found: npt.NDArray[Any] = values.cast(pl.Float64).drop_nulls().to_numpy()
    return found


def by_cell(numbers: Floats, grid: Grid) -> tuple[list[int], list[int]]:
    """Return (cells that hold numbers, ascending, how many each holds); all numbers are finite."""
    total, base = _table(numbers, grid)
    held = np.flatnonzero(total)
    return (held - base).tolist(), total[held].tolist()


def by_bin(numbers: Floats, edges: Sequence[float]) -> tuple[int, ...]:
    """Return how many finite numbers lie in each bin; `edges` ascend and are inclusive above."""
    grid = Grid.of_edges(edges) if numbers.size > FEW else None
    if grid is None:
        bins = np.searchsorted(np.asarray(edges), numbers, side="left")
        return tuple(np.bincount(bins, minlength=len(edges) + 1).tolist())
    total, base = _table(numbers, grid)
    ranks = np.concatenate(([0], np.cumsum(total)))
    # an edge below all cells of the table (no number is negative) has nothing below it
    places = [max(0, grid.index_before(edge) + base + 1) for edge in edges]
    return tuple(np.diff(ranks[[0, *places, -1]]).tolist())


def _table(numbers: Floats, grid: Grid) -> tuple[npt.NDArray[np.int64], int]:
    """Return the count of every cell, and the place of cell 0."""
    side = grid.cells + 1
    signed = bool(numbers.size) and bool(numbers.min() < 0)
    base = side if signed else 0
    total = np.zeros(base + side + 1, dtype=np.int64)
    for start in range(0, numbers.size, BLOCK):
        block = numbers[start : start + BLOCK]
        cell = block.view(np.int64) & _SIZE
        cell >>= grid.shift
        cell -= grid.first - 1
        np.clip(cell, 0, side, out=cell)
        if signed:
            np.negative(cell, out=cell, where=block < 0)
            cell += base
        total += np.bincount(cell, minlength=total.size)
    return total, base


def by_value(texts: pl.Series) -> dict[str, int]:
    """Return how many rows hold each value; rows without one are not counted."""
    counted = texts.drop_nulls().alias("value").value_counts(name="rows")
    return dict(zip(counted["value"].to_list(), counted["rows"].to_list(), strict=True))


def by_hour(times: pl.Series) -> dict[str, int]:
    """Return how many times fall into each hour of the day (UTC, "00" to "23")."""
    return by_value(times.drop_nulls().dt.strftime("%H"))
