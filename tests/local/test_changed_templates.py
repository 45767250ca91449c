"""A second deployment of an edited template: data stay, what is refused is refused whole, nothing stays by silence."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.deployer import DeploymentError
from tests.local.deployer_world import CODE, World, asset, resource, template, world


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "cdk.out") as made:
        yield made


def table(key: str, known: str = "", **policies: str) -> dict[str, Any]:
    made = resource(
        "DynamoDB::Table",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": known or key, "AttributeType": "S"}],
    )
    return made | policies


def document(action: str, target: Any, service: str) -> dict[str, Any]:
    principal = {"Service": f"{service}.amazonaws.com"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": action}
    return {"Version": "2012-10-17", "Statement": [statement | ({"Resource": target} if target else {})]}


def allowed(*queues: str) -> dict[str, Any]:
    policy = document("sqs:SendMessage", "*", "events")
    return resource("SQS::QueuePolicy", Queues=[{"Ref": name} for name in queues], PolicyDocument=policy)


def attributes(engine: World, logical_id: str) -> dict[str, str]:
    url = engine.ids("one")[logical_id]
    found: dict[str, str] = engine.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])[
        "Attributes"
    ]
    return found


def test_data_stay_where_every_resource_that_holds_some_is_changed(engine: World) -> None:
    def made(seconds: int, versions: str, recovery: bool) -> dict[str, Any]:
        backups = {"PointInTimeRecoveryEnabled": recovery}
        claims = table("a")
        claims["Properties"]["PointInTimeRecoverySpecification"] = backups
        return template(
            Data=resource("S3::Bucket", VersioningConfiguration={"Status": versions}),
            Claims=claims,
            Looks=resource("SQS::Queue", VisibilityTimeout=seconds),
            Models=resource("SageMaker::ModelPackageGroup", ModelPackageGroupName="models"),
            Printed=resource("Logs::LogGroup", RetentionInDays=seconds),
        )

    engine.deploy(one=made(30, "Suspended", recovery=False))
    ids = engine.ids("one")
    s3, sqs, dynamodb, logs = (engine.client(name) for name in ("s3", "sqs", "dynamodb", "logs"))
    registry = engine.client("sagemaker")
    s3.put_object(Bucket=ids["Data"], Key="k", Body=b"kept")
    dynamodb.put_item(TableName=ids["Claims"], Item={"a": {"S": "kept"}})
    sqs.send_message(QueueUrl=ids["Looks"], MessageBody="kept")
    registry.create_model_package(ModelPackageGroupName="models", ModelPackageDescription="kept")
    logs.create_log_stream(logGroupName=ids["Printed"], logStreamName="kept")

    engine.deploy(one=made(60, "Enabled", recovery=True))

    assert engine.ids("one") == ids
    assert s3.get_object(Bucket=ids["Data"], Key="k")["Body"].read() == b"kept"
    assert dynamodb.scan(TableName=ids["Claims"])["Items"] == [{"a": {"S": "kept"}}]
    assert [one["Body"] for one in sqs.receive_message(QueueUrl=ids["Looks"])["Messages"]] == ["kept"]
    (package,) = registry.list_model_packages(ModelPackageGroupName="models")["ModelPackageSummaryList"]
    assert package["ModelPackageDescription"] == "kept"
    assert [one["logStreamName"] for one in logs.describe_log_streams(logGroupName=ids["Printed"])["logStreams"]] == [
        "kept"
    ]


def test_a_queue_whose_settings_change_keeps_its_policy(engine: World) -> None:
    engine.deploy(one=template(Queue=resource("SQS::Queue", VisibilityTimeout=30), Allowed=allowed("Queue")))

    engine.deploy(one=template(Queue=resource("SQS::Queue", VisibilityTimeout=60), Allowed=allowed("Queue")))

    assert "events.amazonaws.com" in attributes(engine, "Queue")["Policy"]


def test_a_policy_goes_from_one_queue_to_another(engine: World) -> None:
    queues = {name: resource("SQS::Queue") for name in ("First", "Second", "Third")}
    engine.deploy(one=template(**queues, Allowed=allowed("First", "Second")))

    engine.deploy(one=template(**queues, Allowed=allowed("Second", "Third")))

    open_to = {name: bool(attributes(engine, name).get("Policy")) for name in queues}
    assert open_to == {"First": False, "Second": True, "Third": True}


def test_a_replacement_that_is_refused_leaves_the_old_one_with_its_data(engine: World) -> None:
    engine.deploy(one=template(Table=table("a")))
    name = engine.ids("one")["Table"]
    engine.client("dynamodb").put_item(TableName=name, Item={"a": {"S": "kept"}})

    with pytest.raises(DeploymentError, match="one was rolled back: it is as it was before"):
        engine.deploy(one=template(Table=table("b", known="c")))

    assert engine.ids("one") == {"Table": name}
    assert engine.client("dynamodb").scan(TableName=name)["Items"] == [{"a": {"S": "kept"}}]


@pytest.mark.parametrize(
    ("policies", "left"),
    [
        ({"UpdateReplacePolicy": "Retain", "DeletionPolicy": "Delete"}, 2),
        ({"UpdateReplacePolicy": "Delete", "DeletionPolicy": "Retain"}, 1),
    ],
)
def test_what_is_replaced_stays_when_the_template_says_so(engine: World, policies: dict[str, str], left: int) -> None:
    engine.deploy(one=template(Table=table("a", **policies)))
    old = engine.ids("one")["Table"]

    engine.deploy(one=template(Table=table("b", **policies)))

    names = engine.client("dynamodb").list_tables()["TableNames"]
    assert (len(names), old in names) == (left, left == 2)
    assert engine.ids("one")["Table"] != old


def test_a_resource_does_not_change_its_type(engine: World) -> None:
    engine.deploy(one=template(Thing=resource("SQS::Queue")))
    before = engine.stack("one")

    with pytest.raises(DeploymentError, match=r"Update of resource type is not permitted.*resources: \[Thing\]"):
        engine.deploy(one=template(Thing=resource("SNS::Topic")))

    assert engine.stack("one") == before
    assert len(engine.client("sqs").list_queues()["QueueUrls"]) == 1


def test_a_property_that_cannot_be_taken_away_is_refused_by_name(engine: World) -> None:
    dead = {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 3}
    engine.deploy(one=template(Dead=resource("SQS::Queue"), Queue=resource("SQS::Queue", RedrivePolicy=dead)))

    with pytest.raises(DeploymentError, match=r"Queue .*cannot take RedrivePolicy away; give a value, or begin afresh"):
        engine.deploy(one=template(Dead=resource("SQS::Queue"), Queue=resource("SQS::Queue")))

    assert "RedrivePolicy" in attributes(engine, "Queue")


def test_a_change_that_fails_half_way_is_undone(engine: World) -> None:
    def made(key: str, memory: int) -> dict[str, Any]:
        trust = document("sts:AssumeRole", None, "lambda")
        asked: dict[str, Any] = {
            "Handler": "module.handler",
            "Runtime": "python3.12",
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        }
        return template(
            Role=resource("IAM::Role", AssumeRolePolicyDocument=trust),
            Function=resource("Lambda::Function", Code={**CODE, "S3Key": key}, MemorySize=memory, **asked),
        )

    for digest, value in (("cafe", 1), ("beef", 2)):
        asset(engine.folder, digest, module=f"def handler(event, context):\n    return {value}\n")
    engine.deploy(one=made("cafe.zip", 256))
    name = engine.ids("one")["Function"]
    functions = engine.client("lambda")
    before = functions.get_function_configuration(FunctionName=name)

    # the code is changed before its memory is refused
    with pytest.raises(DeploymentError, match="one was rolled back: it is as it was before"):
        engine.deploy(one=made("beef.zip", 100_000))

    after = functions.get_function_configuration(FunctionName=name)
    assert (after["CodeSha256"], after["MemorySize"]) == (before["CodeSha256"], 256)


def test_what_a_change_took_away_goes_back_to_what_aws_takes(engine: World) -> None:
    def made(**alarm: Any) -> dict[str, Any]:
        asked: dict[str, Any] = {
            "Namespace": "N",
            "MetricName": "M",
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 3,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanThreshold",
        }
        return template(Alarm=resource("CloudWatch::Alarm", **asked, **alarm))

    engine.deploy(one=made(DatapointsToAlarm=2, AlarmDescription="d", TreatMissingData="ignore"))
    engine.deploy(one=made())

    (alarm,) = engine.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert alarm["DatapointsToAlarm"] == alarm["EvaluationPeriods"] == 3
    assert (alarm.get("AlarmDescription", ""), alarm["TreatMissingData"]) == ("", "missing")
