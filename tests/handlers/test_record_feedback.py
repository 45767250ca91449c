"""POST /models/{name}/feedback: each label gets an answer of its own."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest

from lambdas.record_feedback import handler
from lifecycle import keys
from lifecycle.prediction_log import LINE_BYTES
from tests.handlers.conftest import World
from tests.handlers.feedback_world import HOUR, ask, identity, log, make_labels_table, stored
from tests.live_package import event


@pytest.fixture(autouse=True)
def feedback(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("LABELS_TABLE", make_labels_table())
    return world


def statuses(body: Any) -> list[str]:
    return [result["status"] for result in body["results"]]


def test_each_label_of_a_request_gets_its_status_in_order():
    now = time.time()
    known, other, young = identity(now - HOUR), identity(now - HOUR, 1), identity(now - 60)
    old, absent = identity(now - 100 * 24 * HOUR), identity(now - HOUR, 9)
    log(now - HOUR, known, other)
    status, body = ask(
        handler,
        {"prediction_id": known, "label": True},
        {"prediction_id": known, "label": True},
        {"prediction_id": other, "label": "yes"},
        {"prediction_id": young, "label": False},
        {"prediction_id": old, "label": False, "time": "2026-08-01T00:00:00Z"},
        {"prediction_id": absent, "label": True},
        {"prediction_id": "mine", "label": True},
        {"prediction_id": "ffffffff-ffff-7fff-bfff-ffffffffffff", "label": True},
    )
    assert status == 200
    assert statuses(body) == ["recorded", "duplicate", "invalid", "pending", "late", "unknown", "unknown", "unknown"]
    assert [result["item"] for result in body["results"]] == list(range(8))
    assert body["counts"] == {
        "recorded": 1, "duplicate": 1, "contradicts": 0, "unknown": 3, "pending": 1, "late": 1, "invalid": 1
    }  # fmt: skip
    assert {one: label.label for one, label in stored(known, other, young, old, absent).items()} == {
        known: "true",
        young: "false",
        old: "false",
    }


def test_the_first_label_stays_unless_it_is_corrected():
    now = time.time()
    known = identity(now - HOUR)
    log(now - HOUR, known)
    ask(handler, {"prediction_id": known, "label": True}, request_id="a")
    _, body = ask(handler, {"prediction_id": known, "label": False}, request_id="b")
    assert body["results"][0]["status"] == "contradicts"
    assert body["results"][0]["stored"] == "true"
    assert stored(known)[known].label == "true"
    _, body = ask(handler, {"prediction_id": known, "label": False, "correct": True}, request_id="c")
    assert statuses(body) == ["recorded"]
    kept = stored(known)[known]
    assert (kept.label, kept.source) == ("false", "http:c")
    assert [old["label"] for old in kept.history] == ["true"]


def test_of_two_labels_sent_at_once_one_is_recorded_and_the_other_contradicts():
    now = time.time()
    known = [identity(now - HOUR, number) for number in range(40)]
    log(now - HOUR, *known)

    def send(label: bool) -> Any:
        labels = ({"prediction_id": one, "label": label} for one in known)
        return ask(handler, *labels, request_id=f"r-{label}")[1]

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(send, (True, False)))
    for one, *pair in zip(known, *(answer["results"] for answer in answers), strict=True):
        assert sorted(result["status"] for result in pair) == ["contradicts", "recorded"]
        (winner,) = [n for n, result in enumerate(pair) if result["status"] == "recorded"]
        assert stored(one)[one].label == ("true", "false")[winner]


def test_a_record_that_arrived_in_the_next_hour_is_found():
    now = time.time()
    known = identity(now - HOUR - 60)
    log(now - HOUR - 60, known, arrival=now - HOUR)
    assert statuses(ask(handler, {"prediction_id": known, "label": True})[1]) == ["recorded"]


def test_a_prediction_of_another_model_is_unknown():
    now = time.time()
    known = identity(now - HOUR)
    log(now - HOUR, known, model="other")
    assert statuses(ask(handler, {"prediction_id": known, "label": True})[1]) == ["unknown"]


def test_a_late_line_of_the_log_is_noticed_after_a_while(world: World):
    now = time.time()
    known = identity(now - HOUR)
    assert statuses(ask(handler, {"prediction_id": known, "label": True})[1]) == ["unknown"]
    log(now - HOUR, known)
    assert statuses(ask(handler, {"prediction_id": known, "label": True})[1]) == ["unknown"], "remembered"
    world.pass_time(301)
    assert statuses(ask(handler, {"prediction_id": known, "label": True})[1]) == ["recorded"]


def test_an_hour_is_read_once_however_many_requests_ask_for_it(world: World):
    now = time.time()
    known = [identity(now - HOUR, number) for number in range(3)]
    log(now - HOUR, *known)
    for one in known[:2]:
        assert statuses(ask(handler, {"prediction_id": one, "label": True})[1]) == ["recorded"]
    for key in world.keys("data-bucket", "predictions/"):
        boto3.client("s3").delete_object(Bucket="data-bucket", Key=key)
    assert statuses(ask(handler, {"prediction_id": known[2], "label": True})[1]) == ["recorded"]


def test_more_log_than_a_request_may_read_leaves_labels_pending():
    now = time.time()
    known = identity(now - HOUR)
    log(now - HOUR, known)
    noise = boto3.client("s3")
    body = bytes(33 << 20)
    noise.put_object(Bucket="data-bucket", Key=f"{keys.predictions_of_hour('flights', now - HOUR)}x.gz", Body=body)
    _, body = ask(handler, {"prediction_id": known, "label": True})
    assert statuses(body) == ["pending"]
    assert "too much" in body["results"][0]["message"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (None, 400),
        ("{", 400),
        ("[]", 422),
        ('{"rows": []}', 422),
        ('{"labels": []}', 422),
        (json.dumps({"labels": [{}] * 1001}), 413),
        ('{"labels": [{"label": NaN}]}', 400),
    ],
)
def test_a_document_that_is_none_is_a_problem(body, status):
    answer = handler(event("/models/flights/feedback", body=body), None)
    assert answer["statusCode"] == status
    assert answer["headers"]["content-type"] == "application/problem+json"


def test_items_that_are_none_are_told_beside_those_that_are():
    known = identity(time.time() - 60)
    _, body = ask(handler, 5, {}, {"prediction_id": known}, {"prediction_id": known, "label": True})
    assert statuses(body) == ["invalid", "invalid", "invalid", "pending"]
    assert body["results"][2]["prediction_id"] == known
    assert "label is missing" in body["results"][2]["message"]


def test_a_thousand_labels_are_taken_in_one_request():
    now = time.time()
    known = [identity(now - HOUR, number) for number in range(1000)]
    log(now - HOUR, *known)
    status, body = ask(handler, *({"prediction_id": one, "label": True} for one in known))
    assert (status, body["counts"]["recorded"]) == (200, 1000)
    assert len(stored(*known)) == 1000


def test_what_is_stored_never_holds_more_than_a_label(world: World):
    """Labels are told by id; nothing of the row is copied into the table."""
    now = time.time()
    known = identity(now - HOUR)
    log(now - HOUR, known, row={"flight": "secret"}, note="x" * (LINE_BYTES // 2))
    ask(handler, {"prediction_id": known, "label": True})
    items = boto3.client("dynamodb").scan(TableName="labels")["Items"]
    assert set(items[0]) == {"hour", "prediction_id", "label", "recorded_at", "source", "found"}
    assert items[0]["hour"]["S"] == f"flights#{time.strftime('%Y-%m-%dT%H', time.gmtime(now - HOUR))}"


def test_a_missing_setting_is_a_500_without_a_word_of_the_inside(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("LABELS_TABLE")
    answer = handler(event("/models/flights/feedback", body='{"labels": [1]}'), None)
    assert answer["statusCode"] == 500
    assert "LABELS" not in answer["body"]


def test_a_table_that_is_not_there_is_a_fault_and_answered_as_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LABELS_TABLE", "none")
    status, _ = ask(handler, {"prediction_id": identity(time.time() - 60), "label": True})
    assert status == 500
