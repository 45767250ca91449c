"""The prediction log in S3, read back."""

import gzip
import json
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from cloud.objects import Bucket
from cloud.predictions import Predictions
from lifecycle import keys
from lifecycle.prediction_id import ids_of

TEN = datetime(2026, 11, 21, 10, tzinfo=UTC).timestamp()
MINUTE = 60.0
HOUR = 3600.0


@pytest.fixture
def bucket() -> Bucket:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="data")
    return Bucket(s3, "data")


def line(at: float, number: int = 0, **changes: Any) -> dict[str, Any]:
    identity = ids_of(round(at * 1000), (number << 8).to_bytes(10))[0]
    record = {"kind": "prediction", "schema": 2, "time": round(at * 1000), "prediction_id": identity, "row": {}}
    return record | changes


def arrive(bucket: Bucket, at: float, *lines: Any, name: str = "a.gz", model: str = "flights") -> str:
    body = b"".join((x if isinstance(x, bytes) else json.dumps(x).encode()) + b"\n" for x in lines)
    key = keys.predictions_of_hour(model, at) + name
    bucket.write(key, gzip.compress(body))
    return key


def ids(records: Any) -> list[str]:
    return [record["prediction_id"] for record in records]


def test_records_of_a_span_come_in_order_of_arrival_across_hours_days_and_objects(bucket):
    midnight = TEN + 14 * HOUR
    found = [line(TEN), line(TEN + HOUR, 1), line(midnight - 1, 2), line(midnight + 1, 3)]
    for number, record in enumerate(found):
        arrive(bucket, record["time"] / 1000, record, name=f"{number}.gz")
    assert list(Predictions(bucket, "flights").records(TEN, midnight + HOUR)) == found


def test_the_span_is_judged_by_the_records_own_time_and_excludes_its_end(bucket):
    arrive(bucket, TEN, line(TEN - 1, 1), line(TEN, 2), line(TEN + 9, 3), line(TEN + 10, 4))
    assert ids(Predictions(bucket, "flights").records(TEN, TEN + 10)) == ids([line(TEN, 2), line(TEN + 9, 3)])


def test_a_record_that_arrived_in_the_next_hour_is_found(bucket):
    late = line(TEN + 59 * MINUTE)
    arrive(bucket, TEN + HOUR, late)
    assert ids(Predictions(bucket, "flights").records(TEN, TEN + HOUR)) == ids([late])


def test_a_record_that_arrived_hours_late_is_found_when_asked_for(bucket):
    late = line(TEN)
    arrive(bucket, TEN + 5 * HOUR, late)
    log = Predictions(bucket, "flights")
    assert ids(log.records(TEN, TEN + HOUR)) == []
    assert ids(log.records(TEN, TEN + HOUR, late_hours=6)) == ids([late])


def test_copies_of_a_record_are_dropped_whatever_object_they_came_in(bucket):
    arrive(bucket, TEN, line(TEN), line(TEN), name="a.gz")
    arrive(bucket, TEN, line(TEN), name="b.gz")
    arrive(bucket, TEN + HOUR, line(TEN), line(TEN, 1))
    assert len(list(Predictions(bucket, "flights").records(TEN, TEN + HOUR))) == 2


def test_a_copy_that_comes_after_a_day_of_retries_is_dropped(bucket):
    arrive(bucket, TEN, line(TEN))
    arrive(bucket, TEN + 47 * HOUR, line(TEN), line(TEN + 47 * HOUR, 1))
    assert len(list(Predictions(bucket, "flights").records(TEN, TEN + 48 * HOUR))) == 2


def test_kinds_are_chosen_and_failures_of_one_moment_are_told_apart(bucket):
    failure = {"kind": "failure", "schema": 2, "time": round(TEN * 1000), "status": 500, "error": "KeyError"}
    arrive(bucket, TEN, line(TEN), {**failure, "request_id": "a"}, {**failure, "request_id": "b"})
    log = Predictions(bucket, "flights")
    assert ids(log.records(TEN, TEN + 1)) == ids([line(TEN)])
    assert [r["request_id"] for r in log.records(TEN, TEN + 1, ("failure",))] == ["a", "b"]
    assert len(list(log.records(TEN, TEN + 1, ("failure", "prediction")))) == 3


def test_what_cannot_be_read_is_counted_and_the_rest_is_read(bucket):
    damaged = [b'{"kind": "prediction", "sch', b"[]", b"\xff", json.dumps(line(TEN, 1, schema=1)).encode()]
    more = [line(TEN, 2, time="noon"), line(TEN, 3, prediction_id=None), line(TEN, 4, kind=7)]
    arrive(bucket, TEN, *damaged, b"", line(TEN), *more)
    bucket.write(keys.predictions_of_hour("flights", TEN) + "b.gz", b"this is no gzip")
    whole = gzip.compress(json.dumps(line(TEN, 5)).encode() + b"\n" + bytes(5000))
    bucket.write(keys.predictions_of_hour("flights", TEN) + "c.gz", whole[: len(whole) // 2])
    log = Predictions(bucket, "flights")
    assert line(TEN) in list(log.records(TEN, TEN + 1))
    assert log.unreadable == len(damaged) + len(more) + 2


def test_messages_that_no_line_feed_separates_are_told_apart(bucket):
    found = [line(TEN, number) for number in range(3)]
    arrive(bucket, TEN, "".join(map(json.dumps, found)).encode(), f"{json.dumps(line(TEN, 3))}  {{".encode())
    log = Predictions(bucket, "flights")
    assert ids(log.records(TEN, TEN + 1)) == ids([*found, line(TEN, 3)])
    assert log.unreadable == 1


def test_the_test_message_of_a_subscription_is_no_record_and_no_fault(bucket):
    arrive(bucket, TEN, b"CWL CONTROL MESSAGE: Checking health of destination Firehose.", b"", line(TEN))
    log = Predictions(bucket, "flights")
    assert ids(log.records(TEN, TEN + 1)) == ids([line(TEN)])
    assert log.unreadable == 0


def test_other_models_and_stray_objects_are_left_alone(bucket):
    arrive(bucket, TEN, line(TEN, 1), model="flights-2")
    arrive(bucket, TEN, line(TEN, 2), model="flight")
    bucket.write("predictions/flights/notes.txt", b"mine")
    bucket.write("predictions/flights/2026/11/21/notes.txt", b"mine")
    log = Predictions(bucket, "flights")
    assert list(log.records(TEN, TEN + HOUR)) == []
    assert log.unreadable == 0
