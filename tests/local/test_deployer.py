"""Stacks of the laptop engine: created, changed, rolled back and deleted as CloudFormation would."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.assembly import AssemblyError
from local.deployer import DeploymentError
from tests.local.deployer_world import World, asset, resource, template, world, write_assembly

QUEUE = resource("SQS::Queue", VisibilityTimeout=30)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "cdk.out") as made:
        yield made


def queue(seconds: int, **more: Any) -> dict[str, Any]:
    return template(Queue=resource("SQS::Queue", VisibilityTimeout=seconds, **more))


def exporting(name: str = "shared-Queue") -> dict[str, Any]:
    return template(
        {"Arn": {"Value": {"Fn::GetAtt": ["Queue", "Arn"]}, "Export": {"Name": name}, "Description": "d"}}, Queue=QUEUE
    )


def importing() -> dict[str, Any]:
    arn = {"Fn::ImportValue": "shared-Queue"}
    return template(Role=role(Policies=[{"PolicyName": "p", "PolicyDocument": statement(arn)}]))


def statement(target: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": target}]}


def role(**properties: Any) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [trust]}
    return resource("IAM::Role", AssumeRolePolicyDocument=document, **properties)


def failing(*after: str) -> dict[str, Any]:
    """Return a resource that AWS refuses: leave to call a function that is not there."""
    return resource(
        "Lambda::Permission",
        *after,
        FunctionName="nobody",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
    )


def urls(engine: World) -> list[str]:
    return list(engine.client("sqs").list_queues().get("QueueUrls", []))


def test_a_stack_is_created_with_outputs_tags_and_history(engine: World) -> None:
    reported = engine.deploy(shared=exporting())

    stack = engine.stack("shared")
    url = engine.ids("shared")["Queue"]
    arn = "arn:aws:sqs:us-east-1:123456789012:" + url.rsplit("/", 1)[1]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert stack["Tags"] == [{"Key": "perennial:stage", "Value": "dev"}]
    assert stack["Outputs"] == [
        {"OutputKey": "Arn", "OutputValue": arn, "ExportName": "shared-Queue", "Description": "d"}
    ]
    assert engine.client("sqs").list_queue_tags(QueueUrl=url)["Tags"] == {"perennial:stage": "dev"}
    assert [line[1:] for line in reported] == [
        ("shared", "CREATE_IN_PROGRESS"),
        ("Queue", "CREATE_IN_PROGRESS"),
        ("Queue", "CREATE_COMPLETE"),
        ("shared", "CREATE_COMPLETE"),
    ]
    events = engine.client("cloudformation").describe_stack_events(StackName="shared")["StackEvents"]
    assert events[0]["ResourceStatus"] == "CREATE_COMPLETE"


def test_the_bus_is_told_of_every_stack_status(engine: World) -> None:
    engine.deploy(shared=queue(30))
    engine.deploy(shared=queue(60))

    told = [event["detail"]["status-details"]["status"] for event in engine.emitted]
    assert told == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]
    stack_id = engine.stack("shared")["StackId"]
    assert engine.emitted[-1] == {
        "source": "aws.cloudformation",
        "type": "CloudFormation Stack Status Change",
        "detail": {
            "stack-id": stack_id,
            "status-details": {"status": "UPDATE_COMPLETE", "status-reason": ""},
            "client-request-token": "",
        },
        "resources": [stack_id],
    }


def test_an_unchanged_template_changes_nothing_and_tells_nobody(engine: World) -> None:
    engine.deploy(shared=exporting(), model=importing())
    engine.emitted.clear()

    assert engine.deploy(shared=exporting(), model=importing()) == [
        ("shared", "shared", "UNCHANGED"),
        ("model", "model", "UNCHANGED"),
    ]
    assert engine.emitted == []


def test_resources_are_made_in_the_order_of_references_and_depends_on(engine: World) -> None:
    dead = {"deadLetterTargetArn": {"Fn::GetAtt": ["Z", "Arn"]}, "maxReceiveCount": 3}
    reported = engine.deploy(
        one=template(A=resource("SQS::Queue", RedrivePolicy=dead), M=resource("SQS::Queue", "A"), Z=QUEUE)
    )

    assert [line[1] for line in reported if line[2] == "CREATE_COMPLETE"] == ["Z", "A", "M", "one"]


def test_a_stack_reads_the_exports_of_another(engine: World) -> None:
    engine.deploy(shared=exporting(), model=importing())

    name = engine.ids("model")["Role"]
    policy = engine.client("iam").get_role_policy(RoleName=name, PolicyName="p")["PolicyDocument"]
    assert policy["Statement"][0]["Resource"] == engine.stack("shared")["Outputs"][0]["OutputValue"]


def test_a_changed_property_is_changed_in_place_and_an_absent_one_goes_back_to_its_default(engine: World) -> None:
    engine.deploy(one=queue(90))
    before = engine.ids("one")

    engine.deploy(one=queue(60))
    assert engine.ids("one") == before
    assert attribute(engine, "VisibilityTimeout") == "60"

    engine.deploy(one=template(Queue=resource("SQS::Queue")))
    assert attribute(engine, "VisibilityTimeout") == "30"


def attribute(engine: World, name: str) -> str:
    url = engine.ids("one")["Queue"]
    found = engine.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return str(found[name])


def test_resources_come_and_go_with_the_template_and_retained_ones_stay_behind(engine: World) -> None:
    kept = resource("SQS::Queue", keep=True)
    engine.deploy(one=template(Old=QUEUE, Kept=kept))
    before = engine.ids("one")

    engine.deploy(one=template(New=QUEUE))

    after = engine.ids("one")
    assert list(after) == ["New"]
    assert sorted(urls(engine)) == sorted([before["Kept"], after["New"]])


def test_a_policy_that_the_engine_cannot_evaluate_stops_the_deployment_by_name(engine: World) -> None:
    late = {"DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*", "Condition": late}
    policy = {"Statement": [statement, {"Effect": "Deny", "NotAction": "sqs:*", "Resource": "*"}]}

    with pytest.raises(AssemblyError) as refused:
        engine.deploy(one=template(Policy=resource("SQS::QueuePolicy", Queues=[], PolicyDocument=policy)))

    told = [line.split(";")[0] for line in str(refused.value).splitlines()[1:]]
    assert told == [
        "one.template.json: Policy: condition operator DateGreaterThan is not supported",
        "one.template.json: Policy: condition key aws:CurrentTime is not supported",
        "one.template.json: Policy: policy element NotAction is not supported",
    ]


def test_everything_unknown_is_listed_at_once_before_anything_is_created(engine: World) -> None:
    first = template(Queue=resource("SQS::Queue", FifoQueue=True), Thing=resource("EC2::Instance"))
    second = template(
        {"Bad": {"Value": {"Fn::GetAtt": ["Queue", "Nothing"]}}},
        Queue=resource("SQS::Queue", VisibilityTimeout={"Fn::If": ["A", 1, 2]}),
        Role=role(Path={"Fn::ImportValue": "nobody"}),
        Rule=resource(
            "Events::Rule", "Ghost", Targets=[{"Id": "1", "Arn": {"Ref": "Gone"}, "EcsParameters": {"x": 1}}]
        ),
    )
    second["Conditions"] = {}
    second["Resources"]["A"] = resource("SQS::Queue", "B")
    second["Resources"]["B"] = resource("SQS::Queue", "A")
    second["Resources"]["Queue"]["Condition"] = "A"
    second["Parameters"]["Size"] = {"Type": "Number"}

    with pytest.raises(AssemblyError) as refused:
        engine.deploy(first=first, second=second)

    assert str(refused.value).splitlines()[1:] == [
        "first.template.json: Queue: AWS::SQS::Queue property FifoQueue is not supported",
        "first.template.json: Thing: resource type AWS::EC2::Instance is not supported",
        "second.template.json: section Conditions is not supported",
        "second.template.json: parameter Size is not supported; BootstrapVersion is the only one",
        "second.template.json: Queue: Condition is not supported",
        "second.template.json: Queue: Fn::If is not supported; supported are Fn::GetAtt, Fn::ImportValue, Fn::Join, "
        "Fn::Select, Fn::Split, Fn::Sub, Ref",
        "second.template.json: Role: AWS::IAM::Role property Path is not supported",
        "second.template.json: Role: Fn::ImportValue nobody: no stack before this one exports it",
        "second.template.json: Rule: DependsOn Ghost: there is no such resource",
        "second.template.json: Rule: AWS::Events::Rule property Targets.EcsParameters.x is not supported",
        "second.template.json: Rule: Ref Gone: there is no such resource",
        "second.template.json: resources need each other: A -> B -> A",
        "second.template.json: output Bad: AWS::SQS::Queue has no supported attribute Nothing (of Queue)",
    ]
    assert urls(engine) == []
    assert engine.client("cloudformation").describe_stacks()["Stacks"] == []


def test_alarms_that_no_stack_uses_are_refused_by_name(engine: World) -> None:
    alarms = template(
        Both=resource("CloudWatch::CompositeAlarm", AlarmRule="ALARM(One)"),
        Band=resource("CloudWatch::AnomalyDetector", MetricName="m"),
        Slow=resource("CloudWatch::Alarm", ExtendedStatistic="p99"),
        Sum=resource("CloudWatch::Alarm", Metrics=[{"Id": "e", "Expression": "m1 + m2"}]),
    )
    with pytest.raises(AssemblyError) as refused:
        engine.deploy(one=alarms)
    assert str(refused.value).splitlines()[1:] == [
        "one.template.json: Both: resource type AWS::CloudWatch::CompositeAlarm is not supported",
        "one.template.json: Band: resource type AWS::CloudWatch::AnomalyDetector is not supported",
        "one.template.json: Slow: AWS::CloudWatch::Alarm property ExtendedStatistic is not supported",
        "one.template.json: Sum: AWS::CloudWatch::Alarm property Metrics.Id is not supported",
        "one.template.json: Sum: AWS::CloudWatch::Alarm property Metrics.Expression is not supported",
    ]


def test_an_assembly_for_another_account_is_refused(engine: World) -> None:
    write_assembly(engine.folder, {"one": queue(30)}, environment="aws://999999999999/us-east-1")

    with pytest.raises(AssemblyError, match=r"is for aws://999999999999/us-east-1, .* aws://123456789012/us-east-1"):
        engine.deployer.deploy(engine.folder, lambda *_: None)


def test_a_failing_resource_is_named_and_nothing_of_its_stack_is_left(engine: World) -> None:
    with pytest.raises(DeploymentError, match=r"bad: Leave \(AWS::Lambda::Permission\): An error occurred \(") as said:
        engine.deploy(good=queue(30), bad=template(Queue=QUEUE, Leave=failing("Queue")))

    assert str(said.value).endswith("bad was rolled back: nothing of it is left")
    assert engine.stack("good")["StackStatus"] == "CREATE_COMPLETE"
    assert engine.stack("bad")["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "Leave" in engine.stack("bad")["StackStatusReason"]
    assert len(urls(engine)) == 1
    assert engine.deploy(bad=template(Queue=QUEUE))[-1] == ("bad", "bad", "CREATE_COMPLETE")


def test_a_failed_update_is_rolled_back_and_can_be_repeated(engine: World) -> None:
    engine.deploy(one=template(Queue=QUEUE, Gone=QUEUE))
    before = engine.ids("one")
    changed = resource("SQS::Queue", VisibilityTimeout=99)
    with pytest.raises(DeploymentError, match="one was rolled back: it is as it was before"):
        engine.deploy(one=template(Queue=changed, New=QUEUE, Leave=failing("Queue", "New")))

    assert engine.stack("one")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert engine.ids("one") == before
    assert attribute(engine, "VisibilityTimeout") == "30"
    assert len(urls(engine)) == 2
    assert engine.deploy(one=template(Queue=changed))[-1] == ("one", "one", "UPDATE_COMPLETE")
    assert attribute(engine, "VisibilityTimeout") == "99"
    assert len(urls(engine)) == 1


def test_what_a_failed_update_had_replaced_takes_its_place_again(engine: World) -> None:
    def key_schema(name: str) -> dict[str, Any]:
        return resource(
            "DynamoDB::Table",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": name, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"}],
        )

    engine.deploy(one=template(Table=key_schema("a")))
    before = engine.ids("one")
    table = engine.client("dynamodb")
    table.put_item(TableName=before["Table"], Item={"a": {"S": "kept"}})
    with pytest.raises(DeploymentError, match="it is as it was before"):
        engine.deploy(one=template(Table=key_schema("b"), Leave=failing("Table")))

    assert engine.ids("one") == before
    assert table.list_tables()["TableNames"] == [before["Table"]]
    assert table.scan(TableName=before["Table"])["Items"] == [{"a": {"S": "kept"}}]


def test_a_roll_back_that_cannot_end_says_what_is_left(engine: World) -> None:
    kept = resource("S3::Bucket", keep=True)
    with pytest.raises(DeploymentError) as said:
        engine.deploy(one=template(Queue=QUEUE, Kept=kept, Leave=failing("Queue", "Kept")))

    (left,) = [
        name["Name"] for name in engine.client("s3").list_buckets()["Buckets"] if name["Name"].startswith("one-")
    ]
    assert str(said.value).endswith(f"one was rolled back, but not all of it; left: Kept (AWS::S3::Bucket {left})")
    assert engine.stack("one")["StackStatus"] == "ROLLBACK_FAILED"
    assert urls(engine) == []


def test_an_update_that_cannot_be_rolled_back_says_what_is_left_and_the_next_goes_on_from_there(engine: World) -> None:
    engine.deploy(one=template(Queue=QUEUE))
    grown = template(Queue=QUEUE, Bucket=resource("S3::Bucket"), Leave=failing("Bucket"))
    write_assembly(engine.folder, {"one": grown})

    def fill(_: str, logical_id: str, status: str) -> None:
        if (logical_id, status) == ("Bucket", "CREATE_COMPLETE"):
            engine.client("s3").put_object(Bucket=engine.ids("one")["Bucket"], Key="k", Body=b"v")

    with pytest.raises(DeploymentError, match=r"not all of it; left: Bucket \(AWS::S3::Bucket one-bucket-\w+\)$"):
        engine.deployer.deploy(engine.folder, fill)

    assert engine.stack("one")["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
    assert engine.deploy(one=template(Queue=QUEUE))[-1] == ("one", "one", "UPDATE_COMPLETE")


def test_a_change_that_the_engine_cannot_make_in_place_is_refused_by_name(engine: World) -> None:
    def topic(key: str) -> dict[str, Any]:
        return template(Topic=resource("SNS::Topic", KmsMasterKeyId=key))

    engine.deploy(one=topic("alias/a"))

    with pytest.raises(DeploymentError, match=r"Topic .* cannot change KmsMasterKeyId in place; begin afresh"):
        engine.deploy(one=topic("alias/b"))


def test_a_resource_with_a_name_of_its_own_is_replaced_under_another_name_only(engine: World) -> None:
    def group(name: str, description: str) -> dict[str, Any]:
        named = {"ModelPackageGroupName": name, "ModelPackageGroupDescription": description}
        return template(Group=resource("SageMaker::ModelPackageGroup", **named))

    engine.deploy(one=group("a", "first"))

    with pytest.raises(DeploymentError, match=r"Group .*model-package-group/a has a name of its own"):
        engine.deploy(one=group("a", "second"))
    assert engine.ids("one")["Group"].endswith("/a")

    engine.deploy(two=template(Role=role(RoleName="c")))
    engine.deploy(two=template(Role=role(RoleName="d")))
    assert engine.ids("two") == {"Role": "d"}
    assert [one["RoleName"] for one in engine.client("iam").list_roles()["Roles"]] == ["d"]


@pytest.mark.parametrize(
    ("changed", "verb"), [(template(Queue=QUEUE), "deleted"), (exporting("other"), "deleted")], ids=["gone", "renamed"]
)
def test_an_export_in_use_stays(engine: World, changed: dict[str, Any], verb: str) -> None:
    engine.deploy(shared=exporting(), model=importing())

    with pytest.raises(DeploymentError, match=f"Export shared-Queue cannot be {verb} as it is in use by model"):
        engine.deploy(shared=changed)
    assert engine.stack("shared")["Outputs"][0]["ExportName"] == "shared-Queue"


def test_two_stacks_cannot_export_the_same_name(engine: World) -> None:
    with pytest.raises(DeploymentError, match=r"two: output Arn .*already exported by stack one"):
        engine.deploy(one=exporting(), two=exporting())


def test_a_deleted_stack_leaves_nothing_and_is_found_by_its_id_only(engine: World) -> None:
    engine.deploy(shared=exporting(), model=importing())
    cloudformation = engine.client("cloudformation")
    stack_id = engine.stack("shared")["StackId"]

    with pytest.raises(ClientError, match="Export shared-Queue cannot be deleted as it is in use by model"):
        cloudformation.delete_stack(StackName="shared")
    cloudformation.delete_stack(StackName="model")
    cloudformation.delete_stack(StackName="shared")
    cloudformation.delete_stack(StackName="never-there")

    assert urls(engine) == []
    assert engine.client("iam").list_roles()["Roles"] == []
    assert cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match="Stack with id shared does not exist"):
        cloudformation.describe_stacks(StackName="shared")


def test_a_stack_with_a_full_bucket_is_not_deleted_and_says_so(engine: World) -> None:
    engine.deploy(one=template(Bucket=resource("S3::Bucket"), Queue=QUEUE))
    bucket = engine.ids("one")["Bucket"]
    engine.client("s3").put_object(Bucket=bucket, Key="k", Body=b"v")

    engine.client("cloudformation").delete_stack(StackName="one")

    assert engine.stack("one")["StackStatus"] == "DELETE_FAILED"
    events = engine.client("cloudformation").describe_stack_events(StackName="one")["StackEvents"]
    failed = [e for e in events if e["ResourceStatus"] == "DELETE_FAILED"]
    assert [e["LogicalResourceId"] for e in failed] == ["one", "Bucket"]
    assert "BucketNotEmpty" in failed[1]["ResourceStatusReason"]
    assert list(engine.ids("one")) == ["Bucket"]

    engine.client("s3").delete_object(Bucket=bucket, Key="k")
    engine.client("cloudformation").delete_stack(StackName="one")
    assert engine.client("cloudformation").describe_stacks()["Stacks"] == []


def test_assets_are_published_under_their_keys_and_never_twice(engine: World) -> None:
    asset(engine.folder, "cafe", module="x = 1\n")
    engine.deploy(one=queue(30))
    bucket = "cdk-hnb659fds-assets-123456789012-us-east-1"
    first = engine.client("s3").head_object(Bucket=bucket, Key="cafe.zip")["VersionId"]

    engine.deploy(one=queue(31))

    assert engine.client("s3").head_object(Bucket=bucket, Key="cafe.zip")["VersionId"] == first


def test_a_stack_s_template_and_parameters_are_told_as_they_were_deployed(engine: World) -> None:
    engine.deploy(one=queue(30))
    written = json.loads((engine.folder / "one.template.json").read_text())
    body = engine.client("cloudformation").get_template(StackName="one")["TemplateBody"]
    assert json.dumps(body) == json.dumps(written)  # the order too: `cdk` compares texts
    assert engine.stack("one")["Parameters"] == [
        {"ParameterKey": "BootstrapVersion", "ParameterValue": "/cdk-bootstrap/hnb659fds/version"}
    ]


def test_change_sets_are_refused_with_the_command_that_deploys(engine: World) -> None:
    engine.deploy(one=queue(30))
    cloudformation = engine.client("cloudformation")
    with pytest.raises(ClientError, match=r"ValidationError.*run `perennial local up`"):
        cloudformation.create_change_set(StackName="one", ChangeSetName="c", TemplateBody="{}")
    with pytest.raises(ClientError, match="ChangeSetNotFound"):
        cloudformation.describe_change_set(StackName="one", ChangeSetName="c")
    cloudformation.delete_change_set(StackName="one", ChangeSetName="c")


def test_the_roles_of_bootstrapping_cannot_be_assumed(engine: World) -> None:
    role = "arn:aws:iam::123456789012:role/cdk-hnb659fds-deploy-role-123456789012-us-east-1"
    with pytest.raises(ClientError, match=r"AccessDenied.*not authorized to perform: sts:AssumeRole on resource"):
        engine.client("sts").assume_role(RoleArn=role, RoleSessionName="cdk")


def test_the_version_of_the_bootstrap_is_known(engine: World) -> None:
    ssm = engine.client("ssm")

    assert int(ssm.get_parameter(Name="/cdk-bootstrap/hnb659fds/version")["Parameter"]["Value"]) >= 6
    with pytest.raises(ClientError, match="ParameterNotFound"):
        ssm.get_parameter(Name="other")


def test_metadata_of_the_cdk_is_ignored(engine: World) -> None:
    engine.deploy(one=template(CDKMetadata=resource("CDK::Metadata", Analytics="x"), Queue=QUEUE))

    assert list(engine.ids("one")) == ["Queue"]
