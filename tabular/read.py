"""Files of a data version + contract -> one typed table, in the contract's columns and order.

number Float64, integer Int64, boolean Boolean, datetime Datetime (microseconds, UTC), everything else String. What is
missing or unreadable is null; a column that a file does not have is filled with its default, or null.
"""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from lifecycle import formats
from lifecycle.errors import DatasetRejected
from lifecycle.spec import Column, Contract
from tabular import giving_way, raw
from tabular.convert import DTYPES, typed


def read_objects(objects: Sequence[tuple[Path, str]], contract: Contract) -> pl.DataFrame:
    """Read files given as (where it lies, its original name), rows in the order of the files.

    Rows that came by feedback give way to others of the same id (`tabular.giving_way`).

    Raises
    ------
    DatasetRejected
        when there is no file, a file cannot be read (see `tabular.raw.load`), or its name promises another format.
    """
    if not objects:
        raise DatasetRejected("the data version has no objects. Upload at least one file.")
    return giving_way.joined([(name, read_object(path, name, contract)) for path, name in objects], contract)


def read_object(path: Path, name: str, contract: Contract) -> pl.DataFrame:
    """Read one file; raises as `read_objects` does."""
    formats.of_name(name)
    loaded = raw.load(path, name, contract.by_name)
    formats.require_match(name, loaded.form)
    return typed_frame(loaded.frame, contract)


def typed_frame(frame: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Return a stored table in the contract's columns and types."""
    return pl.DataFrame([_column(frame, column) for column in contract.columns])


def _column(frame: pl.DataFrame, column: Column) -> pl.Series:
    if column.name in frame.columns:
        return typed(frame[column.name], column.kind)[0].alias(column.name)
    default = None if column.default is None else pl.Series([_as_text(column.default)])
    if default is None:
        return pl.Series(column.name, [None], dtype=DTYPES[column.kind]).new_from_index(0, frame.height)
    return typed(default, column.kind)[0].alias(column.name).new_from_index(0, frame.height)


def _as_text(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
