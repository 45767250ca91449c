"""One stored column -> its profile under the contract: converted once, a mask of rows made only where it is needed."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import reduce
from operator import or_
from typing import Final

import polars as pl

from lifecycle import sketch
from lifecycle.profile import EXAMPLES, ColumnProfile, Examples, Moments
from lifecycle.schema import Column, Kind
from tabular import counting, sketching, texts
from tabular.convert import typed

SHOWN: Final = 60  # characters of a wrong value that a report shows
_NUMBERS: Final = frozenset({Kind.NUMBER, Kind.INTEGER, Kind.DATETIME})
_WORDS: Final = frozenset({Kind.CATEGORY, Kind.BOOLEAN})


class Mask:
    """Rows of which something is true, gathered from several columns."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._found: pl.Series | None = None

    def add(self, mask: pl.Series | None) -> None:
        """Add the rows of a mask; None adds none."""
        if mask is not None:
            self._found = mask if self._found is None else self._found | mask

    @property
    def count(self) -> int:
        """How many rows were added, each counted once."""
        return 0 if self._found is None else int(self._found.sum())


def profile_column(frame: pl.DataFrame, column: Column, bad: Mask, *, sketched: bool = True) -> ColumnProfile:
    """Return the profile of one column of a table.

    Parameters
    ----------
    frame
        The table as stored; it need not have the column.
    column
        The contract's.
    bad
        Gets the rows whose value is unreadable or outside.
    sketched
        Whether to make quantiles, which take half of the time.
    """
    if column.name not in frame.columns:
        return ColumnProfile(rows=frame.height, absent=frame.height)
    stored = frame[column.name]
    values, missing = typed(stored, column.kind)
    return profile_typed(stored, (values, missing), column, bad, sketched=sketched)


def profile_typed(
    stored: pl.Series, read: tuple[pl.Series, pl.Series], column: Column, bad: Mask, *, sketched: bool = True
) -> ColumnProfile:
    """Return the profile of a column that was read already: (values, mask of missing ones) as `typed` gives them."""
    values, missing = read
    numbers = moments(values) if column.kind in _NUMBERS else None
    counts = texts.by_value(_words(values)) if column.kind in _WORDS else None
    unreadable = values.is_null() & ~missing if values.null_count() > missing.sum() else None
    outside = _outside(values, column, numbers, counts or {})
    bad.add(unreadable)
    bad.add(outside)
    shown = None if column.private else stored
    counted = ColumnProfile(
        rows=len(values),
        missing=int(missing.sum()),
        unreadable=_examples(unreadable, shown),
        outside=_examples(outside, shown),
    )
    if column.private:
        return counted
    if counts is not None:
        return replace(counted, categories=sketch.categories(counts))
    if numbers is not None:
        quantiles = sketching.quantiles(values, numbers) if sketched else None
        return replace(counted, numbers=numbers, quantiles=quantiles)
    return replace(counted, lengths=moments(values.str.len_chars()))


def moments(values: pl.Series) -> Moments:
    """Return the moments of the values that are there (times as epoch seconds)."""
    return reduce(Moments.merge, map(counting.moments, counting.blocks(values)), Moments())


def _words(values: pl.Series) -> pl.Series:
    return values.cast(pl.String) if values.dtype == pl.Boolean else values


def _outside(values: pl.Series, column: Column, numbers: Moments | None, counts: Mapping[str, int]) -> pl.Series | None:
    """Return the mask of values that the contract does not allow; None when there is none."""
    tests = []
    if numbers is not None and numbers.min is not None and numbers.max is not None and column.kind is not Kind.DATETIME:
        if column.min is not None and numbers.min < column.min:
            tests.append(values < column.min)
        if column.max is not None and numbers.max > column.max:
            tests.append(values > column.max)
    allowed: Collection[str] = column.categories if column.categories is not None else counts.keys()
    if column.kind is Kind.CATEGORY and not counts.keys() <= set(allowed):
        tests.append(~values.is_in(list(allowed)))
    return reduce(or_, (test.fill_null(False) for test in tests)) if tests else None


def _examples(mask: pl.Series | None, stored: pl.Series | None) -> Examples:
    """The first rows of a mask with what `stored` holds there (None: a private column, of which nothing is told)."""
    if mask is None:
        return Examples()
    places = mask.arg_true().head(EXAMPLES)
    values = () if stored is None else tuple(str(value)[:SHOWN] for value in stored.gather(places).to_list())
    return Examples(count=int(mask.sum()), first=tuple(("", row + 1) for row in places.to_list()), values=values)
