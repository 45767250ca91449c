"""The default bus: what matches, what targets get, and what happens when a delivery fails."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.events.models import EventPattern, EventPatternParser

from local.chaos import Chaos
from local.input_transformer import render
from local.moto_state import Rule
from tests.local.core_world import FUNCTION, MACHINE, RULE_ROLE, World, allow, eventually, world

ENTRY = {"Source": "perennial", "DetailType": "Data Version Cut", "Detail": '{"stage": "dev", "dataset": "flights"}'}
PATTERN = {"source": ["perennial"], "detail": {"stage": ["dev"]}}
EVENT = {
    "version": "0",
    "id": "i",
    "time": "2026-11-21T10:00:00Z",
    "source": "aws.s3",
    "detail": {"object": {"key": 'a "quoted"\\ key', "size": 12}, "tags": ["x", "y"]},
}
RULE = ("rule", "arn:rule")


@pytest.fixture
def engine() -> Iterator[World]:
    with world() as made:
        yield made


def put(engine: World, **changes: Any) -> dict[str, Any]:
    return dict(engine.client("events").put_events(Entries=[ENTRY | changes])["Entries"][0])


def test_a_queue_gets_the_whole_event(engine: World) -> None:
    url, arn = engine.queue("q")
    engine.rule(PATTERN, arn)
    event_id = put(engine, Resources=["arn:x"])["EventId"]
    event = json.loads(eventually(lambda: engine.received(url), "message")[0]["Body"])
    assert event["id"] == event_id
    assert event["detail"] == {"stage": "dev", "dataset": "flights"}
    assert (event["source"], event["detail-type"], event["resources"]) == ("perennial", "Data Version Cut", ["arn:x"])
    assert (event["account"], event["region"]) == ("123456789012", "us-east-1")
    assert event["time"].endswith("Z")


def test_a_function_is_invoked_asynchronously(engine: World) -> None:
    engine.rule(PATTERN, FUNCTION)
    put(engine)
    invoked = eventually(lambda: engine.recorder.invoked, "invocation")[0]
    assert (invoked["FunctionName"], invoked["InvocationType"]) == (FUNCTION, "Event")
    assert json.loads(invoked["Payload"])["detail"]["stage"] == "dev"


def test_a_state_machine_is_started_under_a_name_of_its_own_each_time(engine: World) -> None:
    engine.rule(PATTERN, MACHINE, RoleArn=RULE_ROLE)
    put(engine)
    put(engine)
    started = eventually(lambda: engine.recorder.started if len(engine.recorder.started) == 2 else None, "executions")
    assert started[0]["name"] != started[1]["name"]
    assert json.loads(started[0]["input"])["detail"]["dataset"] == "flights"


def test_what_does_not_match_or_is_disabled_is_not_delivered(engine: World) -> None:
    url, arn = engine.queue("q")
    engine.rule(PATTERN, arn)
    put(engine, Detail='{"stage": "prod"}')
    engine.client("events").disable_rule(Name="rule")
    put(engine)
    engine.client("events").enable_rule(Name="rule")
    put(engine, Detail='{"stage": "dev", "last": true}')
    assert json.loads(eventually(lambda: engine.received(url), "message")[0]["Body"])["detail"]["last"]
    assert engine.received(url) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Source": "aws.s3"}, "NotAuthorizedForSourceException"),
        ({"Detail": "{not json"}, "MalformedDetail"),
        ({"Detail": "[1]"}, "MalformedDetail"),
        ({"DetailType": ""}, "InvalidArgument"),
        ({"EventBusName": "other"}, "ResourceNotFoundException"),
    ],
)
def test_bad_entries_fail_one_by_one(engine: World, changes: dict[str, str], code: str) -> None:
    answer = engine.client("events").put_events(Entries=[ENTRY | changes, ENTRY])
    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][0]["ErrorCode"] == code
    assert "EventId" in answer["Entries"][1]


def test_more_entries_or_bytes_than_aws_takes_are_refused(engine: World) -> None:
    events = engine.client("events")
    with pytest.raises(events.exceptions.ClientError, match="less than or equal to 10"):
        events.put_events(Entries=[ENTRY] * 11)
    with pytest.raises(events.exceptions.ClientError, match="over the limit"):
        events.put_events(Entries=[ENTRY | {"Detail": json.dumps({"x": "y" * 300_000})}])


def test_a_throttled_delivery_is_tried_again_on_the_engine_clock(engine: World) -> None:
    engine.rule(PATTERN, FUNCTION)
    engine.recorder.refuse_with = ["TooManyRequestsException", "TooManyRequestsException"]
    put(engine)

    def invoked() -> Any:
        engine.clock.advance(1)
        return engine.recorder.invoked

    assert len(eventually(invoked, "invocation")) == 1


def test_a_delivery_that_runs_out_of_attempts_goes_to_the_dead_letter_queue(engine: World) -> None:
    url, arn = engine.queue("dead")
    engine.rule(PATTERN, FUNCTION, DeadLetterConfig={"Arn": arn}, RetryPolicy={"MaximumRetryAttempts": 1})
    engine.recorder.refuse_with = ["TooManyRequestsException"] * 3
    put(engine)

    def dead() -> Any:
        engine.clock.advance(1)
        return engine.received(url)

    message = eventually(dead, "dead letter")[0]
    told = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert (told["ERROR_CODE"], told["RETRY_ATTEMPTS"]) == ("TooManyRequestsException", "1")
    assert told["EXHAUSTED_RETRY_CONDITION"] == "MaximumRetryAttempts"
    assert told["TARGET_ARN"] == FUNCTION
    assert json.loads(message["Body"])["detail"]["dataset"] == "flights"
    assert len(engine.recorder.refuse_with) == 1


def test_a_target_that_does_not_exist_is_not_tried_again(engine: World) -> None:
    url, arn = engine.queue("dead")
    engine.rule(PATTERN, FUNCTION, DeadLetterConfig={"Arn": arn})
    engine.recorder.refuse_with = ["ResourceNotFoundException"]
    put(engine)
    message = eventually(lambda: engine.received(url), "dead letter")[0]
    assert message["MessageAttributes"]["RETRY_ATTEMPTS"]["StringValue"] == "0"


@pytest.mark.parametrize(
    "statement",
    [
        None,
        allow("lambda:InvokeFunction", Principal={"Service": "s3.amazonaws.com"}),
        allow("lambda:GetFunction"),
        allow("lambda:InvokeFunction", Condition={"ArnLike": {"AWS:SourceArn": "arn:aws:events:*:*:rule/other"}}),
        allow("lambda:InvokeFunction", Condition={"Bool": {"aws:Odd": "true"}}),
        allow("lambda:InvokeFunction", Effect="Deny"),
    ],
)
def test_a_function_whose_policy_does_not_let_the_rule_is_not_invoked(engine: World, statement: Any) -> None:
    url, arn = engine.queue("dead")
    engine.rule(PATTERN, FUNCTION, DeadLetterConfig={"Arn": arn})
    engine.recorder.statement = statement
    put(engine)
    message = eventually(lambda: engine.received(url), "dead letter")[0]
    told = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert told["ERROR_CODE"] in ("AccessDeniedException", "ResourceNotFoundException")
    assert told["RETRY_ATTEMPTS"] == "0"
    assert engine.recorder.invoked == []


def test_a_policy_for_the_very_rule_lets_it(engine: World) -> None:
    source = {"ArnLike": {"AWS:SourceArn": "arn:aws:events:us-east-1:123456789012:rule/r*"}}
    owner = {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    engine.recorder.statement = allow("lambda:InvokeFunction", Condition=source | owner)
    engine.rule(PATTERN, FUNCTION)
    put(engine)
    eventually(lambda: engine.recorder.invoked, "invocation")


def test_a_queue_without_permission_gets_nothing_neither_as_target_nor_as_dead_letter_queue(engine: World) -> None:
    closed, closed_arn = engine.queue("closed", Policy="")
    url, arn = engine.queue("dead")
    engine.rule(PATTERN, closed_arn, DeadLetterConfig={"Arn": arn})
    put(engine)
    eventually(lambda: engine.received(url), "dead letter")
    engine.rule(PATTERN, arn.replace("dead", "gone"), DeadLetterConfig={"Arn": closed_arn})
    put(engine)
    engine.rule(PATTERN, arn)
    put(engine)
    eventually(lambda: engine.received(url), "message")
    assert engine.received(closed) == []


@pytest.fixture
def bucket(engine: World) -> World:
    s3 = engine.client("s3")
    s3.create_bucket(Bucket="data")
    s3.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(Bucket="data", NotificationConfiguration={"EventBridgeConfiguration": {}})
    return engine


def object_events(engine: World, count: int) -> list[dict[str, Any]]:
    """Receive `count` S3 events from the queue `seen`, in the order of their sequencers."""
    url = engine.client("sqs").get_queue_url(QueueName="seen")["QueueUrl"]
    found: list[dict[str, Any]] = []

    def all_of_them() -> Any:
        found.extend(json.loads(message["Body"]) for message in engine.received(url))
        return len(found) >= count

    eventually(all_of_them, f"{count} events")
    assert len(found) == count
    return sorted(found, key=lambda event: str(event["detail"]["object"]["sequencer"]))


def test_object_created_is_told_as_aws_documents_it(bucket: World) -> None:
    bucket.rule({"source": ["aws.s3"]}, bucket.queue("seen")[1])
    s3 = bucket.client("s3")
    put = s3.put_object(Bucket="data", Key="incoming/a b+ü.csv", Body=b"hello")
    copied = s3.copy_object(Bucket="data", Key="copy", CopySource={"Bucket": "data", "Key": "incoming/a b+ü.csv"})
    upload = s3.create_multipart_upload(Bucket="data", Key="big")["UploadId"]
    part = s3.upload_part(Bucket="data", Key="big", UploadId=upload, PartNumber=1, Body=b"part")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(Bucket="data", Key="big", UploadId=upload, MultipartUpload=parts)
    s3.put_object_tagging(Bucket="data", Key="copy", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    created, copy, big = object_events(bucket, 3)
    assert created["detail-type"] == "Object Created"
    assert created["resources"] == ["arn:aws:s3:::data"]
    assert created["detail"]["bucket"] == {"name": "data"}
    told = created["detail"]["object"]
    assert (told["key"], told["size"]) == ("incoming/a b+ü.csv", 5)
    assert (told["version-id"], told["etag"]) == (put["VersionId"], put["ETag"].strip('"'))
    assert copy["detail"]["object"]["version-id"] == copied["VersionId"]
    reasons = [event["detail"]["reason"] for event in (created, copy, big)]
    assert reasons == ["PutObject", "CopyObject", "CompleteMultipartUpload"]
    assert big["detail"]["object"]["size"] == 4
    assert len({event["id"] for event in (created, copy, big)}) == 3


def test_object_deleted_tells_markers_and_versions_apart(bucket: World) -> None:
    s3 = bucket.client("s3")
    first = s3.put_object(Bucket="data", Key="one", Body=b"x")["VersionId"]
    s3.put_object(Bucket="data", Key="two", Body=b"x")
    bucket.rule({"source": ["aws.s3"]}, bucket.queue("seen")[1])
    marker = s3.delete_object(Bucket="data", Key="one")["VersionId"]
    s3.delete_object(Bucket="data", Key="one", VersionId=first)
    s3.delete_objects(Bucket="data", Delete={"Objects": [{"Key": "two"}]})
    events = object_events(bucket, 3)
    assert {event["detail-type"] for event in events} == {"Object Deleted"}
    details = [event["detail"] for event in events]
    assert [(d["object"]["key"], d["deletion-type"]) for d in details] == [
        ("one", "Delete Marker Created"),
        ("one", "Permanently Deleted"),
        ("two", "Delete Marker Created"),
    ]
    assert [d["object"]["version-id"] for d in details[:2]] == [marker, first]
    assert {d["reason"] for d in details} == {"DeleteObject"}


def test_a_bucket_without_the_eventbridge_switch_tells_nothing(engine: World) -> None:
    url, arn = engine.queue("seen")
    engine.rule({"source": ["aws.s3", "perennial"]}, arn)
    engine.client("s3").create_bucket(Bucket="data")
    engine.client("s3").put_object(Bucket="data", Key="key", Body=b"x")
    put(engine)
    found = eventually(lambda: engine.received(url), "message")
    assert [json.loads(message["Body"])["source"] for message in found] == ["perennial"]


def test_chaos_delivers_events_again_late_out_of_order_and_those_without_a_promise_never() -> None:
    chaos = Chaos(seed=3, max_delay_seconds=5.0, missing_probability=0.3, latest_seconds=500.0)
    with world(chaos) as engine:
        seen = engine.recorder.invoked
        engine.rule(PATTERN | {"source": ["perennial", "aws.states"]}, FUNCTION)
        for number in range(30):
            put(engine, Detail=json.dumps({"stage": "dev", "number": number}))
            engine.bus.emit("aws.states", "Status", {"stage": "dev", "number": 100 + number})
        engine.clock.advance(10)
        eventually(lambda: len(seen) > 40, "first deliveries")
        engine.clock.advance(600)

        def numbers() -> list[int]:
            return [json.loads(call["Payload"])["detail"]["number"] for call in seen]

        eventually(lambda: {number for number in numbers() if number < 100} == set(range(30)), "all that are promised")
        promised = [number for number in numbers() if number < 100]
    assert len(promised) > 30
    assert promised != sorted(promised)
    assert 10 < len({number for number in numbers() if number >= 100}) < 30


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('{"key":<key>}', {"key": 'a "quoted"\\ key'}),
        ('{"text":"size <size> of <key>"}', {"text": 'size 12 of a "quoted"\\ key'}),
        ('{"size":<size>,"tags":<tags>}', {"size": 12, "tags": ["x", "y"]}),
        ('{"first":<first>,"none":<nowhere>}', {"first": "x", "none": ""}),
        ('{"rule":<aws.events.rule-name>,"event":<aws.events.event.json>}', {"rule": "rule", "event": EVENT}),
        ('"just <size>"', "just 12"),
    ],
)
def test_an_input_template_is_filled(template: str, expected: Any) -> None:
    paths = {"key": "$.detail.object.key", "size": "$.detail.object.size", "tags": "$.detail.tags"}
    paths |= {"first": "$.detail.tags[0]", "nowhere": "$.detail.no.such"}
    assert json.loads(render({"InputPathsMap": paths, "InputTemplate": template}, EVENT, RULE)) == expected


@given(st.text(), st.text(st.characters(exclude_characters='<>"\\', exclude_categories=["C"])))
def test_a_filled_template_stays_json_whatever_the_event_holds(key: str, words: str) -> None:
    event = EVENT | {"detail": {"key": key}}
    template = f'{{"bare":<key>,"inside":"{words} <key>"}}'
    rendered = json.loads(render({"InputPathsMap": {"key": "$.detail.key"}, "InputTemplate": template}, event, RULE))
    assert rendered == {"bare": key, "inside": f"{words} {key}"}


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ({"source": ["aws.s3"]}, True),
        ({"source": ["aws.sqs"]}, False),
        ({"detail": {"object": {"size": [{"numeric": [">", 10, "<=", 12]}]}}}, True),
        ({"detail": {"object": {"key": [{"prefix": "a "}]}}}, True),
        ({"detail": {"object": {"key": [{"suffix": ".csv"}]}}}, False),
        ({"detail": {"tags": ["y"]}}, True),
        ({"detail": {"tags": [{"anything-but": ["z"]}]}}, True),
        ({"detail": {"other": [{"exists": False}]}}, True),
        ({"detail": {"other": ["x"]}}, False),
        ({"$or": [{"source": ["aws.sqs"]}, {"source": ["aws.s3"]}]}, True),
    ],
)
def test_patterns_match_as_eventbridge_does(pattern: dict[str, Any], matches: bool) -> None:
    parsed = EventPattern(json.dumps(pattern), EventPatternParser(json.dumps(pattern)).parse())
    assert Rule("r", "arn", parsed, ()).matches(EVENT) is matches
