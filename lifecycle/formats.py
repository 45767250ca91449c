"""Which files a dataset may hold, told by name and by content, and how large one may be.

Content decides how a file is read, so that equal bytes have equal profiles; a name that says something else is refused.
"""

from enum import StrEnum
from typing import Final

from lifecycle.errors import DatasetRejected

STORED_BYTES: Final = 256 * 1024 * 1024
UNPACKED_BYTES: Final = 512 * 1024 * 1024


class Format(StrEnum):
    """How an object's bytes are read."""

    CSV = "csv"
    CSV_GZ = "csv.gz"
    PARQUET = "parquet"


def of_name(name: str) -> Format:
    """Return the format that a file name promises. Raises DatasetRejected when its ending is not one we read.

    >>> of_name("2013/January.CSV.gz").value
    'csv.gz'
    """
    lowered = name.lower()
    for form in Format:
        if lowered.endswith(f".{form}"):
            return form
    endings = ", ".join(f".{form}" for form in Format)
    raise DatasetRejected(f"{name}: only files that end in {endings} are read. Convert it, or delete it.")


def of_content(head: bytes) -> Format:
    """Return the format that a file's first bytes show: gzip's and Parquet's own marks, else CSV."""
    if head.startswith(b"\x1f\x8b"):
        return Format.CSV_GZ
    return Format.PARQUET if head.startswith(b"PAR1") else Format.CSV


def require_match(name: str, found: Format) -> None:
    """Raise DatasetRejected when a file's name promises another format than its content shows."""
    promised = of_name(name)
    if promised is not found:
        raise DatasetRejected(f"{name}: the name says {promised}, the content is {found}. Rename or convert it.")


def require_size(name: str, size: int) -> None:
    """Raise DatasetRejected when a stored object is larger than one function can read."""
    if size > STORED_BYTES:
        raise DatasetRejected(
            f"{name} has {size} bytes; one file may have {STORED_BYTES}. Split it into smaller files, or gzip it."
        )
