"""Logged rows with labels -> files that are read back to the same values."""

import csv
import gzip
import io
import json
import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lifecycle import harvest
from lifecycle.feedback_items import ItemReader
from lifecycle.harvest import Labelled, LeftOut
from lifecycle.prediction_id import ids_of
from lifecycle.prediction_log import PredictionLog
from lifecycle.request import RowChecker
from lifecycle.schema import Column, Contract, Kind, Task, contract_to_plain
from tabular.read import read_objects

COLUMNS = (
    Column(name="key", kind=Kind.ID),
    Column(name="number", kind=Kind.NUMBER),
    Column(name="whole", kind=Kind.INTEGER),
    Column(name="yes", kind=Kind.BOOLEAN),
    Column(name='group, or "class"', kind=Kind.CATEGORY),
    Column(name="at", kind=Kind.DATETIME),
    Column(name="words", kind=Kind.TEXT),
    Column(name="hidden", kind=Kind.TEXT, private=True),
    Column(name="weight", kind=Kind.NUMBER),
    Column(name="label", kind=Kind.BOOLEAN),
)
CONTRACT = Contract(
    task=Task.BINARY, target="label", positive="true", id="key", time="at", weight="weight", columns=COLUMNS
)
GROUP = 'group, or "class"'
NAME = "feedback-late/2026-11-21.csv.gz"
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(
    [
        'a"b',
        "a,b",
        "a\nb",
        "a\r\nb",
        "\r",
        " spaced ",
        "NA",
        "null",
        '""',
        "é\u2028",
        "'",
        "\\",
        ";;;",
        "\ufeff",
        "=1+1",
    ]
)
TIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))
ROWS = st.fixed_dictionaries(
    {
        "key": st.none() | TEXTS,
        "number": st.none() | st.floats(-1e37, 1e37) | st.integers(-(2**53), 2**53),
        "whole": st.none() | st.integers(-(2**63) + 1, 2**63 - 1),
        "yes": st.none() | st.booleans(),
        GROUP: st.none() | TEXTS,
        "at": TIMES.map(datetime.isoformat),
        "words": st.none() | TEXTS,
    }
)


def logged(
    rows: Iterable[dict[str, Any]], contract: Contract = CONTRACT, time_ms: int = 1_795_240_800_000
) -> Iterator[dict[str, Any]]:
    """Rows as the log holds them, after the door and a trip through JSON."""
    plain = contract_to_plain(contract)
    for number, row in enumerate(rows):
        (typed,) = RowChecker(plain).rows_of({"rows": [row]})
        answer = {"prediction_id": ids_of(time_ms, (number << 8).to_bytes(10))[0], "probability": 0.5, "decision": True}
        [line] = PredictionLog(plain, {"stage": "dev", "model": "late"}).lines(
            [typed], [answer], time_ms=time_ms, latency_ms=1.0
        )
        yield json.loads(line)


def moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def read_back(folder: Path, cells: Iterable[list[str]], contract: Contract = CONTRACT) -> pl.DataFrame:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerows([Labelled(contract).header, *cells])
    path = folder / "object"
    path.write_bytes(gzip.compress(text.getvalue().encode()))
    return read_objects([(path, NAME)], contract)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(rows=st.lists(st.tuples(ROWS, st.booleans()), min_size=1, max_size=8, unique_by=lambda row: row[0]["key"]))
@example([({"key": "a", "whole": 2**53 + 1, "at": "2026-11-21T10:15:00.123456+02:00"}, True)])
@example([({"key": "", "words": "\x00", "at": "2026-11-21"}, False)])
def test_rows_are_read_back_to_the_values_that_the_door_took(tmp_path: Path, rows: list[Any]) -> None:
    """Quotes, line breaks, any script, times, missing values, integers beyond 2^53, booleans: all as they were."""
    records = list(logged(row for row, _ in rows))
    made = [
        Labelled(CONTRACT).cells(r, "true" if late else "false") for r, (_, late) in zip(records, rows, strict=True)
    ]
    cells = [one for one in made if not isinstance(one, LeftOut)]
    assert len(cells) == len(rows)
    found = read_back(tmp_path, cells)
    for got, record, (row, late) in zip(found.iter_rows(named=True), records, rows, strict=True):
        assert got == {
            **{name: row.get(name) for name in ("number", "whole", "yes")},
            "key": row["key"] or record["prediction_id"],
            GROUP: row.get(GROUP) or None,
            "words": row.get("words") or None,
            "at": moment(row["at"]),
            "hidden": None,
            "weight": None,
            "label": late,
        }


def cells(sent: dict[str, Any], label: str | float, contract: Contract, **record: Any) -> dict[str, str] | LeftOut:
    """The cells of one row by column, logged under CONTRACT-like rules of `contract`."""
    (found,) = logged([sent], contract)
    made = Labelled(contract).cells({**found, **record}, label)
    return made if isinstance(made, LeftOut) else dict(zip(Labelled(contract).header, made, strict=True))


def contract(target: Column, task: Task = Task.BINARY, *others: Column, **changes: Any) -> Contract:
    columns = (Column(name="x", kind=Kind.NUMBER), *others, target)
    return Contract(task=task, target="y", positive=changes.pop("positive", None), columns=columns, **changes)


@pytest.mark.parametrize(
    ("target", "task", "sent", "cell"),
    [
        (Column(name="y", kind=Kind.BOOLEAN), Task.BINARY, True, "true"),
        (Column(name="y", kind=Kind.INTEGER), Task.MULTICLASS, 3, "3"),
        (Column(name="y", kind=Kind.CATEGORY), Task.MULTICLASS, 'late, "very"', 'late, "very"'),
        (Column(name="y", kind=Kind.NUMBER), Task.REGRESSION, 0.1, "0.1"),
        (Column(name="y", kind=Kind.INTEGER), Task.REGRESSION, 12, "12"),
    ],
)
def test_a_label_is_written_as_training_reads_it(target: Column, task: Task, sent: Any, cell: str) -> None:
    """From the document in which it came, through the table of labels."""
    rules = contract(target, task)
    item = ItemReader(rules, strict=True).item(0, {"prediction_id": "p", "label": sent})
    found = cells({"x": 1.5}, item.label, rules)  # type: ignore[union-attr]
    assert found == {"x": "1.5", "y": cell}


def test_the_prediction_stands_in_for_an_id_and_a_time_that_nobody_sent() -> None:
    rules = contract(
        Column(name="y", kind=Kind.NUMBER), Task.REGRESSION,
        Column(name="key", kind=Kind.ID), Column(name="at", kind=Kind.DATETIME, max_null_share=1), id="key", time="at",
    )  # fmt: skip
    found = cells({"x": 1}, 2.0, rules)
    assert isinstance(found, dict)
    assert (found["key"], found["at"]) == (ids_of(1_795_240_800_000, bytes(10))[0], "2026-11-21T06:00:00+00:00")


def test_a_whole_number_made_of_the_prediction_stands_in_for_an_integer_id_if_its_bounds_allow() -> None:
    made = []
    for bounds in ({}, {"max": 1000}):
        key = Column(name="key", kind=Kind.INTEGER, **bounds)
        found = cells({"x": 1}, 2.0, contract(Column(name="y", kind=Kind.NUMBER), Task.REGRESSION, key, id="key"))
        assert isinstance(found, dict)
        made.append(found["key"])
    assert 0 <= int(made[0]) < 2**62
    assert made[1] == ""


def test_a_private_id_is_never_written_not_even_its_pseudonym() -> None:
    key = Column(name="key", kind=Kind.ID, private="hash", max_null_share=0)
    found = cells(
        {"x": 1, "key": "Jane"}, 2.0, contract(Column(name="y", kind=Kind.NUMBER), Task.REGRESSION, key, id="key")
    )
    assert isinstance(found, dict)
    assert found["key"] == ids_of(1_795_240_800_000, bytes(10))[0]


def test_a_row_logged_under_an_older_contract_is_held_to_the_one_of_now() -> None:
    (old,) = logged([{"x": 7}], contract(Column(name="y", kind=Kind.NUMBER), Task.REGRESSION))
    y = Column(name="y", kind=Kind.NUMBER, max=10)
    filled = contract(y, Task.REGRESSION, Column(name="new", kind=Kind.CATEGORY, since="2026-01-01", default="none"))
    assert Labelled(filled).cells(old, 1.0) == ["7.0", "none", "1.0"]
    required = contract(y, Task.REGRESSION, Column(name="new", kind=Kind.NUMBER, max_null_share=0))
    assert Labelled(required).cells(old, 1.0) == LeftOut("new is missing")
    assert Labelled(filled).cells(old, 11.0) == LeftOut("y must be a number of at most 10")
    assert Labelled(contract(y, Task.REGRESSION)).cells({**old, "row": {"x": 7.0, "gone": 1}}, 1.0) == ["7.0", "1.0"]


@pytest.mark.parametrize("label", ["maybe", "3.5", ""])
def test_a_label_that_is_none_of_the_target_leaves_the_row_out_without_telling_its_value(label: str) -> None:
    for kind in (Kind.BOOLEAN, Kind.INTEGER):
        found = cells({"x": 1}, label, contract(Column(name="y", kind=kind), Task.BINARY, positive="1"))
        assert isinstance(found, LeftOut)
        assert found.reason.startswith("y ")
        assert not label or label not in found.reason


def test_rows_that_the_log_cut_or_that_no_file_can_hold_are_left_out() -> None:
    rules = contract(Column(name="y", kind=Kind.NUMBER), Task.REGRESSION, Column(name="t", kind=Kind.TEXT))
    assert cells({"x": 1}, 2.0, rules, row=None) == harvest.CUT
    assert cells({"x": 1}, 2.0, rules, row={"x": 1.0, "t": "\ud800"}) == harvest.UNWRITABLE


@given(st.integers(0, 80_000), st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,5})?", fullmatch=True))
def test_a_files_name_tells_its_day(day: int, model: str) -> None:
    assert harvest.day_of_name(harvest.name_of(model, day)) == day
    assert harvest.name_of(model, day).startswith(harvest.folder_of(model))


@given(st.lists(st.tuples(st.integers(0, 3), st.lists(TEXTS, min_size=2, max_size=2)), max_size=8), st.integers())
def test_the_same_rows_stand_in_the_same_order_whatever_the_random_part_of_their_ids(
    rows: list[tuple[int, list[str]]], seed: int
) -> None:
    chance = random.Random(seed)

    def made() -> dict[str, list[str] | LeftOut]:
        shuffled = chance.sample(rows, len(rows))
        return {ids_of(1_363_000_000_000 + at, chance.randbytes(10))[0]: cells for at, cells in shuffled}

    refused = {ids_of(1_363_000_000_000, chance.randbytes(10))[0]: LeftOut("at is missing")}
    found = harvest.in_order(made() | refused)
    assert found == harvest.in_order(made())
    assert found == [cells for _, cells in sorted(rows)]
