"""Which row counts when the same event was uploaded and came by feedback."""

import gzip
from pathlib import Path

import pytest

from lifecycle import validation
from lifecycle.harvest import is_harvested
from lifecycle.profile import Examples
from lifecycle.spec import Column, Contract, Kind, Task
from lifecycle.validation import Evidence
from tabular import giving_way
from tabular.profile import profile_file
from tabular.read import read_objects

CONTRACT = Contract(
    task=Task.REGRESSION,
    target="y",
    id="key",
    min_rows=1,
    columns=(
        Column(name="key", kind=Kind.ID),
        Column(name="ticket", kind=Kind.INTEGER, unique=True),
        Column(name="y", kind=Kind.NUMBER),
    ),
)
ONE, TWO = "feedback-flights/2026-11-20.csv.gz", "feedback-flights/2026-11-21.csv.gz"


def objects(folder: Path, **files: str) -> list[tuple[Path, str]]:
    """Files by name (one, two: of feedback), written as they lie in a data channel: without their names."""
    found = []
    for number, (name, body) in enumerate(files.items()):
        told = {"one": ONE, "two": TWO}.get(name, f"{name}.csv")
        path = folder / str(number)
        data = f"key,ticket,y\n{body}".encode()
        path.write_bytes(gzip.compress(data) if told.endswith(".gz") else data)
        found.append((path, told))
    return found


def rows(folder: Path, **files: str) -> list[tuple[str | None, int | None, float | None]]:
    return read_objects(objects(folder, **files), CONTRACT).rows()


def test_a_row_of_feedback_gives_way_to_an_uploaded_one_whatever_the_order_of_files(tmp_path: Path) -> None:
    assert rows(tmp_path, one="a,1,1\nb,2,1\n", zz="a,3,9\n") == [("b", 2, 1.0), ("a", 3, 9.0)]


def test_of_several_predictions_for_one_event_the_first_counts(tmp_path: Path) -> None:
    assert rows(tmp_path, one="a,,1\na,,2\n", two="a,,3\nb,,4\n") == [("a", None, 1.0), ("b", None, 4.0)]


def test_any_unique_column_tells_that_two_rows_are_one_event(tmp_path: Path) -> None:
    assert rows(tmp_path, up="a,1,1\n", one="b,1,2\nc,,3\nd,,4\n") == [
        ("a", 1, 1.0),
        ("c", None, 3.0),
        ("d", None, 4.0),
    ]


def test_an_uploaded_row_without_a_label_leaves_the_labelled_one_of_feedback(tmp_path: Path) -> None:
    assert rows(tmp_path, up="a,,\n", one="a,,5\n") == [("a", None, None), ("a", None, 5.0)]


def test_uploaded_rows_are_never_left_out(tmp_path: Path) -> None:
    assert rows(tmp_path, up="a,1,1\na,1,2\n", one="x,9,1\n")[:2] == [("a", 1, 1.0), ("a", 1, 2.0)]


@pytest.mark.parametrize("name", ["feedback.csv", "feedback-flights/2026-02-30.csv.gz", "feedback-flights/x.csv.gz"])
def test_a_users_own_file_is_no_file_of_feedback(name: str) -> None:
    assert not is_harvested(name)


def test_a_version_is_not_refused_for_rows_that_give_way_but_the_report_counts_them(tmp_path: Path) -> None:
    listed = objects(tmp_path, up="a,1,1\nb,2,2\n", one="a,,1\nc,,4\n")
    read = {name: profile_file(path, name, CONTRACT) for path, name in listed}
    repeated = {c: giving_way.repeated([(n, ids) for n, (_, ids) in read.items()], c) for c in ("key", "ticket")}
    assert repeated == {"key": Examples(count=1, first=((ONE, 1),)), "ticket": Examples()}
    found = validation.judge(CONTRACT, Evidence(objects={n: p for n, (p, _) in read.items()}, given_way=repeated))
    assert found.accepted
    assert [note.text for note in found.notes if note.check == "uniqueness"] == [
        f"1 rows that came by feedback repeat a value of another row and are left out: {ONE} row 1"
    ]
