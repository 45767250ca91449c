"""A file of a dataset -> its table as it stands: CSV cells as text, Parquet columns as stored.

Everything that would make a reader guess is refused by name: bad encoding, rows of the wrong length, doubled headers.
"""

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import polars as pl

from lifecycle import formats
from lifecycle.errors import DatasetRejected
from lifecycle.formats import Format

DELIMITERS: Final = ",;\t|"
SNIFFED_RECORDS: Final = 50
SHOWN_ROWS: Final = 5
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Raw:
    """A file's table and how it was stored."""

    frame: pl.DataFrame
    form: Format


def load(path: Path, name: str, wanted: Collection[str] | None = None) -> Raw:
    """Read one file by its content; `name` is the object's, for messages.

    Of Parquet, columns other than the `wanted` ones are left alone if any of these is there.

    Raises
    ------
    DatasetRejected
        when the file is empty, has a header only, is not UTF-8, is cut off, is larger than `lifecycle.formats` allows,
        has doubled or empty column names, or rows with another number of fields than the header.
    """
    form = form_of(path, name)
    if form is Format.PARQUET:
        frame = _parquet(path, name, wanted)
    else:
        frame = _csv(_unpacked(path, name) if form is Format.CSV_GZ else path.read_bytes(), name)
    if frame.height == 0:
        raise _rowless(name)
    return Raw(frame, form)


def form_of(path: Path, name: str) -> Format:
    """Return a file's format by its content. Raises DatasetRejected when it is larger than may be read."""
    formats.require_size(name, path.stat().st_size)
    with path.open("rb") as file:
        return formats.of_content(file.read(4))


def parquet_header(path: Path, name: str) -> tuple[list[str], int]:
    """Return the column names and the number of rows of a Parquet file, without reading any. Raises as `load` does."""
    try:
        scanned = pl.scan_parquet(path, glob=False)
        columns, rows = scanned.collect_schema().names(), scanned.select(pl.len()).collect().item()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _unreadable(name, error) from error
    _require_names(columns, name)
    if rows == 0:
        raise _rowless(name)
    return columns, rows


def parquet_column(path: Path, name: str, column: str) -> pl.Series:
    """Return one column of a Parquet file. Raises DatasetRejected when it is damaged."""
    try:
        return pl.read_parquet(path, columns=[column], glob=False)[column]
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _unreadable(name, error) from error


def _parquet(path: Path, name: str, wanted: Collection[str] | None) -> pl.DataFrame:
    columns, _ = parquet_header(path, name)
    kept = [column for column in columns if wanted is None or column in wanted]
    try:
        return pl.read_parquet(path, columns=kept or columns, glob=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _unreadable(name, error) from error


def _unreadable(name: str, error: Exception) -> DatasetRejected:
    return DatasetRejected(f"{name} is not readable as Parquet: {error}. Write it again.")


def _rowless(name: str) -> DatasetRejected:
    return DatasetRejected(f"{name} has a header but no rows. Delete it, or upload its rows.")


def _unpacked(path: Path, name: str) -> bytes:
    parts, size = [], 0
    try:
        with gzip.open(path) as file:
            while chunk := file.read(_CHUNK):
                parts.append(chunk)
                size += len(chunk)
                if size > formats.UNPACKED_BYTES:
                    raise DatasetRejected(
                        f"{name} has more than {formats.UNPACKED_BYTES} bytes unpacked. Split it into smaller files."
                    )
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DatasetRejected(f"{name} is a damaged or cut-off gzip file ({error}). Upload it again.") from error
    return b"".join(parts)


def _csv(data: bytes, name: str) -> pl.DataFrame:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise DatasetRejected(f"{name} is UTF-16; only UTF-8 is read. Save it as UTF-8.")
    data = data.removeprefix(codecs.BOM_UTF8).lstrip(b"\r\n")
    if not data.strip():
        raise DatasetRejected(f"{name} is empty. Delete it, or upload its rows.")
    _require_utf8(data, name)
    delimiter = _delimiter(data)
    header = [column.strip() for column in _records(data, delimiter, 1)[0]]
    _require_names(header, name)
    _require_even(data, delimiter, len(header), name)
    try:
        frame = pl.read_csv(data, separator=delimiter, infer_schema=False, has_header=False, skip_rows=0)
    except pl.exceptions.PolarsError as error:
        raise DatasetRejected(f"{name} is not readable as CSV: {error}") from error
    frame = frame.slice(1).rename(dict(zip(frame.columns, header, strict=True)))
    if frame.width > 1 and (b"\n\n" in data or b"\n\r\n" in data):
        frame = frame.filter(~pl.all_horizontal(pl.all().is_null()))
    return frame


def _require_utf8(data: bytes, name: str) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(data), _CHUNK):
        chunk = data[start : start + _CHUNK]
        try:
            decoder.decode(chunk, final=start + _CHUNK >= len(data))
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, start + max(error.start, 0)) + 1
            raise DatasetRejected(f"{name}, near line {line}: not UTF-8 ({error.reason}). Save it as UTF-8.") from error


def _records(data: bytes, delimiter: str, most: int) -> list[list[str]]:
    """Return the first records that are not blank."""
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="")
    return list(islice(filter(None, csv.reader(text, delimiter=delimiter)), most))


def _delimiter(data: bytes) -> str:
    """Return the delimiter that cuts the first records into the same, largest number of fields."""

    def fit(delimiter: str) -> tuple[bool, int]:
        widths = [len(record) for record in _records(data, delimiter, SNIFFED_RECORDS)]
        return widths[0] > 1 and len(set(widths)) == 1, widths[0]

    return max(DELIMITERS, key=fit)


def _require_names(header: list[str], name: str) -> None:
    doubled = sorted({column for column in header if header.count(column) > 1})
    if "" in header:
        raise DatasetRejected(
            f"{name}: column {header.index('') + 1} of the header has no name. Name it, or remove it."
        )
    if doubled:
        raise DatasetRejected(f"{name}: the header names {', '.join(doubled)} more than once. Rename the columns.")


def _require_even(data: bytes, delimiter: str, width: int, name: str) -> None:
    """Refuse rows with more or fewer fields than the header; a reader would fill or cut them without a word."""
    rows = _uneven_quoted(data, delimiter, width) if b'"' in data else _uneven_plain(data, delimiter, width)
    if rows:
        shown = ", ".join(str(row) for row in rows[:SHOWN_ROWS])
        more = " and more" if len(rows) > SHOWN_ROWS else ""
        raise DatasetRejected(
            f"{name}: the header has {width} fields, row {shown}{more} (header not counted) another number. "
            "Quote fields that hold the delimiter."
        )


def _uneven_plain(data: bytes, delimiter: str, width: int) -> list[int]:
    lines = (line for line in io.BytesIO(data) if line.strip(b"\r\n "))
    sought, wanted = delimiter.encode(), width - 1
    uneven = (number for number, line in enumerate(lines) if line.count(sought) != wanted)
    return list(islice(uneven, SHOWN_ROWS + 1))


def _uneven_quoted(data: bytes, delimiter: str, width: int) -> list[int]:
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="")
    records = filter(None, csv.reader(text, delimiter=delimiter))
    uneven = (number for number, record in enumerate(records) if len(record) != width)
    return list(islice(uneven, SHOWN_ROWS + 1))
