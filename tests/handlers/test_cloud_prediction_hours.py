"""The prediction log, listed once and read hour by hour, is what reading each hour by itself gives."""

import gzip
import json
import random
from collections import Counter
from itertools import product
from typing import Any

import boto3
import pytest

from cloud.objects import Bucket
from cloud.prediction_hours import PredictionHours, span_of
from cloud.predictions import Predictions
from lifecycle import keys
from lifecycle.prediction_id import ids_of

FIRST = 498_672  # 2026-11-21T00
HOURS = 8


@pytest.fixture
def bucket() -> Bucket:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="data")
    return Bucket(s3, "data")


def line(time_ms: int, number: int) -> bytes:
    identity = ids_of(time_ms, (number << 8).to_bytes(10))[0]
    record = {"kind": "prediction", "schema": 2, "time": time_ms, "prediction_id": identity, "row": {"n": number}}
    return json.dumps(record).encode() + b"\n"


def fill(bucket: Bucket, seed: int) -> None:
    """Objects in most hours, whose lines are of these hours, of others, copies of others, or damaged."""
    chance, before = random.Random(seed), [b"{\n"]
    for number in range(40):
        arrival = FIRST + chance.randrange(HOURS)
        if arrival == FIRST + 3:
            continue
        for _ in range(chance.randrange(5)):
            made = arrival - chance.choice((0, 0, 0, 1, 1, 2, -1))
            at = made * 3_600_000 + chance.choice((0, chance.randrange(3_600_000), 3_599_999))
            before.append(line(at, len(before)))
        body = b"".join(chance.choices(before[-8:], k=4) + before[-2:])
        packed = gzip.compress(body)
        cut = len(packed) // 2 if chance.random() < 0.1 else len(packed)
        bucket.write(f"{keys.predictions_of_hour('flights', arrival * 3600)}{number:02d}.gz", packed[:cut])
    bucket.write("predictions/flights/notes.txt", b"mine")
    bucket.write("predictions/flights/2026/9/1/5/stray.gz", b"mine")
    bucket.write("predictions/flights-2/2026/11/21/05/other.gz", gzip.compress(line(FIRST * 3_600_000, 999)))


LIMITS: tuple[dict[str, int], ...] = ({}, {"remembered_keys": 9}, {"remembered_keys": 0}, {"kept_bytes": 700})


@pytest.mark.parametrize("seed", range(3))
def test_each_hour_is_read_as_if_it_were_the_only_one(bucket: Bucket, seed: int) -> None:
    fill(bucket, seed)
    wanted = {hour: list(Predictions(bucket, "flights").records(*span_of(hour))) for hour in range(FIRST, FIRST + 8)}
    assert sum(map(len, wanted.values())) > 20
    for limits, order in product(LIMITS, (1, -1)):
        log = PredictionHours(bucket, "flights", **limits)
        made = log.made(FIRST, FIRST + HOURS - 1)
        assert {hour for hour, found in wanted.items() if found} <= set(made)
        assert {hour: list(log.records(hour)) for hour in list(wanted)[::order]} == wanted, (limits, order)


def test_hours_are_those_with_an_arrival_in_them_or_in_the_hour_after(bucket: Bucket) -> None:
    for arrival in (FIRST, FIRST + 4, FIRST + 9):
        bucket.write(f"{keys.predictions_of_hour('flights', arrival * 3600)}a.gz", b"")
    log = PredictionHours(bucket, "flights")
    assert log.made(FIRST, FIRST + 8) == [FIRST, FIRST + 3, FIRST + 4, FIRST + 8]
    assert log.made(FIRST + 1, FIRST + 2) == []
    assert PredictionHours(bucket, "flights", remembered_keys=1).made(FIRST, FIRST + 4)[1:] == [FIRST + 3, FIRST + 4]


@pytest.mark.parametrize(("limits", "listings", "times"), [({}, 2, 1), ({"kept_bytes": 0}, 2, 2)])
def test_a_log_is_listed_a_page_at_a_time_once_and_its_objects_fetched_once_where_they_can_be_kept(
    bucket: Bucket, limits: dict[str, int], listings: int, times: int
) -> None:
    for hour in range(FIRST, FIRST + HOURS):
        bucket.write(f"{keys.predictions_of_hour('flights', hour * 3600)}a.gz", gzip.compress(b"\n"))
    made: Counter[str] = Counter()
    s3 = boto3.client("s3")

    def count(params: dict[str, Any], model: Any, **_: Any) -> None:
        made[model.name] += 1
        if model.name == "ListObjectsV2":
            params["MaxKeys"] = 5

    s3.meta.events.register("provide-client-params.s3", count)
    log = PredictionHours(Bucket(s3, "data"), "flights", **limits)
    for hour in log.made(FIRST, FIRST + HOURS - 1):
        assert list(log.records(hour)) == []
    assert made == {"ListObjectsV2": listings, "GetObject": times * HOURS - (times - 1)}
