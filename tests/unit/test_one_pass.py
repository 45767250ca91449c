"""A Parquet file read column by column has the profile and the tally of the table read at once."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lifecycle.errors import DatasetRejected
from lifecycle.profile import Moments, Profile
from lifecycle.reference import Reference
from lifecycle.spec import Column, Contract, Kind, Task
from tabular.one_pass import OnePass
from tabular.profile import profile_file, profile_stored
from tabular.reference import column_reference, column_references
from tabular.tally import tally_of

CONTRACT = Contract(
    task=Task.BINARY,
    target="late",
    columns=(
        Column(name="row", kind=Kind.ID),
        Column(name="size", kind=Kind.NUMBER, min=0, max=50),
        Column(name="count", kind=Kind.INTEGER),
        Column(name="town", kind=Kind.CATEGORY, categories=("Köln", "Bonn")),
        Column(name="member", kind=Kind.BOOLEAN),
        Column(name="at", kind=Kind.DATETIME),
        Column(name="secret", kind=Kind.CATEGORY, private=True, categories=("a",)),
        Column(name="gone", kind=Kind.NUMBER),
        Column(name="late", kind=Kind.BOOLEAN),
    ),
    positive="true",
    id="row",
)


def table(rows: int = 300) -> pl.DataFrame:
    chance = np.random.default_rng(3)
    return pl.DataFrame(
        {
            "row": [f"r{n}" for n in range(rows)],
            "size": [None if n % 50 == 0 else float(x) for n, x in enumerate(chance.lognormal(2, 1, rows))],
            "count": [float(n % 9) + (0.5 if n == 7 else 0.0) for n in range(rows)],
            "town": [["Köln", "Bonn", "", "Ulm"][n % 4] for n in range(rows)],
            "member": [n % 2 == 0 for n in range(rows)],
            "at": [datetime(2024, 5, 1 + n % 30, n % 24, tzinfo=UTC) for n in range(rows)],
            "secret": ["a" if n % 3 else "b" for n in range(rows)],
            "late": [n % 5 == 0 for n in range(rows)],
            "p": chance.random(rows),
            "more": ["x"] * rows,
        }
    )


def reference(frame: pl.DataFrame) -> Reference:
    columns = column_references(frame.with_columns(gone=pl.lit(1.0)), CONTRACT)
    return Reference(rows=frame.height, columns=columns, scores=column_reference(frame["p"], Kind.NUMBER))


def rounded(profile: Profile) -> Profile:
    """Means and squares hang on how a file is divided, in their last digits."""

    def of(moments: Moments | None) -> Moments | None:
        if moments is None:
            return None
        return replace(moments, mean=float(f"{moments.mean:.9g}"), squares=float(f"{moments.squares:.9g}"))

    columns = profile.columns.items()
    changed = {name: replace(one, numbers=of(one.numbers), lengths=of(one.lengths)) for name, one in columns}
    return replace(profile, columns=changed)


def written(path: Path, frame: pl.DataFrame) -> Path:
    frame.write_parquet(path, row_group_size=70)
    return path


def test_profile_and_ids_are_those_of_the_table_read_at_once(tmp_path: Path) -> None:
    frame = table()
    found, ids = profile_file(written(tmp_path / "f", frame), "rows.parquet", CONTRACT)
    assert found.profile is not None
    assert rounded(found.profile) == rounded(profile_stored(frame, CONTRACT))
    assert found.columns == tuple(frame.columns)
    assert found.profile.bad_rows > 0
    assert found.profile.columns["count"].unreadable.count == 1
    assert ids["row"].n_unique() == frame.height


def test_profile_and_tally_come_of_one_pass(tmp_path: Path) -> None:
    frame = table()
    bins = reference(frame[:200])
    profile, tally = OnePass(written(tmp_path / "f", frame), "rows.parquet", CONTRACT, bins).count("p")
    assert tally == tally_of(frame, CONTRACT, bins, score="p")
    whole = profile_stored(frame, CONTRACT)
    without = {name: replace(column, quantiles=None) for name, column in whole.columns.items()}
    assert rounded(profile) == rounded(replace(whole, columns=without))


def test_without_scores_all_rows_miss_one(tmp_path: Path) -> None:
    frame = table()
    _, tally = OnePass(written(tmp_path / "f", frame), "rows.parquet", CONTRACT, reference(frame)).count()
    assert tally is not None
    assert tally.scores.missing == frame.height
    assert tally.columns["gone"].missing == frame.height


@pytest.mark.parametrize(
    ("content", "says"), [(b"PAR1 and then nothing", "not readable as Parquet"), (None, "no rows")]
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "f"
    if content is None:
        written(path, table().clear())
    else:
        path.write_bytes(content)
    with pytest.raises(DatasetRejected, match=says):
        OnePass(path, "rows.parquet", CONTRACT)
    assert says in (profile_file(path, "rows.parquet", CONTRACT)[0].refused or "")


def test_a_page_that_is_damaged_is_refused_when_its_column_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "f", table())
    data = bytearray(path.read_bytes())
    data[4:2000] = bytes(1996)
    path.write_bytes(bytes(data))
    assert "not readable as Parquet" in (profile_file(path, "rows.parquet", CONTRACT)[0].refused or "")
