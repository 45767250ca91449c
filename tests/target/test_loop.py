"""The loop, seen from outside, wherever it is deployed: upload, queue, cutter, run, model, answer, alarm, decision."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lifecycle import keys, names
from tests.e2e.conftest import rows_as_csv
from tests.target import asked, on_localstack, shapes
from tests.target.place import ALARM_EVENTS, ENCRYPTION, HTTP, JOBS, MODEL, STAGE, Place
from tests.target.recorder import Recorder, anonymous

pytestmark = pytest.mark.slow

CHANGED = "aws.states-step-functions-execution-status-change"
DATED = [(f"{CHANGED}-running", "startDate")] + [
    (f"{CHANGED}-{status}", date) for status in ("succeeded", "failed", "aborted") for date in ("startDate", "stopDate")
]
EXCUSED = {"localstack": frozenset(f"{kind}: detail.{date} is text, not number" for kind, date in DATED)}
"""Where LocalStack's events are not what AWS documents; nothing of ours reads these members."""


def test_every_bucket_is_as_its_template_asks(place: Place) -> None:
    s3, wrong = place.client("s3"), []
    for bucket in asked.resources(place, "AWS::S3::Bucket"):
        found: dict[str, Any] = {
            "VersioningConfiguration": {"Status": s3.get_bucket_versioning(Bucket=bucket.name)["Status"]},
            "PublicAccessBlockConfiguration": s3.get_public_access_block(Bucket=bucket.name)[
                "PublicAccessBlockConfiguration"
            ],
            "OwnershipControls": s3.get_bucket_ownership_controls(Bucket=bucket.name)["OwnershipControls"],
        }
        wanted = {name: bucket.properties[name] for name in found}
        told = s3.get_bucket_notification_configuration(Bucket=bucket.name)
        wanted["Announces"] = "NotificationConfiguration" in bucket.properties
        found["Announces"] = "EventBridgeConfiguration" in told
        wrong += asked.differences(wanted, found, bucket.physical, bucket.logical)
    assert wrong == []


def test_every_bucket_is_encrypted_as_its_template_asks(place: Place) -> None:
    place.need(ENCRYPTION)
    s3, wrong = place.client("s3"), []
    for bucket in asked.resources(place, "AWS::S3::Bucket"):
        rules = s3.get_bucket_encryption(Bucket=bucket.name)["ServerSideEncryptionConfiguration"]["Rules"]
        found = [rule["ApplyServerSideEncryptionByDefault"] for rule in rules]
        wanted = bucket.properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        defaults = [rule["ServerSideEncryptionByDefault"] for rule in wanted]
        wrong += asked.differences(defaults, found, bucket.physical, bucket.logical)
    assert wrong == []


def test_every_queue_is_as_its_template_asks(place: Place) -> None:
    sqs, wrong = place.client("sqs"), []
    for queue in asked.resources(place, "AWS::SQS::Queue"):
        found = sqs.get_queue_attributes(QueueUrl=queue.name, AttributeNames=["All"])["Attributes"]
        if "RedrivePolicy" in found:
            found["RedrivePolicy"] = json.loads(found["RedrivePolicy"])
        wanted = {name: value for name, value in queue.properties.items() if name != "Tags"}
        wrong += asked.differences(wanted, found, queue.physical, queue.logical)
    assert wrong == []


def test_every_rule_and_its_targets_are_as_their_template_asks(place: Place) -> None:
    events, wrong = place.client("events"), []
    for rule in asked.resources(place, "AWS::Events::Rule"):
        found = events.describe_rule(Name=rule.name.rsplit("|", 1)[-1])
        if "EventPattern" in found:
            found["EventPattern"] = json.loads(found["EventPattern"])
        found["Targets"] = events.list_targets_by_rule(Rule=found["Name"])["Targets"]
        wanted = {name: value for name, value in rule.properties.items() if name != "Tags"}
        wrong += asked.differences(wanted, found, rule.physical, rule.logical)
    assert wrong == []


def test_every_alarm_and_every_mapping_of_a_queue_is_as_its_template_asks(place: Place) -> None:
    cloudwatch, functions, wrong = place.client("cloudwatch"), place.client("lambda"), []
    for alarm in asked.resources(place, "AWS::CloudWatch::Alarm"):
        found = cloudwatch.describe_alarms(AlarmNames=[alarm.name])["MetricAlarms"][0]
        wanted = {name: value for name, value in alarm.properties.items() if name != "Tags"}
        for side in (wanted, found):  # no order is promised
            side["Dimensions"] = sorted(side["Dimensions"], key=lambda dimension: str(dimension["Name"]))
        wrong += asked.differences(wanted, found, alarm.physical, alarm.logical)
    for mapping in asked.resources(place, "AWS::Lambda::EventSourceMapping"):
        found = functions.get_event_source_mapping(UUID=mapping.name)
        found["FunctionName"] = found["FunctionArn"].rsplit(":", 1)[-1]
        wanted = {name: value for name, value in mapping.properties.items() if name != "Tags"}
        wrong += asked.differences(wanted, found, mapping.physical, mapping.logical)
    assert wrong == []


def test_nothing_was_deployed_in_name_only(place: Place) -> None:
    if place.target != "localstack":
        pytest.skip(f"{place.target}: only LocalStack says that it made what it did not")
    found = on_localstack.fallbacks(place)
    assert on_localstack.unexpected(found) == {}
    assert found  # the text that is looked for is what this LocalStack writes


def test_localstack_takes_connections_on_loopback_only(place: Place) -> None:
    if place.process is None:
        pytest.skip(f"{place.target}: this is about LocalStack's process")
    assert place.process.listens_on() == {"0100007F"}


@pytest.fixture(scope="module")
def run(place: Place, recorder: Recorder) -> str:
    """The ARN of the execution that the first upload started."""
    place.upload("first.csv", rows_as_csv(600, 1))
    found = place.wait(lambda: next(iter(place.executions()), None), "execution for the upload")
    return str(found["executionArn"])


def test_an_upload_becomes_a_version_and_a_run_that_comes_to_its_first_job(place: Place, run: str) -> None:
    described = place.client("stepfunctions").describe_execution(executionArn=run)
    version = json.loads(described["input"])["detail"]["version"]
    bucket = place.shared[names.OUTPUT_DATA_BUCKET]
    manifest = place.client("s3").get_object(Bucket=bucket, Key=keys.manifest(MODEL, version))["Body"].read()
    assert b"first.csv" in manifest
    place.wait(lambda: "TrainFamilies" in _begun(place, run) or None, "family that is trained in the run's history")
    passed = [e["stateEnteredEventDetails"]["name"] for e in place.history(run) if "stateEnteredEventDetails" in e]
    wanted = ["StartRun", "Go?", "ProfileObjects", "ProfileBatch", "ValidateVersion", "Accepted?", "TrainFamilies"]
    assert passed[: len(wanted)] == wanted


def _begun(place: Place, run: str) -> list[str]:
    """The Map states of which an iteration has begun."""
    started = (e["mapIterationStartedEventDetails"] for e in place.history(run) if e["type"] == "MapIterationStarted")
    return [details["name"] for details in started]


def test_the_first_job_is_asked_for_with_the_runs_version(place: Place, run: str) -> None:
    if place.process is None:
        place.need(JOBS)
    elif JOBS in place.lacks:
        # LocalStack gives up on the task itself, and its history does not say on which
        assert "Unsupported sync callback procedure" in place.said("sagemaker:createTrainingJob.sync")
        return
    described = place.client("stepfunctions").describe_execution(executionArn=run)
    job = place.wait(lambda: _first_job(place, run), "training job in the run's history")
    assert job["resource"].startswith("createTrainingJob")
    wanted = json.loads(job["parameters"])
    assert wanted["HyperParameters"]["version"] == json.loads(described["input"])["detail"]["version"]
    assert wanted["EnableNetworkIsolation"] is True
    assert [channel["ChannelName"] for channel in wanted["InputDataConfig"]] == ["code", "wheels", "data", "manifest"]


def _first_job(place: Place, run: str) -> dict[str, Any] | None:
    scheduled = (e["taskScheduledEventDetails"] for e in place.history(run) if "taskScheduledEventDetails" in e)
    return next((details for details in scheduled if details["resourceType"] == "sagemaker"), None)


def test_the_run_registers_a_model(place: Place, run: str) -> None:
    place.need(JOBS)
    client = place.client("stepfunctions")
    ended = place.wait(lambda: _ended(client.describe_execution(executionArn=run)), "end of the run")
    assert ended["status"] == "SUCCEEDED", ended
    assert json.loads(ended["output"])["registered"]["status"] == "Approved"


def test_a_run_that_is_stopped_leaves_a_record_and_releases_its_model(place: Place, run: str) -> None:
    """Where there are no jobs this is how the run ends; the run of the next test needs the claim that it held."""
    if JOBS not in place.lacks:
        pytest.skip(f"{place.target}: the run went to its end")
    client = place.client("stepfunctions")
    if client.describe_execution(executionArn=run)["status"] == "RUNNING":
        client.stop_execution(executionArn=run, error="Target", cause="there are no jobs here")
    closed = place.wait(lambda: next((r for r in place.records() if r["status"] != "running"), None), "closed record")
    assert closed["status"] in ("aborted", "failed")
    assert closed["execution"] == run


def _ended(execution: dict[str, Any]) -> dict[str, Any] | None:
    return None if execution["status"] == "RUNNING" else execution


def test_the_model_answers_over_https(place: Place, run: str) -> None:
    place.need(JOBS, HTTP)
    place.wait(lambda: place.door.call("GET", f"/models/{MODEL}").status == 200 or None, "live model")
    answer = place.door.predict(MODEL, [{"key": "a", "x": 0.9, "z": "a"}, {"key": "b", "x": 0.1, "z": "b"}])
    assert answer.status == 200, answer
    first, second = answer.body["predictions"]
    assert first["probability"] > second["probability"]
    refused = place.door.predict(MODEL, [{"key": "a", "x": "no number", "z": "a"}])
    assert refused.status == 422


def test_the_operators_command_sees_what_is_there(place: Place, run: str) -> None:
    versions = json.loads(place.command("data", "list", MODEL, "--json"))
    assert len(versions) == 1
    assert [shown["model"] for shown in json.loads(place.command("status", "--json"))] == [MODEL]


def test_bad_rows_are_rejected_with_a_report_and_nothing_is_trained(place: Place, run: str) -> None:
    known = {execution["executionArn"] for execution in place.executions()}
    bad = place.folder / "tables" / "bad.csv"
    bad.write_bytes(b"key,x,z,y\n" + b"".join(b"bad-%d,not a number,a,1\n" % number for number in range(300)))
    place.command("upload", MODEL, str(bad), "--ready")
    client = place.client("stepfunctions")

    def finished() -> dict[str, Any] | None:
        new = [e for e in place.executions() if e["executionArn"] not in known and e["status"] != "RUNNING"]
        return client.describe_execution(executionArn=new[0]["executionArn"]) if new else None

    ended = place.wait(finished, "end of the run of bad rows")
    assert ended["status"] == "SUCCEEDED", ended
    record = place.wait(lambda: next((r for r in place.records() if r["status"] == "rejected"), None), "rejection")
    assert _first_job(place, ended["executionArn"]) is None
    report = place.artifact(record["run_id"], "validation", "report.json")
    assert any("bad.csv" in str(problem) and "x" in str(problem) for problem in report["problems"])


@pytest.fixture(scope="module")
def notices(place: Place) -> Any:
    """A queue that hears what the topic is told."""
    sqs, sns = place.client("sqs"), place.client("sns")
    topic = place.shared[names.OUTPUT_TOPIC]
    url = sqs.create_queue(QueueName=f"perennial-{STAGE}-notices")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnLike": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)["SubscriptionArn"]
    yield url
    sns.unsubscribe(SubscriptionArn=subscription)
    sqs.delete_queue(QueueUrl=url)


def test_a_raised_alarm_tells_the_topic_and_is_decided_about(
    place: Place, recorder: Recorder, run: str, notices: str
) -> None:
    name = names.alarm(STAGE, MODEL, names.ALERT_DRIFT)
    place.client("cloudwatch").put_metric_data(
        Namespace=names.METRIC_NAMESPACE,
        MetricData=[
            {
                "MetricName": names.METRIC_FEATURES_DRIFTED,
                "Dimensions": [{"Name": "Stage", "Value": STAGE}, {"Name": "Model", "Value": MODEL}],
                "Value": 2.0,
            }
        ],
    )
    place.look_again(name)
    cloudwatch = place.client("cloudwatch")
    place.wait(
        lambda: cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"] == "ALARM" or None,
        f"alarm {name}",
    )
    heard = place.wait(lambda: _heard(place, notices, name), "notice of the alarm")
    assert heard["NewStateValue"] == "ALARM"
    if ALARM_EVENTS in place.lacks:
        _announce(place, name)
    decided = place.wait(lambda: _decision(place, name), "decision about the alarm in the ledger")
    assert decided["detail"]["trigger"] == "alarm"
    assert decided["detail"]["decision"] in ("start", "wait", "no")


def _heard(place: Place, queue: str, alarm: str) -> dict[str, Any] | None:
    sqs = place.client("sqs")
    look = {"QueueUrl": queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": place.linger}
    for message in sqs.receive_message(**look).get("Messages", []):
        told: dict[str, Any] = json.loads(json.loads(message["Body"])["Message"])
        if told.get("AlarmName") == alarm:
            return told
    return None


def _announce(place: Place, alarm: str) -> None:
    """Put AWS's own event of a raised alarm on the bus, as the fixture has it."""
    event = shapes.read(shapes.FOLDER / "aws.cloudwatch-cloudwatch-alarm-state-change.json")["event"]
    entry = {
        "Source": event["source"],
        "DetailType": event["detail-type"],
        "Detail": json.dumps(event["detail"] | {"alarmName": alarm}),
        "Resources": event["resources"],
        "Time": datetime.now(UTC),
    }
    assert place.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def _decision(place: Place, alarm: str) -> dict[str, Any] | None:
    kept = (e for e in place.ledger() if e["kind"] == "retraining decided" and alarm in e["detail"]["reason"])
    return next(kept, None)


def test_events_have_the_shapes_that_aws_documents_or_sent(
    place: Place, recorder: Recorder, kept: Path, request: pytest.FixtureRequest
) -> None:
    events = [anonymous(event) for event in recorder.kept()]
    (kept / f"{place.target}.json").write_text(json.dumps(events, indent=2))
    if place.target == "aws" and request.config.getoption("--record"):
        day = datetime.now(UTC).date().isoformat()
        for event in events:
            shapes.write(event, f"aws, recorded on {day}")
    known = [(event, shapes.fixture(event)) for event in events]
    unknown = sorted({path.name for _, path in known if not path.exists()})
    assert unknown == []
    wrong = {
        f"{path.stem}: {difference}"
        for event, path in known
        for difference in shapes.differences(event, shapes.read(path))
    }
    assert wrong - EXCUSED.get(place.target, frozenset()) == set()
    assert {event["detail-type"] for event in events} >= {names.OBJECT_CREATED, names.EXECUTION_CHANGED}
