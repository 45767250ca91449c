"""Log events on their way to S3: subscription filters, and Firehose as far as the prediction log uses it."""

import gzip
import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.prediction_log import PATTERN
from local import moto_state
from local.api import ApiError
from local.chaos import Chaos
from local.clients import Clients
from local.clock import Clock
from local.dispatch import Dispatcher
from local.identity import Identity
from local.logs_delivery import LogsDelivery
from local.logs_delivery.batches import CONTROL_TEXT, envelope, extracted, failed_record, matcher, prefix_at
from tests.local.core_world import REGION, eventually
from tests.local.iam_world import guarded

ACCOUNT = "123456789012"
GROUP = "predict"
STREAM_ARN = f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/log"
LOGS_SOURCE = {"StringLike": {"aws:SourceArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:*"}}
EXTERNAL = {"StringEquals": {"sts:ExternalId": ACCOUNT}}
MINUTE = 61.0


@dataclass
class World:
    clock: Clock
    clients: Clients

    def client(self, service: str) -> Any:
        return self.clients.client(service)

    def role(self, name: str, service: str, condition: dict[str, Any], *granted: tuple[str, str]) -> str:
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        iam = self.client("iam")
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust | {"Condition": condition}]})
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        self.grant(name, *granted)
        return str(arn)

    def grant(self, name: str, *granted: tuple[str, str]) -> None:
        allowed = [{"Effect": "Allow", "Action": [action], "Resource": [on]} for action, on in granted]
        policy = json.dumps({"Version": "2012-10-17", "Statement": allowed})
        self.client("iam").put_role_policy(RoleName=name, PolicyName="Grants", PolicyDocument=policy)

    def stream(self, megabytes: int = 16) -> None:
        self.client("s3").create_bucket(Bucket="data")
        logs = self.client("logs")
        logs.create_log_group(logGroupName="errors")
        logs.create_log_stream(logGroupName="errors", logStreamName="s3")
        role = self.role("deliver", "firehose.amazonaws.com", EXTERNAL, *DELIVER)
        self.client("firehose").create_delivery_stream(
            DeliveryStreamName="log",
            ExtendedS3DestinationConfiguration={
                "BucketARN": "arn:aws:s3:::data",
                "RoleARN": role,
                "Prefix": "predictions/late/!{timestamp:yyyy/MM/dd/HH}/",
                "ErrorOutputPrefix": "failed/!{firehose:error-output-type}/",
                "CompressionFormat": "GZIP",
                "EncryptionConfiguration": {"NoEncryptionConfig": "NoEncryption"},
                "BufferingHints": {"IntervalInSeconds": 60, "SizeInMBs": megabytes},
                "CloudWatchLoggingOptions": {"Enabled": True, "LogGroupName": "errors", "LogStreamName": "s3"},
            },
        )

    def subscribe(self, name: str = "all", role: str | None = None, pattern: str = PATTERN) -> None:
        role = role or self.role(f"send-{name}", "logs.amazonaws.com", LOGS_SOURCE, *SEND)
        self.client("logs").put_subscription_filter(
            logGroupName=GROUP, filterName=name, filterPattern=pattern, destinationArn=STREAM_ARN, roleArn=role
        )

    def write(self, *messages: str) -> None:
        stamp = int(self.clock.now() * 1000)
        events = [{"timestamp": stamp, "message": message} for message in messages]
        self.client("logs").put_log_events(logGroupName=GROUP, logStreamName="one", logEvents=events)

    def keys(self, prefix: str = "") -> list[str]:
        found = self.client("s3").list_objects_v2(Bucket="data", Prefix=prefix).get("Contents", [])
        return [entry["Key"] for entry in found]

    def lines(self) -> list[str]:
        """Every line delivered so far, the test message aside."""
        s3 = self.client("s3")
        bodies = [s3.get_object(Bucket="data", Key=key)["Body"].read() for key in self.keys("predictions/")]
        lines = [line for body in bodies for line in gzip.decompress(body).decode().split("\n")]
        return [line for line in lines if line and line != CONTROL_TEXT]


SEND = [("firehose:PutRecord", STREAM_ARN), ("firehose:PutRecordBatch", STREAM_ARN)]
DELIVER = [("s3:PutObject", "arn:aws:s3:::data/predictions/late/*"), ("logs:PutLogEvents", "*")]


@contextmanager
def world(chaos: Chaos | None = None) -> Iterator[World]:
    moto_state.reset()
    clock, identity = Clock(), Identity()
    dispatch = Dispatcher(identity)
    made = LogsDelivery(Clients(dispatch, REGION), clock, guarded(dispatch), chaos)
    dispatch.register(made.operations())
    dispatch.observe("logs", made)
    engine = World(clock, Clients(dispatch, REGION))
    logs = engine.client("logs")
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName="one")
    engine.stream()
    try:
        yield engine
    finally:
        made.stop()
        clock.stop()


@pytest.fixture
def engine() -> Iterator[World]:
    with world() as made:
        yield made


def prediction(number: int) -> str:
    return json.dumps({"kind": "prediction", "number": number}) + "\n"


def test_matching_lines_arrive_as_gzip_ndjson_by_hour_of_arrival(engine: World) -> None:
    engine.subscribe()
    engine.write(prediction(1), "START RequestId: 1\n", '{"_aws": {}}\n', prediction(2), '{"kind": "failure"}\n')
    hour = datetime.fromtimestamp(engine.clock.now(), UTC).strftime("%Y/%m/%d/%H/")
    engine.clock.advance(MINUTE)
    (key,) = eventually(engine.keys, "object")
    assert key.startswith(f"predictions/late/{hour}log-1-{hour[:4]}-")
    assert key.endswith(".gz")
    assert [json.loads(line).get("number") for line in engine.lines()] == [1, 2, None]


def test_nothing_is_delivered_before_the_minute_is_over(engine: World) -> None:
    engine.subscribe()
    engine.write(prediction(1))
    engine.clock.advance(50)
    engine.write(prediction(2))
    assert engine.keys() == []
    engine.clock.advance(11)
    eventually(engine.keys, "object")
    assert len(engine.lines()) == 2


def test_a_full_buffer_is_delivered_at_once(engine: World) -> None:
    engine.subscribe()
    draw = random.Random(1)
    for _ in range(10):
        engine.write(json.dumps({"kind": "prediction", "noise": draw.randbytes(120_000).hex()}) + "\n")
    firehose = engine.client("firehose")
    stream = firehose.describe_delivery_stream(DeliveryStreamName="log")["DeliveryStreamDescription"]
    found = stream["Destinations"][0]["ExtendedS3DestinationDescription"]
    firehose.update_destination(
        DeliveryStreamName="log",
        CurrentDeliveryStreamVersionId="1",
        DestinationId="destinationId-000000000001",
        ExtendedS3DestinationUpdate=found | {"BufferingHints": {"IntervalInSeconds": 60, "SizeInMBs": 1}},
    )
    engine.write(prediction(99))
    (key,) = eventually(engine.keys, "object")
    assert "/log-2-" in key, "the name tells the stream's version"
    assert json.loads(engine.lines()[-1])["number"] == 99


def test_with_chaos_a_batch_may_come_twice() -> None:
    with world(Chaos(seed=1, duplicate_probability=1.0, max_duplicates=1)) as engine:
        engine.subscribe()
        engine.write(prediction(1))
        engine.clock.advance(MINUTE)
        eventually(engine.keys, "object")
        assert len(engine.lines()) == 2


def test_a_role_without_the_bucket_delivers_nothing_says_why_and_succeeds_once_it_may(engine: World) -> None:
    engine.grant("deliver", ("logs:PutLogEvents", "*"))
    engine.subscribe()
    engine.write(prediction(1))
    engine.clock.advance(MINUTE)
    logs = engine.client("logs")
    told = eventually(lambda: logs.filter_log_events(logGroupName="errors")["events"], "error line")
    line = json.loads(told[0]["message"])
    assert (line["errorCode"], line["deliveryStreamARN"]) == ("S3.AccessDenied", STREAM_ARN)
    assert "s3:PutObject" in line["message"]
    assert engine.keys() == []
    engine.grant("deliver", *DELIVER)
    engine.clock.advance(MINUTE)
    eventually(engine.keys, "object")
    assert len(engine.lines()) == 1


def test_what_could_not_be_delivered_for_a_day_is_dropped(engine: World) -> None:
    engine.grant("deliver", ("logs:PutLogEvents", "*"))
    engine.subscribe()
    engine.write(prediction(1))
    logs = engine.client("logs")

    def told() -> int:
        return len(logs.filter_log_events(logGroupName="errors")["events"])

    for tries, pause in enumerate((MINUTE, 86_400), start=1):
        engine.clock.advance(pause)
        eventually(lambda tries=tries: told() >= tries, "error line")
    engine.grant("deliver", *DELIVER)
    engine.write(prediction(2))
    engine.clock.advance(MINUTE)
    eventually(engine.keys, "object")
    assert [json.loads(line)["number"] for line in engine.lines()] == [2]


@pytest.mark.parametrize(
    ("service", "condition", "granted"),
    [
        ("firehose.amazonaws.com", LOGS_SOURCE, SEND),
        ("logs.amazonaws.com", {"StringLike": {"aws:SourceArn": "arn:aws:logs:eu-west-1:1:*"}}, SEND),
        ("logs.amazonaws.com", LOGS_SOURCE, SEND[:1]),
        ("logs.amazonaws.com", LOGS_SOURCE, [(action, f"{arn}-2") for action, arn in SEND]),
    ],
    ids=["another service", "another account", "one action of two", "another stream"],
)
def test_a_filter_whose_role_cannot_send_is_refused(engine, service, condition, granted) -> None:
    role = engine.role("poor", service, condition, *granted)
    with pytest.raises(ClientError, match=r"InvalidParameterException.*Could not deliver test message"):
        engine.subscribe(role=role)


def test_a_group_takes_two_filters_lists_them_and_lets_them_go(engine: World) -> None:
    logs = engine.client("logs")
    engine.subscribe("one")
    engine.subscribe("two")
    with pytest.raises(ClientError, match="LimitExceeded"):
        engine.subscribe("three")
    found = logs.describe_subscription_filters(logGroupName=GROUP)["subscriptionFilters"]
    assert [one["filterName"] for one in found] == ["one", "two"]
    logs.delete_subscription_filter(logGroupName=GROUP, filterName="one")
    with pytest.raises(ClientError, match="ResourceNotFound"):
        logs.delete_subscription_filter(logGroupName=GROUP, filterName="one")
    with pytest.raises(ClientError, match="ResourceNotFound"):
        logs.describe_subscription_filters(logGroupName="nowhere")


def test_who_writes_log_events_never_hears_of_a_stream_that_is_gone(engine: World) -> None:
    engine.subscribe()
    engine.client("firehose").delete_delivery_stream(DeliveryStreamName="log")
    engine.write(prediction(1))
    found = engine.client("logs").filter_log_events(logGroupName=GROUP)["events"]
    assert [event["message"] for event in found] == [prediction(1)]


def test_records_come_from_cloudwatch_logs_alone(engine: World) -> None:
    with pytest.raises(ClientError, match="InvalidSourceException"):
        engine.client("firehose").put_record(DeliveryStreamName="log", Record={"Data": b"x"})


@pytest.mark.parametrize(
    "pattern",
    ["", "ERROR", "{ $.kind != prediction }", '{ $.a.b = "c" }', '{ ($.kind = "a") && ($.kind = "b") }',
     '{ $.kind = "pre*" }', "{ $.n = 3 }"],
)  # fmt: skip
def test_other_filter_patterns_are_refused_by_name(pattern: str) -> None:
    with pytest.raises(ApiError, match="Invalid filter pattern"):
        matcher(pattern)


def test_a_pattern_looks_at_members_of_json_objects_only() -> None:
    matches = matcher(PATTERN)
    assert matches('{"kind": "prediction"}')
    assert matches('{"kind": "failure", "x": 1}\n')
    assert not any(
        map(matches, ['{"kind": "other"}', '"prediction"', '[{"kind": "prediction"}]', "kind prediction", ""])
    )


@given(st.lists(st.text(max_size=40), max_size=5))
def test_extraction_keeps_messages_as_they_are_and_ends_the_record(messages: list[str]) -> None:
    events = [{"id": "1", "timestamp": 1, "message": message} for message in messages]
    assert extracted(envelope("DATA_MESSAGE", "g", "s", "f", events)) == "".join(messages).encode() + b"\n"


def test_a_record_that_is_no_batch_stands_in_the_error_output_with_the_reason() -> None:
    with pytest.raises(ValueError, match="not decompressed"):
        extracted(b"plain")
    line = json.loads(failed_record(b"plain", 1.0, 2.0, "why"))
    assert (line["errorCode"], line["rawData"], line["arrivalTimestamp"]) == ("Decompression.Failed", "cGxhaW4=", 1000)


def test_prefixes_are_evaluated_in_utc_and_other_expressions_are_refused() -> None:
    at = datetime(2026, 11, 21, 5, 59, 59, tzinfo=UTC).timestamp()
    assert prefix_at("a/!{timestamp:yyyy/MM/dd/HH}/", at) == "a/2026/11/21/05/"
    assert prefix_at("a/!{firehose:error-output-type}/!{timestamp:yyyy}/", at, "failed") == "a/failed/2026/"
    for unknown in ("!{timestamp:EEE}/", "!{firehose:random-string}/", "!{partitionKeyFromQuery:x}/"):
        with pytest.raises(ValueError, match="does not know the prefix expression"):
            prefix_at(unknown, at)
