"""Files of labels in S3: each row gets its verdict, whatever cannot be read is told, twice is once."""

import gzip
import json
import time
from pathlib import Path
from typing import Any

import boto3
import polars as pl
import pytest

from lambdas.read_feedback import handler
from lifecycle import keys, ledger
from tests.handlers.conftest import World
from tests.handlers.feedback_world import HOUR, MODEL, identity, log, make_labels_table, stored


@pytest.fixture(autouse=True)
def feedback(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("LABELS_TABLE", make_labels_table())
    return world


def put(name: str, body: bytes) -> str:
    """Upload a file of labels -> its version."""
    answer = boto3.client("s3").put_object(Bucket="data-bucket", Key=keys.feedback(MODEL, name), Body=body)
    return str(answer["VersionId"])


def deliver(name: str, version: str) -> Any:
    created = {"key": keys.feedback(MODEL, name), "version-id": version}
    return handler({"detail": {"bucket": {"name": "data-bucket"}, "object": created}}, None)


def report(world: World, name: str, version: str) -> Any:
    return world.read("data-bucket", keys.feedback_report(MODEL, name, version))


def take(world: World, name: str, body: bytes) -> Any:
    """Upload a file and have it read -> its report."""
    version = put(name, body)
    deliver(name, version)
    return report(world, name, version)


def logged(count: int, ago: float = HOUR) -> list[str]:
    now = time.time()
    known = [identity(now - ago, number) for number in range(count)]
    log(now - ago, *known)
    return known


def rows_of(known: list[str], label: str = "true") -> str:
    return "\n".join(["prediction_id,label", *(f"{one},{label}" for one in known), ""])


def test_every_row_of_a_table_is_counted_and_the_refused_ones_are_listed(world: World):
    one, two, three = logged(3)
    absent = identity(time.time() - HOUR, 99)
    body = f"prediction_id,label,extra\n{one},true,x\n{two},maybe,x\n{absent},false,x\n{three},,x\n{one},true,x\n"
    found = take(world, "march.csv", body.encode())
    assert found["rows"] == 5
    assert {name: n for name, n in found["counts"].items() if n} == {
        "recorded": 1, "duplicate": 1, "invalid": 2, "unknown": 1
    }  # fmt: skip
    assert [(row["row"], row["status"]) for row in found["refused_rows"]] == [
        (2, "invalid"), (3, "unknown"), (4, "invalid")
    ]  # fmt: skip
    assert "maybe" in found["refused_rows"][0]["message"]
    assert found["refused"] is None
    assert {name: label.label for name, label in stored(one, two, three).items()} == {one: "true"}


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet", "jsonl", "jsonl.gz"])
def test_every_format_says_the_same(world: World, tmp_path: Path, kind: str):
    one, two = logged(2)
    lines = "".join(json.dumps({"prediction_id": i, "label": v}) + "\n" for i, v in ((one, True), (two, False)))
    table = f"prediction_id,label\n{one},true\n{two},false\n".encode()
    pl.DataFrame({"prediction_id": [one, two], "label": [True, False]}).write_parquet(tmp_path / "t")
    bodies = {
        "csv": table,
        "csv.gz": gzip.compress(table),
        "parquet": (tmp_path / "t").read_bytes(),
        "jsonl": lines.encode(),
        "jsonl.gz": gzip.compress(lines.encode()),
    }
    assert take(world, f"labels.{kind}", bodies[kind])["counts"]["recorded"] == 2
    assert {i: label.label for i, label in stored(one, two).items()} == {one: "true", two: "false"}


def test_times_and_corrections_are_columns_too(world: World):
    (one,) = logged(1)
    take(world, "a.csv", rows_of([one]).encode())
    text = f"prediction_id,label,time,correct\n{one},false,2026-11-01 12:00,yes\n"
    assert take(world, "b.csv", text.encode())["counts"]["recorded"] == 1
    kept = stored(one)[one]
    assert (kept.label, kept.time) == ("false", 1793534400.0)
    assert kept.history[0]["source"].startswith("feedback/flights/a.csv?versionId=")


def test_an_event_that_comes_twice_changes_nothing(world: World):
    known = logged(3)
    version = put("a.csv", rows_of(known).encode())
    deliver("a.csv", version)
    first, labels = report(world, "a.csv", version), stored(*known)
    world.pass_time(60)
    deliver("a.csv", version)
    assert report(world, "a.csv", version) == first
    assert stored(*known) == labels
    assert len(world.ledger(ledger.model(MODEL))) == 1


def test_a_reading_that_broke_off_before_its_report_is_done_again_and_says_the_same(world: World):
    known = logged(3)
    version = put("a.csv", rows_of(known).encode())
    deliver("a.csv", version)
    whole = report(world, "a.csv", version)
    boto3.client("s3").delete_object(Bucket="data-bucket", Key=keys.feedback_report(MODEL, "a.csv", version))
    deliver("a.csv", version)
    assert report(world, "a.csv", version) == whole
    assert whole["counts"]["recorded"] == 3


def test_a_file_that_is_replaced_has_a_report_of_each_version(world: World):
    one, two = logged(2)
    first, second = put("a.csv", rows_of([one]).encode()), put("a.csv", rows_of([one, two]).encode())
    deliver("a.csv", second)
    deliver("a.csv", first)
    assert report(world, "a.csv", second)["counts"]["recorded"] == 2
    assert report(world, "a.csv", first)["counts"]["duplicate"] == 1


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", b"prediction_id,label\n", "no rows"),
        ("a.csv", b"id,label\n1,true\n", "no column prediction_id"),
        ("a.csv", b"\xff\xfex", "UTF-16"),
        ("a.csv", b"prediction_id,label\na,true,7\n", "number"),
        ("a.csv.gz", gzip.compress(b"prediction_id,label\na,true\n" * 50)[:40], "gzip"),
        ("a.jsonl.gz", b"\x1f\x8bxx", "gzip"),
        ("a.jsonl", b"\n\n", "no labels"),
        ("a.jsonl", b"x" * ((1 << 20) + 2), "longer than"),
        ("a.xlsx", b"PK", "ends in"),
        ("a.parquet", b"prediction_id,label\na,true\n", "content"),
    ],
    ids=[
        "empty", "header only", "no id", "utf-16", "uneven", "cut gzip", "damaged gzip", "blank lines", "long line",
        "spreadsheet", "misnamed",
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_told_and_not_lost(world: World, name: str, body: bytes, said: str):
    found = take(world, name, body)
    assert said in found["refused"]
    assert found["rows"] == 0
    (entry,) = world.ledger(ledger.model(MODEL))
    assert entry["kind"] == ledger.FEEDBACK_REFUSED


def test_a_version_that_was_deleted_before_it_was_read_is_told(world: World):
    version = put("a.csv", b"x")
    boto3.client("s3").delete_object(Bucket="data-bucket", Key=keys.feedback(MODEL, "a.csv"), VersionId=version)
    deliver("a.csv", version)
    assert "deleted" in report(world, "a.csv", version)["refused"]


def test_a_line_that_is_no_json_is_refused_by_its_number_and_the_others_are_taken(world: World):
    one, two = logged(2)
    good = [json.dumps({"prediction_id": i, "label": True}) for i in (one, two)]
    text = "\n".join([good[0], "{", '{"label": NaN}', "", good[1], ""])
    found = take(world, "a.jsonl", text.encode() + b"\xff\n")
    assert found["counts"]["recorded"] == 2
    assert [row["row"] for row in found["refused_rows"]] == [2, 3, 6]


def test_a_folder_made_in_the_console_is_no_file(world: World):
    deliver("", put("", b""))
    deliver("2026/", put("2026/", b""))
    assert world.keys("data-bucket", keys.feedback_reports(MODEL)) == []


def test_names_with_folders_spaces_and_umlauts_have_reports(world: World):
    (one,) = logged(1)
    assert take(world, "2026/März 1.csv", rows_of([one]).encode())["counts"]["recorded"] == 1


def test_a_file_of_many_labels_over_many_hours_is_read_at_once(world: World):
    now = time.time()
    known = []
    for ago in range(1, 30):
        known += logged(20, ago * HOUR)
    found = take(world, "a.csv", rows_of(known).encode())
    assert found["counts"]["recorded"] == len(known) == 580
    assert len(stored(*known)) == 580
    assert time.time() == now, "the clock stands"


def test_the_ledger_says_how_many_of_each(world: World):
    take(world, "a.csv", rows_of(logged(2)).encode())
    (entry,) = world.ledger(ledger.model(MODEL))
    assert entry["kind"] == ledger.FEEDBACK_READ
    assert entry["detail"]["counts"]["recorded"] == 2
