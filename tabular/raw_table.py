"""A file of unknown shape -> a table of text (CSV) or of its own types (Parquet), for looking at it first.

Reading data under a contract is `tabular.read`; here nothing is known yet but the bytes.
"""

import csv
import gzip
import io
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from lifecycle.errors import DatasetRejected

DELIMITERS: Final = ",;\t|"
ROWS_READ: Final = 200_000
SNIFFED_BYTES: Final = 65_536


@dataclass(frozen=True, kw_only=True)
class RawTable:
    """The first rows of a file. `delimiter` is None for Parquet; `cut` says that the file goes on."""

    frame: pl.DataFrame
    delimiter: str | None
    cut: bool


def read(path: Path) -> RawTable:
    """Return the first `ROWS_READ` rows of a CSV (also .gz) or Parquet file.

    Raises
    ------
    DatasetRejected
        when the file does not exist, is empty, has a header only, has no or repeated column names, is damaged, or is
        neither UTF-8 text nor Parquet.
    """
    if not path.is_file():
        raise DatasetRejected(f"{path} is not a file")
    try:
        if path.suffix.lower() == ".parquet":
            frame, delimiter = pl.read_parquet(path, n_rows=ROWS_READ + 1), None
        else:
            frame, delimiter = _csv(path)
    except (pl.exceptions.PolarsError, OSError, EOFError, zlib.error) as error:
        raise DatasetRejected(f"{path.name} cannot be read: {str(error).splitlines()[0]}") from error
    if not frame.height:
        raise DatasetRejected(f"{path.name} has a header only: there is nothing to look at")
    return RawTable(frame=frame.head(ROWS_READ), delimiter=delimiter, cut=frame.height > ROWS_READ)


def delimiter_of(head: str) -> str:
    r"""Return what separates the columns of a CSV that begins with `head`: the candidate with the most columns.

    >>> delimiter_of('a;b\n"1,5";2\n')
    ';'
    """
    lines = [line for line in head.splitlines() if line.strip()][:20]

    def columns(delimiter: str) -> tuple[int, int]:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        return (sum(width == widths[0] for width in widths) if widths[0] > 1 else 0, widths[0])

    return max(DELIMITERS, key=columns) if lines else ","


def _csv(path: Path) -> tuple[pl.DataFrame, str]:
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    if not data.strip():
        raise DatasetRejected(f"{path.name} is empty")
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        # the last line of the sample may be cut inside a character
        head = data[:SNIFFED_BYTES].rpartition(b"\n")[0].decode() or data[:SNIFFED_BYTES].decode()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DatasetRejected(f"{path.name} is not UTF-8 (line {line}): save it as UTF-8 first") from error
    delimiter = delimiter_of(head)
    names = next(csv.reader(io.StringIO(head), delimiter=delimiter))
    unnamed = [number for number, name in enumerate(names, 1) if not name.strip()]
    if unnamed:
        raise DatasetRejected(f"{path.name}: column {unnamed[0]} has no name; the first line must name every column")
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DatasetRejected(f"{path.name} names columns twice: {', '.join(repeated)}")
    frame = pl.read_csv(data, separator=delimiter, infer_schema=False, n_rows=ROWS_READ + 1)
    return frame, delimiter
