"""One test per symbol of moto that the engine changes, and what the engine relies on in the others."""

import hashlib
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from moto.s3.models import FakeKey

from local import moto_state
from local.moto_replacements import KEPT_BYTES
from tests.local.core_world import World, eventually, world
from tests.local.iam_world import allow, make_role


@pytest.fixture
def engine() -> Iterator[World]:
    with world() as made:
        made.client("s3").create_bucket(Bucket="data")
        yield made


def test_stored_objects_are_not_kept_for_ever(engine: World) -> None:
    before = len(FakeKey.instances_tracked)
    for _ in range(3):
        engine.client("s3").put_object(Bucket="data", Key="key", Body=b"x")
    assert len(FakeKey.instances_tracked) == before


def test_requests_to_a_bucket_with_access_logs_leave_no_objects_behind(engine: World) -> None:
    s3 = engine.client("s3")
    s3.create_bucket(Bucket="logs")
    grant = {"Principal": {"Service": "logging.s3.amazonaws.com"}, "Resource": "arn:aws:s3:::logs/*"}
    said = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:PutObject", **grant}]}
    s3.put_bucket_policy(Bucket="logs", Policy=json.dumps(said))
    enabled = {"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": "data/"}}
    s3.put_bucket_logging(Bucket="data", BucketLoggingStatus=enabled)
    s3.put_object(Bucket="data", Key="key", Body=b"x")
    assert s3.get_bucket_logging(Bucket="data")["LoggingEnabled"] == enabled["LoggingEnabled"]
    assert s3.list_objects_v2(Bucket="logs")["KeyCount"] == 0


def test_of_a_log_group_the_newest_megabytes_are_kept(engine: World) -> None:
    logs, sent = engine.client("logs"), KEPT_BYTES // 100_000 + 10
    logs.create_log_group(logGroupName="group")
    for name in ("older", "newer"):
        logs.create_log_stream(logGroupName="group", logStreamName=name)
    for number in range(sent):
        line = {"timestamp": int(engine.clock.now() * 1000), "message": f"{number} {'x' * 100_000}"}
        place = {"logGroupName": "group", "logStreamName": "older" if number < 5 else "newer"}
        logs.put_log_events(**place, logEvents=[line])
    place["logStreamName"] = "older"
    assert logs.get_log_events(**place)["events"] == []
    place["logStreamName"] = "newer"
    kept = [int(event["message"].split()[0]) for event in logs.get_log_events(**place, startFromHead=True)["events"]]
    assert kept == list(range(kept[0], sent))
    assert KEPT_BYTES <= len(kept) * 100_402 <= KEPT_BYTES + 110_000


def test_under_a_key_the_same_bytes_have_another_etag_each_time_and_none_is_their_md5(engine: World) -> None:
    s3, key = engine.client("s3"), engine.client("kms").create_key()["KeyMetadata"]["Arn"]
    s3.create_bucket(Bucket="secret")
    s3.put_bucket_versioning(Bucket="secret", VersioningConfiguration={"Status": "Enabled"})
    put = {"Bucket": "secret", "Key": "k", "Body": b"x", "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    first, second = s3.put_object(**put)["ETag"], s3.put_object(**put)["ETag"]
    plain = s3.put_object(Bucket="data", Key="k", Body=b"x")["ETag"]
    assert len({first, second, plain}) == 3
    assert plain == f'"{hashlib.md5(b"x").hexdigest()}"'
    assert s3.head_object(Bucket="secret", Key="k")["ETag"] == second
    assert s3.get_object(Bucket="secret", Key="k")["ETag"] == second
    assert [found["ETag"] for found in s3.list_objects_v2(Bucket="secret")["Contents"]] == [second]


def test_a_tls_only_policy_lets_loopback_requests_through_and_can_be_read_back(engine: World) -> None:
    s3 = engine.client("s3")
    deny = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "s3:*", "Resource": "arn:aws:s3:::data/*"}
    policy = {"Version": "2012-10-17", "Statement": [deny | {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}
    s3.put_bucket_policy(Bucket="data", Policy=json.dumps(policy))
    s3.put_object(Bucket="data", Key="key", Body=b"x")
    assert json.loads(s3.get_bucket_policy(Bucket="data")["Policy"]) == policy


def test_a_buckets_deny_refuses_a_role_that_may_write_there_unless_it_is_for_requests_without_tls(
    engine: World,
) -> None:
    s3 = engine.client("s3")
    writer = engine.clients("s3", make_role(engine.client("iam"), "writer", "lambda.amazonaws.com", allow("s3:*")))
    deny = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::data/*"}
    without_tls = deny | {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    s3.put_bucket_policy(Bucket="data", Policy=json.dumps({"Version": "2012-10-17", "Statement": without_tls}))
    writer.put_object(Bucket="data", Key="key", Body=b"x")
    s3.put_bucket_policy(Bucket="data", Policy=json.dumps({"Version": "2012-10-17", "Statement": deny}))
    with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
        writer.put_object(Bucket="data", Key="key", Body=b"x")


def test_the_eventbridge_switch_of_a_bucket_can_be_read_back(engine: World) -> None:
    s3 = engine.client("s3")
    assert "EventBridgeConfiguration" not in s3.get_bucket_notification_configuration(Bucket="data")
    s3.put_bucket_notification_configuration(Bucket="data", NotificationConfiguration={"EventBridgeConfiguration": {}})
    assert s3.get_bucket_notification_configuration(Bucket="data")["EventBridgeConfiguration"] == {}


def test_moto_delivers_no_s3_event_of_its_own(engine: World) -> None:
    url, arn = engine.queue("seen")
    engine.rule({"source": ["aws.s3"]}, arn)
    s3 = engine.client("s3")
    s3.put_bucket_notification_configuration(Bucket="data", NotificationConfiguration={"EventBridgeConfiguration": {}})
    s3.put_object(Bucket="data", Key="key", Body=b"x")
    found = eventually(lambda: engine.received(url), "event")
    assert len(found) == 1
    assert json.loads(found[0]["Body"])["id"] != "17793124-05d4-b198-2fde-7ededc63b103"
    assert engine.received(url) == []


def test_a_waiting_receiver_does_not_keep_others_from_sending(engine: World) -> None:
    url, _ = engine.queue("waiting")
    found: list[str] = []

    def receive() -> None:
        answer = engine.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=10)
        found.extend(message["Body"] for message in answer["Messages"])

    receiver = threading.Thread(target=receive)
    receiver.start()
    engine.client("sqs").send_message(QueueUrl=url, MessageBody="hello")
    receiver.join(5)
    assert found == ["hello"]


def test_of_many_conditional_writes_at_once_one_wins(engine: World) -> None:
    table = engine.client("dynamodb")
    table.create_table(
        TableName="claims",
        KeySchema=[{"AttributeName": "claim", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "claim", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )

    def claim(number: int) -> bool:
        try:
            table.put_item(
                TableName="claims",
                Item={"claim": {"S": "a"}, "owner": {"N": str(number)}},
                ConditionExpression="attribute_not_exists(claim)",
            )
        except table.exceptions.ConditionalCheckFailedException:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(claim, range(24))) == 1


def test_a_partition_is_read_without_the_others_in_order_and_page_by_page(engine: World) -> None:
    table = engine.client("dynamodb")
    table.create_table(
        TableName="labels",
        KeySchema=[{"AttributeName": "hour", "KeyType": "HASH"}, {"AttributeName": "name", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("hour", "name")],
        BillingMode="PAY_PER_REQUEST",
    )
    for name in ("c", "a", "b"):
        for hour in ("one", "two"):
            table.put_item(TableName="labels", Item={"hour": {"S": hour}, "name": {"S": name}})

    def names(hour: str) -> list[str]:
        wanted = {"KeyConditionExpression": "#h = :h", "ExpressionAttributeNames": {"#h": "hour"}}
        pages = table.get_paginator("query").paginate(
            TableName="labels", ExpressionAttributeValues={":h": {"S": hour}}, Limit=2, **wanted
        )
        return [item["name"]["S"] for page in pages for item in page["Items"]]

    assert (names("one"), names("two"), names("three")) == (["a", "b", "c"], ["a", "b", "c"], [])
    table.put_item(TableName="labels", Item={"hour": {"S": "three"}, "name": {"S": "d"}})
    assert names("three") == ["d"]
    assert table.scan(TableName="labels")["Count"] == 7


def test_stored_times_follow_the_engine_clock(engine: World) -> None:
    s3, sqs = engine.client("s3"), engine.client("sqs")
    url, _ = engine.queue("slow", VisibilityTimeout="600")
    s3.put_object(Bucket="data", Key="early", Body=b"x")
    sqs.send_message(QueueUrl=url, MessageBody="hello")
    assert len(engine.received(url)) == 1
    assert engine.received(url) == []
    engine.clock.advance(601)
    s3.put_object(Bucket="data", Key="late", Body=b"x")
    early, late = (s3.head_object(Bucket="data", Key=key)["LastModified"] for key in ("early", "late"))
    assert 600 <= (late - early).total_seconds() <= 605
    assert len(engine.received(url)) == 1


def test_a_message_received_once_too_often_goes_to_the_dead_letter_queue(engine: World) -> None:
    dead, dead_arn = engine.queue("dead")
    redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 2})
    url, _ = engine.queue("source", VisibilityTimeout="1", RedrivePolicy=redrive)
    engine.client("sqs").send_message(QueueUrl=url, MessageBody="poison")
    for _ in range(2):
        assert len(engine.received(url)) == 1
        engine.clock.advance(2)
    assert engine.received(url) == []
    assert [message["Body"] for message in engine.received(dead)] == ["poison"]


def test_has_visible_messages_sees_arrival_and_the_end_of_invisibility(engine: World) -> None:
    url, _ = engine.queue("watched", VisibilityTimeout="30")
    assert not moto_state.has_visible_messages("us-east-1", "watched")
    engine.client("sqs").send_message(QueueUrl=url, MessageBody="hello")
    assert moto_state.has_visible_messages("us-east-1", "watched")
    engine.received(url)
    assert not moto_state.has_visible_messages("us-east-1", "watched")
    engine.clock.advance(31)
    assert moto_state.has_visible_messages("us-east-1", "watched")
