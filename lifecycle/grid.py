"""Cells over the doubles that are found by shifting bits, so that a number's bin costs no search.

The bits of a positive double, read as an integer, are ordered as the numbers are; dropping `shift` low bits gives cells
that are even within each power of two. Cells of negative numbers mirror those of positive ones. A grid has a middle
cell (index 0) for everything nearer to zero than its first cell, `cells` cells on each side of it (1 to `cells` and -1
to -`cells`), and one beyond them on each side (`cells` + 1). Edges of bins that lie between cells count exactly: a
number at or below an edge has an index at or below the edge's.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

CELLS: Final = 1 << 18
"""Cells on each side of zero that a new grid has at most: its counts are two megabytes a side."""
WIDEST: Final = 1 << 20
"""Cells on each side that counting by a grid still pays for; edges that need more are searched instead."""
SMALLEST: Final = 2.0**-1022
"""Numbers nearer to zero than this have fewer bits, and count as zero."""
_ALL: Final = (1 << 63) - 1
_SIGN: Final = 1 << 63
_MANTISSA: Final = 52


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells of 2^`shift` neighbouring doubles each; `first` is the magnitude's bits, shifted, where cell 1 begins."""

    shift: int
    first: int
    cells: int

    @classmethod
    def over(cls, smallest: float, largest: float) -> "Grid":
        """Return the finest grid whose cells reach from magnitude `smallest` to `largest`, both above zero."""
        low, shift = size_of(max(smallest, SMALLEST)), 0
        high = max(low, size_of(largest))
        while (high >> shift) - (low >> shift) + 1 > CELLS:
            shift += 1
        return cls(shift, low >> shift, (high >> shift) - (low >> shift) + 1)

    @classmethod
    def of_edges(cls, edges: Sequence[float]) -> "Grid | None":
        """Return the coarsest grid that has all `edges` between its cells; None when it would need too many."""
        sizes = [boundary(edge) for edge in edges] or [size_of(1.0)]
        shift = min(_MANTISSA, *((size & -size).bit_length() - 1 for size in sizes))
        first = min(sizes) >> shift
        cells = (max(sizes) >> shift) - first
        return cls(shift, first, max(1, cells)) if cells <= WIDEST else None

    def index_of(self, value: float) -> int:
        """Return a finite number's cell.

        >>> grid = Grid.over(1.0, 8.0)
        >>> grid.index_of(0.0), grid.index_of(1.0), grid.index_of(-1.0), grid.index_of(9.0) == grid.cells + 1
        (0, 1, -1, True)
        """
        cell = min(max((size_of(value) >> self.shift) - self.first + 1, 0), self.cells + 1)
        return -cell if value < 0 else cell

    def edge_after(self, index: int) -> float:
        """Return the largest number of a cell: the inclusive upper edge of a bin that ends with it.

        `index` is from -(cells + 1) to cells: nothing ends the last cell.
        """
        [edge] = self.edges_after([index])
        return edge

    def edges_after(self, indices: Sequence[int]) -> list[float]:
        """Return the same of many cells."""
        first, shift = self.first, self.shift
        sizes = [((first + i) << shift) - 1 if i >= 0 else ((first - i - 1) << shift) | _SIGN for i in indices]
        return list(struct.unpack(f"<{len(sizes)}d", struct.pack(f"<{len(sizes)}Q", *sizes)))

    def index_before(self, edge: float) -> int:
        """Return the cell that ends at an edge; the inverse of `edge_after`."""
        size = boundary(edge) >> self.shift
        if edge < 0:
            return self.first - size - 1
        return size - self.first


def size_of(value: float) -> int:
    """Return the bits of a number's magnitude as an integer, in the magnitudes' order; 0 for zero."""
    (bits,) = struct.unpack("<q", struct.pack("<d", value))
    return int(bits) & _ALL


def boundary(edge: float) -> int:
    """Return the magnitude's bits at which, going away from zero, another cell begins if `edge` ends a cell."""
    return size_of(edge) + 1 if edge >= 0 else size_of(edge)
