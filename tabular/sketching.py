"""Numbers -> the histogram over the bits of doubles that `lifecycle.sketch` merges, without grouping all of them.

The numbers are counted in cells of as many bits as fit a table. Only where that shows too little (numbers on both sides
of zero, or few places that hold everything) are the cells that hold any divided once more.
"""

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np
import polars as pl

from lifecycle import sketch
from lifecycle.profile import Moments
from lifecycle.sketch import Quantiles, bits_of
from tabular.counting import FEW, Counts, Floats, blocks

TABLE_BITS: Final = 17
_SIZE: Final = (1 << 63) - 1

Places = Callable[[Counts], Counts]


def quantiles(values: pl.Series, known: Moments) -> Quantiles:
    """Return the sketch of the (finite) values that are there; `known` are their moments."""
    if not known.count or known.min is None or known.max is None:
        return Quantiles()
    if known.count <= FEW or _is_repetitive(values):
        return _grouped(values)
    low, high = bits_of(known.min), bits_of(known.max)
    shift = max(0, (high - low).bit_length() - TABLE_BITS)
    first = low >> shift
    size = (high >> shift) - first + 1
    total = _counted(blocks(values), lambda bits: (bits >> shift) - first, size)
    held = np.flatnonzero(total)
    if len(held) > sketch.BINS or not shift:
        return coarsened(shift, held + first, total[held])
    more = min(shift, TABLE_BITS - (len(held) - 1).bit_length())
    return _divided(values, (shift, held + first, size), more)


def _divided(values: pl.Series, coarse: tuple[int, Counts, int], more: int) -> Quantiles:
    """Count again, each cell that holds any divided into 2^`more`."""
    shift, cells, size = coarse
    first, finer, low = int(cells[0]), shift - more, (1 << more) - 1
    rank = np.zeros(size, dtype=np.int64)
    rank[cells - first] = np.arange(len(cells)) << more

    def place(bits: Counts) -> Counts:
        found = bits >> finer
        inside: Counts = rank[(found >> more) - first] + (found & low)
        return inside

    total = _counted(blocks(values), place, len(cells) << more)
    held = np.flatnonzero(total)
    if len(held) <= sketch.BINS and finer:
        return _grouped(values)
    return coarsened(finer, (cells[held >> more] << more) + (held & low), total[held])


def coarsened(shift: int, cells: Counts, counts: Counts) -> Quantiles:
    """Return the sketch with as few low bits dropped as bring it to `sketch.BINS` bins at most; `cells` ascend."""
    while len(cells) > sketch.BINS:
        shift, cells = shift + 1, cells >> 1
        starts = np.flatnonzero(np.diff(cells, prepend=cells[0] - 1))
        cells, counts = cells[starts], np.add.reduceat(counts, starts)
    return Quantiles(shift, dict(zip(cells.tolist(), counts.tolist(), strict=True)))


def _grouped(values: pl.Series) -> Quantiles:
    parts = [ordered(block) for block in blocks(values)]
    numbers = np.concatenate(parts)
    if len(numbers) <= FEW:  # sorting so many takes less time than asking for a group-by
        return coarsened(0, *np.unique(numbers, return_counts=True))
    bits = pl.Series("bits", numbers).value_counts(name="rows").sort("bits")
    return coarsened(0, bits["bits"].to_numpy(), bits["rows"].cast(pl.Int64).to_numpy())


def _is_repetitive(values: pl.Series) -> bool:
    return values.head(FEW).n_unique() <= sketch.BINS


def _counted(numbers: Iterable[Floats], place: Places, size: int) -> Counts:
    total: Counts = np.zeros(size, dtype=np.int64)
    for block in numbers:
        total += np.bincount(place(ordered(block)), minlength=size)
    return total


def ordered(numbers: Floats) -> Counts:
    """Return the numbers' bits as integers in their order (`lifecycle.sketch.bits_of`)."""
    bits: Counts = numbers.view(np.int64)
    if not numbers.size or numbers.min() > 0:
        return bits
    sign = bits >> 63
    return ((bits & _SIZE) ^ sign) - sign
