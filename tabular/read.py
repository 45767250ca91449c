"""Files of a data version + contract -> one typed table, in the contract's columns and order.

number Float64, integer Int64, boolean Boolean, datetime Datetime (microseconds, UTC), everything else String. What is
missing or unreadable is null; a column that a file does not have is filled with its default, or null.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from lifecycle import formats
from lifecycle.errors import DatasetRejected
from lifecycle.spec import Column, Contract
from tabular import giving_way, raw
from tabular.convert import DTYPES, typed

ROWS_TOGETHER: Final = 100_000
"""Rows of small files that are converted at once: a conversion costs ten milliseconds, however few they are."""


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
    parts = [part for together in _together(objects, contract) for part in _typed(together, contract)]
    return giving_way.joined(parts, contract)


def _together(objects: Sequence[tuple[Path, str]], contract: Contract) -> Iterator[list[tuple[str, pl.DataFrame]]]:
    """Yield stored tables, with their names, of files in a row that are alike and small; of a large one, its own."""
    found: list[tuple[str, pl.DataFrame]] = []
    rows = 0
    for path, name in objects:
        frame = _stored(path, name, contract)
        if found and frame.schema != found[-1][1].schema:
            yield found
            found, rows = [], 0
        found.append((name, frame))
        rows += frame.height
        if rows >= ROWS_TOGETHER:
            yield found
            found, rows = [], 0  # before the next one is read: large files are not held two at a time
    if found:
        yield found


def _typed(together: Sequence[tuple[str, pl.DataFrame]], contract: Contract) -> Iterator[tuple[str, pl.DataFrame]]:
    whole, start = typed_frame(pl.concat([frame for _, frame in together]), contract), 0
    for name, frame in together:
        yield name, whole.slice(start, frame.height)
        start += frame.height


def _stored(path: Path, name: str, contract: Contract) -> pl.DataFrame:
    formats.of_name(name)
    loaded = raw.load(path, name, contract.by_name)
    formats.require_match(name, loaded.form)
    return loaded.frame


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
