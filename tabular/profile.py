"""A table -> its profile under a contract, column by column; and the hashes of its row ids.

One pass: each column is converted once, and everything about it is taken from the converted values.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import polars as pl

from lifecycle import sketch
from lifecycle.errors import DatasetRejected
from lifecycle.profile import EXAMPLES, ColumnProfile, Examples, Moments, Profile
from lifecycle.profile_file import ObjectProfile
from lifecycle.sketch import Categories, Quantiles, hash_of
from lifecycle.spec import Column, Contract, Kind
from tabular import raw
from tabular.convert import typed

NUMERIC: Final = frozenset({Kind.NUMBER, Kind.INTEGER, Kind.DATETIME})
MICROSECONDS: Final = 1_000_000
SHOWN: Final = 60  # characters of a wrong value that a report shows


def profile_file(path: Path, name: str, contract: Contract) -> tuple[ObjectProfile, pl.DataFrame]:
    """Profile one file; a file that cannot be read gets a profile that says why. Also returns its unique columns."""
    try:
        loaded = raw.load(path, name)
    except DatasetRejected as error:
        return ObjectProfile(refused=str(error)), pl.DataFrame()
    found = ObjectProfile(
        profile=profile_stored(loaded.frame, contract), form=loaded.form, columns=tuple(loaded.frame.columns)
    )
    return found, row_ids(loaded.frame, contract)


def profile_stored(frame: pl.DataFrame, contract: Contract) -> Profile:
    """Profile a table as it stands in a file (text or stored types); all its rows count."""
    bad = pl.repeat(False, frame.height, eager=True)
    columns = {}
    for column in contract.columns:
        if column.name not in frame.columns:
            columns[column.name] = ColumnProfile(rows=frame.height, absent=frame.height)
            continue
        values, missing = typed(frame[column.name], column.kind)
        unreadable = values.is_null() & ~missing
        outside = _outside(values, column)
        stored = None if column.private else frame[column.name]
        wrong = _examples(unreadable, stored), _examples(outside, stored)
        columns[column.name] = _column(values, missing, column, wrong)
        bad = bad | unreadable | outside
    extra = frozenset(frame.columns) - contract.by_name.keys()
    return Profile(rows=frame.height, bad_rows=int(bad.sum()), columns=columns, extra=extra)


def profile_frame(frame: pl.DataFrame, contract: Contract) -> Profile:
    """Profile a table that `tabular.read` returned, or a part of it: what a model was trained on."""
    return profile_stored(frame, contract)


def unique_columns(contract: Contract) -> list[str]:
    """Return the columns whose values must differ in every row: the id, and those marked unique."""
    return [column.name for column in contract.columns if column.unique or column.name == contract.id]


def row_ids(frame: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Return the 64-bit hashes of the unique columns, row by row; null where missing or unreadable."""
    return pl.DataFrame(
        [
            typed(frame[name], contract.by_name[name].kind)[0]
            .cast(pl.String)
            .map_elements(hash_of, return_dtype=pl.UInt64)
            .alias(name)
            for name in unique_columns(contract)
            if name in frame.columns
        ]
    )


def duplicates(parts: Iterable[tuple[str, pl.DataFrame]], column: str) -> Examples:
    """Return the rows whose value of a unique column occurred in an earlier row, over all objects (in name order)."""
    tables = [
        part.select(pl.col(column).alias("hash")).with_row_index("row", 1).with_columns(pl.lit(name).alias("object"))
        for name, part in sorted(parts, key=lambda part: part[0])
        if column in part.columns
    ]
    if not tables:
        return Examples()
    rows = pl.concat(tables).drop_nulls("hash")
    again = rows.filter(~rows["hash"].is_first_distinct())
    first = again.head(EXAMPLES).select("object", "row").rows()
    return Examples(count=again.height, first=tuple((name, row) for name, row in first))


def _column(values: pl.Series, missing: pl.Series, column: Column, wrong: tuple[Examples, Examples]) -> ColumnProfile:
    unreadable, outside = wrong
    counted = ColumnProfile(rows=len(values), missing=int(missing.sum()), unreadable=unreadable, outside=outside)
    if column.private:
        return counted
    present = values.drop_nulls()
    return ColumnProfile(
        rows=counted.rows,
        missing=counted.missing,
        unreadable=unreadable,
        outside=outside,
        numbers=_moments(_numbers(present)) if column.kind in NUMERIC else None,
        quantiles=_quantiles(_numbers(present)) if column.kind in NUMERIC else None,
        categories=_categories(present) if column.kind in (Kind.CATEGORY, Kind.BOOLEAN) else None,
        lengths=_moments(present.str.len_chars().cast(pl.Float64)) if column.kind in (Kind.TEXT, Kind.ID) else None,
    )


def _outside(values: pl.Series, column: Column) -> pl.Series:
    outside = pl.repeat(False, len(values), eager=True)
    if column.kind in (Kind.NUMBER, Kind.INTEGER):
        if column.min is not None:
            outside = outside | (values < column.min)
        if column.max is not None:
            outside = outside | (values > column.max)
    if column.categories is not None and column.kind is Kind.CATEGORY:
        outside = outside | ~values.is_in(column.categories)
    return outside.fill_null(False)


def _examples(mask: pl.Series, stored: pl.Series | None) -> Examples:
    """The first rows of a mask with what `stored` holds there (None: a private column, of which nothing is told)."""
    places = mask.arg_true().head(EXAMPLES)
    values = () if stored is None else tuple(str(value)[:SHOWN] for value in stored.gather(places).to_list())
    return Examples(count=int(mask.sum()), first=tuple(("", row + 1) for row in places.to_list()), values=values)


def _numbers(values: pl.Series) -> pl.Series:
    if values.dtype == pl.Datetime:
        return values.dt.epoch("us").cast(pl.Float64) / MICROSECONDS
    return values.cast(pl.Float64)


def _moments(numbers: pl.Series) -> Moments:
    if numbers.is_empty():
        return Moments()
    mean = numbers.mean()
    low, high = numbers.min(), numbers.max()
    assert isinstance(mean, float)
    assert isinstance(low, float)
    assert isinstance(high, float)
    squares = float(((numbers - mean) ** 2).sum())
    return Moments(count=len(numbers), mean=mean, squares=squares, min=low, max=high)


def _quantiles(numbers: pl.Series) -> Quantiles:
    """Count the numbers by their ordered bits (`lifecycle.sketch.bits_of`), dropping low bits before counting."""
    bits = numbers.to_frame("c").select(pl.col("c").reinterpret(dtype=pl.Int64)).to_series()
    size = bits & ((1 << 63) - 1)
    ordered = pl.select(pl.when(bits >= 0).then(bits).otherwise(-size)).to_series()
    shift, places = 0, ordered.unique()
    while len(places) > sketch.BINS:
        # most columns of a large file need some forty steps: four at a time, the last ones exactly by `coarsened`
        wider = (places // 16).unique()
        if len(wider) <= sketch.BINS:
            break
        shift, places = shift + 4, wider
    counted = (ordered // (1 << shift)).value_counts(name="rows")
    return sketch.coarsened(shift, dict(counted.rows()))


def _categories(values: pl.Series) -> Categories:
    texts = values.cast(pl.String) if values.dtype == pl.Boolean else values
    counted = texts.alias("value").value_counts(name="rows")
    return sketch.categories(dict(counted.rows()))
