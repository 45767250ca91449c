"""Rows with a time -> counts of each column window by window, in the bins of its reference."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from lifecycle.reference import NUMBER, ColumnReference
from lifecycle.tally import ColumnTally
from tabular import counting

Places = npt.NDArray[np.int64]


def places(seconds: Sequence[float | None], hours: float, least: int) -> Places:
    """Return the number of each row's window, from 0 in order of time; -1 for a row in none.

    A row is in no window when it has no time, or shares its window with fewer than `least` rows.
    """
    found = np.array([np.nan if at is None else at for at in seconds], dtype=np.float64) // (hours * 3600)
    timed = np.flatnonzero(~np.isnan(found))
    _, which, sizes = np.unique(found[timed], return_inverse=True, return_counts=True)
    kept = sizes >= least
    numbers = np.where(kept, np.cumsum(kept) - 1, -1)
    windows = np.full(len(found), -1, dtype=np.int64)
    windows[timed] = numbers[which]
    return windows


def by_window(values: pl.Series, windows: Places, bins: ColumnReference) -> list[ColumnTally]:
    """Return a column's counts in every window. `values` are what `tabular.convert.typed` returns."""
    inside = windows >= 0
    count = int(windows.max(initial=-1)) + 1
    empty = values.is_null().to_numpy()
    missing = np.bincount(windows[inside & empty], minlength=count)
    held = inside & ~empty
    width = len(bins.counts)
    table = np.bincount(windows[held] * width + _bins(values.filter(held), bins), minlength=count * width)
    return [
        ColumnTally(counts=tuple(counts), missing=gone)
        for counts, gone in zip(table.reshape(count, width).tolist(), missing.tolist(), strict=True)
    ]


def _bins(values: pl.Series, bins: ColumnReference) -> Places:
    found: npt.NDArray[Any]
    if bins.kind == NUMBER:
        found = np.searchsorted(np.asarray(bins.edges), counting.present(values), side="left")
    else:
        texts = values.dt.strftime("%H") if values.dtype == pl.Datetime else values.cast(pl.String)
        known = dict(zip(bins.values, range(len(bins.values)), strict=True))
        found = texts.replace_strict(known or {"": 0}, default=len(known), return_dtype=pl.Int64).to_numpy()
    return found.astype(np.int64)
