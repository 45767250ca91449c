"""A stored column -> the contract's type: what counts as missing, and what cannot be read.

Text is read as people write it: numbers and times may have spaces around them, and `NA`, `N/A`, `null` or `None` stand
for missing in them; in a category, text or id only the empty text does (Namibia is `NA`). NaN and infinities are no
numbers: they cannot be read.
"""

from math import isfinite
from typing import Final

import polars as pl

from lifecycle.spec import Kind

MISSING: Final = ("", "NA", "N/A", "null", "NULL", "None")
TRUE: Final = ("true", "t", "yes", "y", "1", "1.0")
FALSE: Final = ("false", "f", "no", "n", "0", "0.0")
TIMES: Final = (
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
)
DTYPES: Final = {
    Kind.NUMBER: pl.Float64(),
    Kind.INTEGER: pl.Int64(),
    Kind.BOOLEAN: pl.Boolean(),
    Kind.CATEGORY: pl.String(),
    Kind.TEXT: pl.String(),
    Kind.ID: pl.String(),
    Kind.DATETIME: pl.Datetime("us", "UTC"),
}
_EXACT: Final = 2.0**53


def typed(column: pl.Series, kind: Kind) -> tuple[pl.Series, pl.Series]:
    """Return (values with the kind's type, null where missing or unreadable; mask of the missing ones)."""
    source = column.cast(pl.String) if column.dtype in (pl.Categorical, pl.Enum) else column
    if source.dtype == pl.Null:
        return pl.Series(column.name, [None] * len(column), dtype=DTYPES[kind]), source.is_null()
    if source.dtype == pl.String:
        return _from_text(source, kind)
    # a sum is finite only if every number is; the few that overflow it are told apart one by one below
    if source.dtype == pl.Float64 and kind is Kind.NUMBER and isfinite(source.sum()):
        return source, source.is_null()
    frame = source.to_frame("c")
    read = _from_stored(source.dtype, kind).cast(DTYPES[kind]).alias(column.name)
    return frame.select(read).to_series(), source.is_null()


def _from_text(column: pl.Series, kind: Kind) -> tuple[pl.Series, pl.Series]:
    if kind in (Kind.CATEGORY, Kind.TEXT, Kind.ID):
        if any(part.str.len_bytes().min() == 0 for part in column.get_chunks()):
            column = column.set(column.str.len_bytes() == 0, None)
        return column, column.is_null()
    frame = column.to_frame("c").select(pl.col("c").str.strip_chars())
    text = pl.col("c")
    found = frame.select(_read(text, kind).alias("read"), (text.is_null() | text.is_in(MISSING)).alias("missing"))
    return found["read"].set(found["missing"], None).alias(column.name), found["missing"]


def _read(text: pl.Expr, kind: Kind) -> pl.Expr:
    if kind is Kind.NUMBER:
        return _finite(text.cast(pl.Float64, strict=False))
    if kind is Kind.INTEGER:
        return pl.coalesce(text.cast(pl.Int64, strict=False), _whole(text.cast(pl.Float64, strict=False)))
    if kind is Kind.BOOLEAN:
        lowered = text.str.to_lowercase()
        return pl.when(lowered.is_in(TRUE)).then(True).when(lowered.is_in(FALSE)).then(False)
    return pl.coalesce(*(text.str.to_datetime(form, strict=False, time_unit="us", time_zone="UTC") for form in TIMES))


def _from_stored(dtype: pl.DataType, kind: Kind) -> pl.Expr:
    column = pl.col("c")
    if kind is Kind.DATETIME:
        return _moment(dtype)
    if kind in (Kind.CATEGORY, Kind.TEXT, Kind.ID):
        return _words(dtype)
    if not (dtype.is_numeric() or dtype == pl.Boolean):
        return _nothing(kind)
    number = column.cast(pl.Float64)
    if kind is Kind.NUMBER:
        return _finite(number)
    if kind is Kind.INTEGER:
        return column.cast(pl.Int64, strict=False) if dtype.is_integer() or dtype == pl.Boolean else _whole(number)
    return pl.when(number == 1).then(True).when(number == 0).then(False)


def _moment(dtype: pl.DataType) -> pl.Expr:
    column = pl.col("c")
    if dtype == pl.Date:
        return column.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if isinstance(dtype, pl.Datetime):
        zoned = column.dt.cast_time_unit("us")
        return zoned.dt.replace_time_zone("UTC") if dtype.time_zone is None else zoned.dt.convert_time_zone("UTC")
    return _nothing(Kind.DATETIME)


def _words(dtype: pl.DataType) -> pl.Expr:
    column = pl.col("c")
    if dtype.is_float():
        return pl.coalesce(_whole(column.cast(pl.Float64)).cast(pl.String), _finite(column).cast(pl.String))
    if isinstance(dtype, pl.Datetime):
        return column.dt.strftime("%Y-%m-%dT%H:%M:%S")
    wordless = dtype.is_nested() or dtype in (pl.Binary, pl.Object, pl.Duration)
    return _nothing(Kind.TEXT) if wordless else column.cast(pl.String)


def _nothing(kind: Kind) -> pl.Expr:
    """Nothing of this stored type can be read as the kind: every value is unreadable."""
    return pl.when(pl.col("c").is_null()).then(None).otherwise(None).cast(DTYPES[kind]).alias("c")


def _finite(number: pl.Expr) -> pl.Expr:
    return pl.when(number.is_finite()).then(number)


def _whole(number: pl.Expr) -> pl.Expr:
    exact = number.is_finite() & (number == number.floor()) & (number.abs() <= _EXACT)
    return pl.when(exact).then(number).cast(pl.Int64, strict=False)
