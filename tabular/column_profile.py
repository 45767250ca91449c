"""One stored column -> its profile under the contract: converted once, a mask of rows made only where it is needed."""

from dataclasses import replace
from functools import reduce
from operator import or_
from typing import Final

import polars as pl

from lifecycle import sketch
from lifecycle.profile import EXAMPLES, ColumnProfile, Examples
from lifecycle.schema import Column, Kind
from tabular import sketching
from tabular.convert import typed
from tabular.look import NUMBERS, Look, look

SHOWN: Final = 60  # characters of a wrong value that a report shows


class Mask:
    """Rows of which something is true, gathered from several columns."""

    def __init__(self) -> None:
        self.found: pl.Series | None = None

    def add(self, mask: pl.Series | None) -> None:
        """Add the rows of a mask; None adds none."""
        if mask is not None:
            self.found = mask if self.found is None else self.found | mask

    @property
    def count(self) -> int:
        """How many rows were added, each counted once."""
        return 0 if self.found is None else int(self.found.sum())


def profile_column(frame: pl.DataFrame, column: Column, bad: Mask) -> ColumnProfile:
    """Return the profile of one column of a table, which need not have it; bad rows are added to `bad`."""
    if column.name not in frame.columns:
        return ColumnProfile(rows=frame.height, absent=frame.height)
    stored = frame[column.name]
    values, missing = typed(stored, column.kind)
    found = look(values, column.kind)
    profile = profile_of(stored, (values, missing), column, found, bad)
    return profile if found.numbers is None else sketched(profile, values)


def profile_of(
    stored: pl.Series, read: tuple[pl.Series, pl.Series], column: Column, found: Look, bad: Mask
) -> ColumnProfile:
    """Return the profile of a column that was read and looked at already, but for quantiles.

    Parameters
    ----------
    stored
        The column as it stands in the file; reports show what stands there.
    read
        Values and the mask of missing ones, as `tabular.convert.typed` returns them.
    column
        The contract's.
    found
        What was seen of the values.
    bad
        Gets the rows whose value is unreadable or outside.
    """
    values, missing = read
    unreadable = values.is_null() & ~missing if values.null_count() > missing.sum() else None
    outside = _outside(values, column, found)
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
    if found.counts is not None:
        return replace(counted, categories=sketch.categories(found.counts))
    if found.numbers is not None:
        return replace(counted, numbers=found.numbers)
    return replace(counted, lengths=look(values.str.len_chars(), Kind.INTEGER).numbers)


def sketched(profile: ColumnProfile, values: pl.Series) -> ColumnProfile:
    """Return the profile of a column of numbers or times with its quantiles; a private one as it is."""
    if profile.numbers is None:
        return profile
    return replace(profile, quantiles=sketching.quantiles(values, profile.numbers))


def _outside(values: pl.Series, column: Column, found: Look) -> pl.Series | None:
    """Return the mask of values that the contract does not allow; None when there is none."""
    tests = []
    numbers = found.numbers
    if column.kind in NUMBERS and numbers is not None and numbers.min is not None and numbers.max is not None:
        if column.min is not None and numbers.min < column.min:
            tests.append(values < column.min)
        if column.max is not None and numbers.max > column.max:
            tests.append(values > column.max)
    allowed = column.categories if column.kind is Kind.CATEGORY else None
    if allowed is not None and found.counts is not None and not found.counts.keys() <= set(allowed):
        tests.append(~values.is_in(list(allowed)))
    return reduce(or_, (test.fill_null(False) for test in tests)) if tests else None


def _examples(mask: pl.Series | None, stored: pl.Series | None) -> Examples:
    """The first rows of a mask with what `stored` holds there (None: a private column, of which nothing is told)."""
    if mask is None:
        return Examples()
    places = mask.arg_true().head(EXAMPLES)
    values = () if stored is None else tuple(str(value)[:SHOWN] for value in stored.gather(places).to_list())
    return Examples(count=int(mask.sum()), first=tuple(("", row + 1) for row in places.to_list()), values=values)
