"""A table -> its profile under a contract, column by column; and the hashes of its row ids."""

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from lifecycle.errors import DatasetRejected
from lifecycle.formats import Format
from lifecycle.profile import EXAMPLES, Examples, Profile
from lifecycle.profile_file import ObjectProfile
from lifecycle.spec import Contract
from tabular import raw, texts
from tabular.column_profile import Mask, profile_column
from tabular.convert import typed
from tabular.one_pass import OnePass


def profile_file(path: Path, name: str, contract: Contract) -> tuple[ObjectProfile, pl.DataFrame]:
    """Profile one file; a file that cannot be read gets a profile that says why. Also returns its unique columns."""
    try:
        form = raw.form_of(path, name)
        return _parquet(path, name, contract) if form is Format.PARQUET else _table(path, name, contract)
    except DatasetRejected as error:
        return ObjectProfile(refused=str(error)), pl.DataFrame()


def _table(path: Path, name: str, contract: Contract) -> tuple[ObjectProfile, pl.DataFrame]:
    loaded = raw.load(path, name)
    profile = profile_stored(loaded.frame, contract)
    found = ObjectProfile(profile=profile, form=loaded.form, columns=tuple(loaded.frame.columns))
    return found, row_ids(loaded.frame, contract)


def _parquet(path: Path, name: str, contract: Contract) -> tuple[ObjectProfile, pl.DataFrame]:
    """Profile a file that can be read column by column: memory is that of two columns."""
    counted = OnePass(path, name, contract)
    found = ObjectProfile(profile=counted.profile(), form=Format.PARQUET, columns=tuple(counted.columns))
    kept = [column for column in unique_columns(contract) if column in counted.columns]
    return found, row_ids(pl.DataFrame([raw.parquet_column(path, name, column) for column in kept]), contract)


def profile_stored(frame: pl.DataFrame, contract: Contract) -> Profile:
    """Profile a table as it stands in a file (text or stored types); all its rows count."""
    bad = Mask()
    columns = {column.name: profile_column(frame, column, bad) for column in contract.columns}
    extra = frozenset(frame.columns) - contract.by_name.keys()
    return Profile(rows=frame.height, bad_rows=bad.count, columns=columns, extra=extra)


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
            texts.hashed(typed(frame[name], contract.by_name[name].kind)[0].cast(pl.String)).alias(name)
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
