"""Event source mappings: batches, pollers, partial failures, retries and dead letters."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from local.polling import failed_messages
from local.queues import POLLERS
from tests.local.core_world import FUNCTION, World, eventually, world


@pytest.fixture
def engine() -> Iterator[World]:
    with world() as made:
        yield made


def bind(engine: World, queue_arn: str, **settings: Any) -> dict[str, Any]:
    return dict(
        engine.client("lambda").create_event_source_mapping(EventSourceArn=queue_arn, FunctionName=FUNCTION, **settings)
    )


def send(engine: World, url: str, *bodies: str) -> None:
    for body in bodies:
        engine.client("sqs").send_message(QueueUrl=url, MessageBody=body)


def bodies(engine: World) -> list[str]:
    return [r["body"] for call in list(engine.recorder.invoked) for r in json.loads(call["Payload"])["Records"]]


def left(engine: World, url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = engine.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def test_messages_reach_the_function_as_records_and_are_deleted(engine: World) -> None:
    url, arn = engine.queue("q")
    bind(engine, arn)
    attributes = {"kind": {"DataType": "String", "StringValue": "look"}}
    sent = engine.client("sqs").send_message(QueueUrl=url, MessageBody="hello", MessageAttributes=attributes)
    eventually(lambda: engine.recorder.invoked, "invocation")
    eventually(lambda: left(engine, url) == 0, "empty queue")
    (record,) = json.loads(engine.recorder.invoked[0]["Payload"])["Records"]
    assert (record["messageId"], record["body"], record["md5OfBody"]) == (
        sent["MessageId"],
        "hello",
        sent["MD5OfMessageBody"],
    )
    assert (record["eventSource"], record["eventSourceARN"], record["awsRegion"]) == ("aws:sqs", arn, "us-east-1")
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["messageAttributes"]["kind"]["stringValue"] == "look"


def test_many_messages_each_reach_the_function_once(engine: World) -> None:
    url, arn = engine.queue("q")
    send(engine, url, *(str(number) for number in range(60)))
    bind(engine, arn, BatchSize=7)
    eventually(lambda: len(bodies(engine)) == 60, "60 messages")
    assert sorted(map(int, bodies(engine))) == list(range(60))
    assert max(len(json.loads(call["Payload"])["Records"]) for call in engine.recorder.invoked) <= 7


def test_batches_run_at_the_same_time(engine: World) -> None:
    together, most, lock, release = 0, 0, threading.Lock(), threading.Event()

    def work(event: dict[str, Any]) -> None:
        nonlocal together, most
        with lock:
            together += 1
            most = max(most, together)
        release.wait(5)
        with lock:
            together -= 1

    engine.recorder.answer = work
    url, arn = engine.queue("q")
    send(engine, url, *(str(number) for number in range(12)))
    bind(engine, arn, BatchSize=1)
    eventually(lambda: together == POLLERS, "concurrent batches")
    release.set()
    eventually(lambda: left(engine, url) == 0, "empty queue")
    assert most == POLLERS


def test_a_failed_batch_comes_back_after_the_visibility_timeout(engine: World) -> None:
    answers: list[Any] = [RuntimeError("no"), None]
    engine.recorder.answer = lambda event: answers.pop(0)
    url, arn = engine.queue("q", VisibilityTimeout="60")
    bind(engine, arn)
    send(engine, url, "hello")
    eventually(lambda: len(engine.recorder.invoked) == 1, "first attempt")
    assert left(engine, url) == 1
    engine.clock.advance(61)
    eventually(lambda: left(engine, url) == 0, "second attempt")
    assert bodies(engine) == ["hello", "hello"]


def test_only_the_messages_reported_as_failed_come_back(engine: World) -> None:
    def work(event: dict[str, Any]) -> dict[str, Any]:
        bad = [r["messageId"] for r in event["Records"] if r["body"] == "bad"]
        return {"batchItemFailures": [{"itemIdentifier": message} for message in bad]}

    engine.recorder.answer = work
    url, arn = engine.queue("q", VisibilityTimeout="600")
    send(engine, url, "good", "bad", "fine")
    bind(engine, arn, FunctionResponseTypes=["ReportBatchItemFailures"])
    eventually(lambda: len(bodies(engine)) == 3, "three messages")
    eventually(lambda: left(engine, url) == 1, "one message left")
    engine.clock.advance(601)
    eventually(lambda: len(bodies(engine)) == 4, "second attempt")
    assert bodies(engine)[3] == "bad"


def test_a_poison_message_ends_in_the_dead_letter_queue(engine: World) -> None:
    engine.recorder.answer = lambda event: RuntimeError("always")
    dead, dead_arn = engine.queue("dead")
    redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 3})
    url, arn = engine.queue("q", VisibilityTimeout="30", RedrivePolicy=redrive)
    bind(engine, arn)
    send(engine, url, "poison")

    def dead_letter() -> Any:
        engine.clock.advance(10)
        return engine.received(dead)

    assert [message["Body"] for message in eventually(dead_letter, "dead letter")] == ["poison"]
    assert bodies(engine) == ["poison"] * 3
    assert left(engine, url) == 0


def test_a_mapping_can_be_read_changed_and_deleted(engine: World) -> None:
    url, arn = engine.queue("q")
    made = bind(engine, arn)
    functions = engine.client("lambda")
    assert (made["State"], made["BatchSize"], made["FunctionArn"]) == ("Enabled", 10, FUNCTION)
    assert functions.get_event_source_mapping(UUID=made["UUID"])["EventSourceArn"] == arn
    changed = functions.update_event_source_mapping(UUID=made["UUID"], BatchSize=3)
    assert (changed["BatchSize"], changed["State"]) == (3, "Enabled")
    functions.delete_event_source_mapping(UUID=made["UUID"])
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        functions.get_event_source_mapping(UUID=made["UUID"])
    send(engine, url, "hello")
    assert engine.recorder.invoked == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"BatchSize": 11}, "BatchSize is 1 to 10"),
        ({"MaximumBatchingWindowInSeconds": 1}, "does not know MaximumBatchingWindowInSeconds"),
        ({"FilterCriteria": {"Filters": []}}, "does not know FilterCriteria"),
        ({"EventSourceArn": "arn:aws:kinesis:us-east-1:123456789012:stream/s"}, "Unrecognized event source"),
    ],
)
def test_settings_that_lambda_refuses_are_refused(engine: World, settings: dict[str, Any], message: str) -> None:
    _, arn = engine.queue("q")
    asked = {"EventSourceArn": arn, "FunctionName": FUNCTION} | settings
    with pytest.raises(ClientError, match=message):
        engine.client("lambda").create_event_source_mapping(**asked)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"FunctionName": FUNCTION.replace("handler", "gone")}, "Function not found"),
        ({"EventSourceArn": "arn:aws:sqs:us-east-1:123456789012:gone"}, "NonExistentQueue|does not exist"),
    ],
)
def test_a_mapping_between_what_does_not_exist_is_refused(
    engine: World, settings: dict[str, Any], message: str
) -> None:
    _, arn = engine.queue("q")
    asked = {"EventSourceArn": arn, "FunctionName": FUNCTION} | settings
    with pytest.raises(ClientError, match=message):
        engine.client("lambda").create_event_source_mapping(**asked)


def test_the_same_mapping_twice_is_a_conflict(engine: World) -> None:
    _, arn = engine.queue("q")
    bind(engine, arn)
    with pytest.raises(ClientError, match="ResourceConflictException"):
        bind(engine, arn)


@pytest.mark.parametrize("payload", [b"", b"null", b"{}", b'{"batchItemFailures": []}', b'{"batchItemFailures": null}'])
def test_an_answer_without_failures_means_success(payload: bytes) -> None:
    assert failed_messages(payload, ["a", "b"]) == set()


@pytest.mark.parametrize(
    "payload",
    [
        b"not json",
        b'"text"',
        b'{"batchItemFailures": [{"itemIdentifier": ""}]}',
        b'{"batchItemFailures": [{"itemIdentifier": "unknown"}]}',
        b'{"batchItemFailures": [{"wrong": "a"}]}',
        b'{"batchItemFailures": [{"itemIdentifier": ["a"]}]}',
    ],
)
def test_an_answer_that_cannot_be_understood_fails_the_whole_batch(payload: bytes) -> None:
    assert failed_messages(payload, ["a", "b"]) == {"a", "b"}


@given(st.lists(st.uuids().map(str), min_size=1, max_size=10, unique=True), st.data())
def test_exactly_the_reported_messages_have_failed(batch: list[str], data: st.DataObject) -> None:
    failed = data.draw(st.sets(st.sampled_from(batch)))
    payload = json.dumps({"batchItemFailures": [{"itemIdentifier": message} for message in failed]})
    assert failed_messages(payload.encode(), batch) == failed
