"""A file of labels -> items of feedback: a table (CSV, CSV.gz, Parquet) or one JSON object per line (JSONL, JSONL.gz).

A table has the columns prediction_id and label, and may have time and correct; others are left alone. Its labels are
read as the training data's target column is. Rows count from 1, the header not counted.
"""

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl

from lifecycle import formats
from lifecycle.errors import DatasetRejected
from lifecycle.feedback_items import CORRECT, FIELDS, IDENTITY, LABEL, TIME, Item, ItemReader, Wrong
from lifecycle.schema import Contract, Kind
from tabular import raw
from tabular.convert import typed

ROWS: Final = 200_000
LINE_BYTES: Final = 1 << 20
LINES: Final = (".jsonl", ".jsonl.gz")
ENDINGS: Final = (".csv", ".csv.gz", ".parquet", *LINES)


def read(path: Path, name: str, contract: Contract) -> tuple[list[Item], list[Wrong]]:
    """Return the items of a file, and the rows that are none.

    Raises
    ------
    DatasetRejected
        when the file as a whole cannot be read: another format, damaged, too large, more than `ROWS` rows, without
        the columns.
    """
    if not name.lower().endswith(ENDINGS):
        raise DatasetRejected(
            f"{name}: a file of labels ends in {', '.join(ENDINGS)}. Convert it, and upload it again."
        )
    formats.require_size(name, path.stat().st_size)
    reader = ItemReader(contract, strict=False)
    items: list[Item] = []
    wrong: list[Wrong] = []
    rows = _lines(path, name) if name.lower().endswith(LINES) else _rows(path, name, contract)
    for place, value in rows:
        if place > ROWS:
            raise DatasetRejected(f"{name} has more than {ROWS:,} rows. Split it into smaller files.")
        found = value if isinstance(value, Wrong) else reader.item(place, value)
        (items if isinstance(found, Item) else wrong).append(found)  # type: ignore[arg-type]
    if not items and not wrong:
        raise DatasetRejected(f"{name} holds no labels. Delete it, or upload them.")
    return items, wrong


def _rows(path: Path, name: str, contract: Contract) -> Iterator[tuple[int, dict[str, Any]]]:
    loaded = raw.load(path, name)
    formats.require_match(name, loaded.form)
    frame = loaded.frame
    if lacking := [column for column in (IDENTITY, LABEL) if column not in frame.columns]:
        shown = ", ".join(frame.columns[:20])
        raise DatasetRejected(f"{name} has no column {' and no column '.join(lacking)}; it has: {shown}")
    if frame.height > ROWS:
        raise DatasetRejected(f"{name} has {frame.height:,} rows; one file may have {ROWS:,}. Split it.")
    kinds = {
        IDENTITY: Kind.ID,
        LABEL: contract.by_name[contract.target].kind,
        TIME: Kind.DATETIME,
        CORRECT: Kind.BOOLEAN,
    }
    columns = [_column(frame[field], kinds[field]) for field in FIELDS if field in frame.columns]
    names = [field for field in FIELDS if field in frame.columns]
    for place, row in enumerate(zip(*columns, strict=True), 1):
        yield place, dict(zip(names, row, strict=True))


def _column(stored: pl.Series, kind: Kind) -> list[Any]:
    """Values as JSON has them; what cannot be read as the kind stays text, so that it is refused by its row."""
    values, missing = typed(stored, kind)
    if kind is Kind.DATETIME:
        values = values.dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    read = values.to_list()
    unreadable = (values.is_null() & ~missing).arg_true()
    for place in unreadable:
        read[place] = str(stored[place])[:100]
    return read


def _lines(path: Path, name: str) -> Iterator[tuple[int, Any]]:
    packed = name.lower().endswith(".gz")
    place = size = 0
    try:
        with gzip.open(path) if packed else path.open("rb") as opened:
            while line := opened.readline(LINE_BYTES + 1):
                place += 1
                size += len(line)
                if len(line) > LINE_BYTES:
                    raise DatasetRejected(
                        f"{name}, line {place}: longer than {LINE_BYTES} bytes. Write one label a line."
                    )
                if size > formats.UNPACKED_BYTES:
                    raise DatasetRejected(f"{name} has more than {formats.UNPACKED_BYTES} bytes unpacked. Split it.")
                if line.strip():
                    yield place, _value(place, line)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DatasetRejected(f"{name} is a damaged or cut-off gzip file ({error}). Upload it again.") from error


def _value(place: int, line: bytes) -> Any:
    try:
        return json.loads(line, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:  # not UTF-8 is a ValueError, too
        return Wrong(place=place, prediction_id=None, message=f"is not JSON: {str(error)[:100]}")


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON value")
