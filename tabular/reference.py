"""The rows that a model was trained on -> the bins that live rows are counted in."""

from typing import Final

import numpy as np
import polars as pl

from lifecycle.bins import FINE, bins_over
from lifecycle.grid import SMALLEST, Grid
from lifecycle.reference import ColumnReference, category_reference, number_reference
from lifecycle.schema import Contract, Kind
from tabular import counting, texts
from tabular.convert import typed
from tabular.look import NUMBERS, look

_WITHOUT: Final = frozenset({Kind.TEXT, Kind.ID})


def column_references(frame: pl.DataFrame, contract: Contract) -> dict[str, ColumnReference]:
    """Return the bins of every column that a caller sends, but for private ones, the id, and texts.

    `frame` has all of them, as stored or typed.
    """
    return {
        column.name: column_reference(frame[column.name], column.kind)
        for column in contract.inputs
        if not column.private and column.kind not in _WITHOUT and column.name != contract.id
    }


def column_reference(stored: pl.Series, kind: Kind) -> ColumnReference:
    """Return the bins of one column's values. Importance is set elsewhere."""
    values, _ = typed(stored, kind)
    if kind in NUMBERS:
        return _of_numbers(counting.present(values), values.null_count())
    counts = texts.by_hour(values) if kind is Kind.DATETIME else look(values, kind).counts
    return category_reference(counts or {}, values.null_count())


def _of_numbers(numbers: counting.Floats, missing: int) -> ColumnReference:
    if not numbers.size:
        return number_reference((), (0,), missing)
    grid = grid_of(numbers)
    cells, counts = counting.by_cell(numbers, grid)
    return number_reference(*bins_over(grid, cells, counts), missing)


def grid_of(numbers: counting.Floats) -> Grid:
    """Return a grid over the magnitudes of all but the outermost numbers.

    Half a bin's rows may lie beyond either end, so that a single odd number does not make the cells of all others
    coarse.
    """
    sizes = np.abs(numbers)
    sizes = sizes[sizes >= SMALLEST]
    if not sizes.size:
        return Grid.over(1.0, 1.0)
    beyond = sizes.size // (2 * FINE)
    ordered = np.partition(sizes, sorted({beyond, sizes.size - 1 - beyond}))
    return Grid.over(float(ordered[beyond]), float(ordered[sizes.size - 1 - beyond]))
