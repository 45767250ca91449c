"""Reading files: what is understood, and what is refused rather than guessed."""

import gzip
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from lifecycle import formats
from lifecycle.errors import DatasetRejected
from lifecycle.spec import Column, Contract, Kind, Task
from tabular import raw
from tabular.convert import DTYPES, typed
from tabular.read import read_objects

CONTRACT = Contract(
    task=Task.REGRESSION,
    target="y",
    columns=(
        Column(name="x", kind=Kind.NUMBER),
        Column(name="name", kind=Kind.CATEGORY),
        Column(name="new", kind=Kind.INTEGER, since="2026-01-01", default=7),
        Column(name="y", kind=Kind.NUMBER),
    ),
)


def written(folder: Path, data: bytes) -> Path:
    path = folder / "object"
    path.write_bytes(data)
    return path


def cells(folder: Path, data: bytes) -> list[tuple[Any, ...]]:
    return raw.load(written(folder, data), "f.csv").frame.rows()


@pytest.mark.parametrize(
    "data",
    [
        b"x,name,y\n1,a b,2\n",
        b"x;name;y\r\n1;a b;2\r\n",
        b"\xef\xbb\xbfx\tname\ty\n1\ta b\t2",
        b"x|name|y\n1|a b|2\n",
        b'"x","name","y"\n"1","a b","2"\n',
        b"\n\nx,name,y\n\n1,a b,2\n\n",
        b" x , name,y\n1,a b,2\n",
        gzip.compress(b"x,name,y\n1,a b,2\n", mtime=0),
    ],
)
def test_a_table_reads_the_same_however_it_was_written(tmp_path: Path, data: bytes) -> None:
    loaded = raw.load(written(tmp_path, data), "f.csv").frame
    assert loaded.columns == ["x", "name", "y"]
    assert loaded.rows() == [("1", "a b", "2")]


def test_decimal_commas_do_not_mislead_the_delimiter(tmp_path: Path) -> None:
    assert cells(tmp_path, b"a;b\n1,5;2,5\n2,5;3,5\n") == [("1,5", "2,5"), ("2,5", "3,5")]


def test_quoted_fields_hold_delimiters_quotes_and_line_ends(tmp_path: Path) -> None:
    assert cells(tmp_path, b'a,b\n"1,5","say ""hi""\nthere"\n') == [("1,5", 'say "hi"\nthere')]


REFUSED = {
    b"": "is empty",
    b" \n \n": "is empty",
    b"a,b\n": "header but no rows",
    b"a,b\n1,2\n3\n": "row 2 ",
    b"a,b\n1,2,3\n": "row 1 ",
    b"a,b\r\n \r\n\r\n1,2\r\n1,2,3\r\n\r\n1\r\n": "row 2, 3 (header not counted)",
    b"a,b\n" + b"1\n" * 9: "row 1, 2, 3, 4, 5 and more",
    b'a,b\n"x,y",1\n"z"\n': "row 2 ",
    b"a,a\n1,2\n": "names a more than once",
    b"a,,c\n1,2,3\n": "column 2 of the header has no name",
    b"a,b\n1,\xe9t\xe9\n": "near line 2: not UTF-8",
    "a,b\n1,2\n".encode("utf-16"): "is UTF-16",
    b"\x1f\x8b": "damaged or cut-off gzip",
    gzip.compress(b"a,b\n" + b"1,2\n" * 9999, mtime=0)[:-20]: "damaged or cut-off gzip",
    gzip.compress(b"a,b\n1,2\n", mtime=0) + b"trailing rubbish": "damaged or cut-off gzip",
    b"PAR1": "not readable as Parquet",
}


@pytest.mark.parametrize("data", REFUSED, ids=lambda data: REFUSED[data][:20])
def test_what_would_have_to_be_guessed_is_refused_by_name(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(DatasetRejected) as refused:
        raw.load(written(tmp_path, data), "f.csv")
    assert str(refused.value).startswith("f.csv")
    assert REFUSED[data] in str(refused.value)


def test_a_file_larger_than_a_function_can_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetRejected, match="Split it into smaller files"):
        formats.require_size("f.csv", formats.STORED_BYTES + 1)
    bomb = gzip.compress(b"\0" * 2**20) * (formats.UNPACKED_BYTES // 2**20 + 1)
    with pytest.raises(DatasetRejected, match="bytes unpacked"):
        raw.load(written(tmp_path, bomb), "f.csv.gz")


@pytest.mark.parametrize("name", ["a.xlsx", "a", "a.csv.zip", ".csv.gzip"])
def test_other_endings_are_refused(name: str) -> None:
    with pytest.raises(DatasetRejected, match="only files that end in"):
        formats.of_name(name)


def test_objects_become_one_typed_table_in_the_contracts_order(tmp_path: Path) -> None:
    one, two = tmp_path / "v1", tmp_path / "v2"
    one.write_bytes(b"y,x,extra\n1.5,NA,z\nnan,2,z\n")
    pl.DataFrame({"x": [3], "new": [1.0], "name": ["k"], "y": [4.0]}).write_parquet(two)
    found = read_objects([(one, "a.csv"), (two, "b.parquet")], CONTRACT)
    assert dict(found.schema) == {column.name: DTYPES[column.kind] for column in CONTRACT.columns}
    assert found.rows() == [(None, None, 7, 1.5), (2.0, None, 7, None), (3.0, "k", 1, 4.0)]


def test_many_small_objects_become_the_same_table_as_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = [
        b"y,x\n1.5,NA\n nan ,2\n",
        b"y,x\n1e400,3.0\n",
        b"y,x\n,1.5\n-2,9\n7,x\n",
        b"x,y\n5,0.5\n",
        b"x,y,name\n6,0.25,k\n",
        b"x,y,name\n7,0.125,\n",
    ]
    objects = [(tmp_path / f"v{place}", f"{place}.csv") for place in range(len(bodies))]
    for (path, _), body in zip(objects, bodies, strict=True):
        path.write_bytes(body)
    alone = pl.concat([read_objects([each], CONTRACT) for each in objects])
    for together in (1, 3, 100_000):
        monkeypatch.setattr("tabular.read.ROWS_TOGETHER", together)
        assert read_objects(objects, CONTRACT).equals(alone)


def test_no_objects_are_no_data() -> None:
    with pytest.raises(DatasetRejected, match="no objects"):
        read_objects([], CONTRACT)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Kind.NUMBER, " 1e3 ", 1000.0),
        (Kind.NUMBER, "+.5", 0.5),
        (Kind.NUMBER, "1,5", None),
        (Kind.NUMBER, "inf", None),
        (Kind.NUMBER, "NaN", None),
        (Kind.INTEGER, "3.0", 3),
        (Kind.INTEGER, "9223372036854775807", 2**63 - 1),
        (Kind.INTEGER, "9223372036854775808", None),
        (Kind.INTEGER, "3.5", None),
        (Kind.BOOLEAN, "Yes", True),
        (Kind.BOOLEAN, "0", False),
        (Kind.BOOLEAN, "2", None),
        (Kind.CATEGORY, "NA", "NA"),
        (Kind.CATEGORY, " a", " a"),
        (Kind.DATETIME, "2013-01-01", datetime(2013, 1, 1, tzinfo=UTC)),
        (Kind.DATETIME, "2013-01-01 05:06", datetime(2013, 1, 1, 5, 6, tzinfo=UTC)),
        (Kind.DATETIME, "2013-01-01T05:06:07.5+02:00", datetime(2013, 1, 1, 3, 6, 7, 500000, tzinfo=UTC)),
        (Kind.DATETIME, "2013-01-01T05:06:07Z", datetime(2013, 1, 1, 5, 6, 7, tzinfo=UTC)),
        (Kind.DATETIME, "01/02/2013", None),
        (Kind.DATETIME, "2013-02-30", None),
    ],
)
def test_text_is_read_as_its_kind(kind: Kind, text: str, value: Any) -> None:
    values, missing = typed(pl.Series("c", [text]), kind)
    assert values.to_list() == [value]
    assert missing.to_list() == [False]


@pytest.mark.parametrize("kind", list(Kind))
def test_empty_text_is_missing_in_every_kind(kind: Kind) -> None:
    values, missing = typed(pl.Series("c", ["", None]), kind)
    assert values.to_list() == [None, None]
    assert missing.to_list() == [True, True]
    assert values.dtype == DTYPES[kind]


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize(
    "stored",
    [
        pl.Series("c", [1, None]),
        pl.Series("c", [2.0, None]),
        pl.Series("c", [float("nan"), None]),
        pl.Series("c", [True, None]),
        pl.Series("c", [date(2013, 1, 1), None]),
        pl.Series("c", [datetime(2013, 1, 1), None]),
        pl.Series("c", ["a", None], dtype=pl.Categorical),
        pl.Series("c", [[1], None]),
        pl.Series("c", [b"x", None]),
        pl.Series("c", [None, None]),
    ],
    ids=lambda stored: str(stored.dtype),
)
def test_every_stored_type_becomes_the_kinds_type_or_unreadable(stored: pl.Series, kind: Kind) -> None:
    values, missing = typed(stored, kind)
    assert values.dtype == DTYPES[kind]
    assert values.name == "c"
    assert missing.to_list() == stored.is_null().to_list()


def test_whole_numbers_stored_as_floats_are_the_same_category() -> None:
    assert typed(pl.Series("c", [1.0, 2.5]), Kind.CATEGORY)[0].to_list() == ["1", "2.5"]
    assert typed(pl.Series("c", [1]), Kind.ID)[0].to_list() == ["1"]
