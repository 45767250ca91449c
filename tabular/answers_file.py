"""Answers of one hour <-> Parquet, so that a label that comes late finds its prediction without the log."""

import io

import polars as pl

from tabular.logged_rows import ID


def to_bytes(answers: pl.DataFrame) -> bytes:
    """Return the file."""
    file = io.BytesIO()
    answers.write_parquet(file, compression="zstd", compression_level=3)
    return file.getvalue()


def read(body: bytes) -> pl.DataFrame:
    """Return the rows of a file."""
    return pl.read_parquet(io.BytesIO(body))


def ids(body: bytes) -> frozenset[bytes]:
    """Return the ids of a file, those of copies as well."""
    return frozenset(pl.read_parquet(io.BytesIO(body), columns=[ID])[ID].to_list())
