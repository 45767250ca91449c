"""Each resource type: what AWS says after creation, after a change, and when it is gone."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.assembly import AssemblyError
from local.deployer import DeploymentError
from local.resources.catalogue import KINDS
from tests.issuer import running
from tests.local.deployer_world import CODE, World, asset, resource, template, world

ACCOUNT = "123456789012"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "cdk.out") as made:
        asset(made.folder, "cafe", module="def handler(event, context):\n    return 1\n")
        asset(made.folder, "beef", module="def handler(event, context):\n    return 2\n")
        yield made


KEY_ARN = "arn:aws:kms:us-east-1:123456789012:key/1"


def document(action: str, target: Any = "*", **principal: Any) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": action}
    statement |= {"Principal": principal} if principal else {}
    return {"Version": "2012-10-17", "Statement": [statement | {"Resource": target} if target else statement]}


def ref(logical_id: str) -> dict[str, Any]:
    return {"Ref": logical_id}


def of(logical_id: str, attribute: str = "Arn") -> dict[str, Any]:
    return {"Fn::GetAtt": [logical_id, attribute]}


def role(service: str = "lambda", **properties: Any) -> dict[str, Any]:
    trust = document("sts:AssumeRole", None, Service=f"{service}.amazonaws.com")
    return resource("IAM::Role", AssumeRolePolicyDocument=trust, **properties)


def function(key: str = "cafe.zip", **properties: Any) -> dict[str, Any]:
    asked = {"Handler": "module.handler", "Runtime": "python3.12", "Role": of("Role"), **properties}
    return resource("Lambda::Function", Code={**CODE, "S3Key": key}, **asked)


def test_every_type_is_covered_here() -> None:
    text = Path(__file__).read_text()

    assert [name for name in KINDS if f'"{name.removeprefix("AWS::")}"' not in text] == []


def test_key(engine: World) -> None:
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}

    def made(action: str, **more: Any) -> dict[str, Any]:
        return template(Key=resource("KMS::Key", KeyPolicy=document(action, **root), **more))

    kms = engine.client("kms")
    engine.deploy(one=made("kms:*", EnableKeyRotation=True))
    key = engine.ids("one")["Key"]
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]

    engine.deploy(one=made("kms:Decrypt"))
    assert not kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
    assert "kms:Decrypt" in kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]

    engine.client("cloudformation").delete_stack(StackName="one")
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"


def test_bucket_and_policy(engine: World) -> None:
    encryption = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k"}
    rules = [
        {"Id": "Clean", "Status": "Enabled", "NoncurrentVersionExpiration": {"NoncurrentDays": 90}},
        {"Id": "Old", "Status": "Enabled", "ExpirationInDays": 9},
    ]
    closed = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
    settings = {
        "VersioningConfiguration": {"Status": "Enabled"},
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [
                {"BucketKeyEnabled": True, "ServerSideEncryptionByDefault": encryption}
            ]
        },
        "PublicAccessBlockConfiguration": closed,
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "LifecycleConfiguration": {"Rules": rules},
        "NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
    }
    logged = {"LoggingConfiguration": {"DestinationBucketName": ref("Logs"), "LogFilePrefix": "access/"}}
    delivery = document("s3:PutObject", {"Fn::Join": ["", [of("Logs"), "/*"]]}, Service="logging.s3.amazonaws.com")
    logs = {
        "Logs": resource("S3::Bucket", OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}),
        # as CDK writes it, the policy comes after the bucket whose logs it lets in
        "Policy": resource("S3::BucketPolicy", "Data", Bucket=ref("Logs"), PolicyDocument=delivery),
    }
    s3 = engine.client("s3")

    engine.deploy(one=template(Data=resource("S3::Bucket", **settings, **logged), **logs))
    ids = engine.ids("one")
    data = {"Bucket": ids["Data"]}
    assert ids["Data"] == ids["Data"].lower()
    assert s3.get_bucket_versioning(**data)["Status"] == "Enabled"
    rule = s3.get_bucket_encryption(**data)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule == {"ApplyServerSideEncryptionByDefault": encryption, "BucketKeyEnabled": True}
    assert s3.get_public_access_block(**data)["PublicAccessBlockConfiguration"] == closed
    assert len(s3.get_bucket_lifecycle_configuration(**data)["Rules"]) == 2
    assert s3.get_bucket_logging(**data)["LoggingEnabled"]["TargetBucket"] == ids["Logs"]
    assert s3.get_bucket_tagging(**data)["TagSet"] == [{"Key": "perennial:stage", "Value": "dev"}]

    settings["LifecycleConfiguration"] = {"Rules": rules[:1]}
    engine.deploy(one=template(Data=resource("S3::Bucket", **settings, **logged), **logs))
    assert [r["ID"] for r in s3.get_bucket_lifecycle_configuration(**data)["Rules"]] == ["Clean"]

    del settings["LifecycleConfiguration"]
    delivery["Statement"][0]["Sid"] = "Delivery"
    engine.deploy(one=template(Data=resource("S3::Bucket", **settings, **logged), **logs))
    assert engine.ids("one") == ids
    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(**data)
    assert "Delivery" in s3.get_bucket_policy(Bucket=ids["Logs"])["Policy"]

    engine.client("cloudformation").delete_stack(StackName="one")
    assert ids["Data"] not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


def test_alarm(engine: World) -> None:
    def made(threshold: int, **more: Any) -> dict[str, Any]:
        asked = {
            "AlarmName": "perennial-dev-errors",
            "AlarmDescription": "the live version fails",
            "Namespace": "AWS/Lambda",
            "MetricName": "Errors",
            "Dimensions": [{"Name": "FunctionName", "Value": "f"}, {"Name": "Resource", "Value": "f:live"}],
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 5,
            "DatapointsToAlarm": 2,
            "Threshold": threshold,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
        }
        return template(Alarm=resource("CloudWatch::Alarm", **asked | more))

    alarms = engine.client("cloudwatch")
    engine.deploy(one=made(1))
    (found,) = alarms.describe_alarms()["MetricAlarms"]
    assert (found["AlarmName"], found["Threshold"], found["DatapointsToAlarm"]) == ("perennial-dev-errors", 1.0, 2)
    tags = alarms.list_tags_for_resource(ResourceARN=found["AlarmArn"])["Tags"]
    assert tags == [{"Key": "perennial:stage", "Value": "dev"}]

    engine.deploy(one=made(3))
    assert alarms.describe_alarms()["MetricAlarms"][0]["Threshold"] == 3.0
    with pytest.raises(AssemblyError, match="InsufficientDataActions is not supported"):
        engine.deploy(one=made(3, InsufficientDataActions=["arn:aws:sns:us-east-1:123456789012:t"]))

    engine.client("cloudformation").delete_stack(StackName="one")
    assert alarms.describe_alarms()["MetricAlarms"] == []


def test_table(engine: World) -> None:
    def made(recovery: bool) -> dict[str, Any]:
        return template(
            Table=resource(
                "DynamoDB::Table",
                AttributeDefinitions=[{"AttributeName": "claim", "AttributeType": "S"}],
                KeySchema=[{"AttributeName": "claim", "KeyType": "HASH"}],
                BillingMode="PAY_PER_REQUEST",
                SSESpecification={"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": "arn:aws:kms:::key/k"},
                PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": recovery},
            )
        )

    def recovery() -> str:
        found = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        return str(found["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"])

    dynamodb = engine.client("dynamodb")
    engine.deploy(one=made(True))
    name = engine.ids("one")["Table"]
    dynamodb.put_item(TableName=name, Item={"claim": {"S": "cut#flights"}})
    assert recovery() == "ENABLED"

    engine.deploy(one=made(False))
    assert recovery() == "DISABLED"
    assert dynamodb.scan(TableName=name)["Count"] == 1


def test_queue_topic_and_their_policies(engine: World) -> None:
    def made(action: str) -> dict[str, Any]:
        redrive = {"deadLetterTargetArn": of("Lost"), "maxReceiveCount": 500}
        events = {"Service": "events.amazonaws.com"}
        return template(
            Lost=resource("SQS::Queue", MessageRetentionPeriod=1209600, SqsManagedSseEnabled=True),
            Queue=resource("SQS::Queue", VisibilityTimeout=360, RedrivePolicy=redrive),
            QueuePolicy=resource(
                "SQS::QueuePolicy",
                Queues=[ref("Queue")],
                PolicyDocument=document(f"sqs:{action}", of("Queue"), **events),
            ),
            Topic=resource("SNS::Topic", KmsMasterKeyId="alias/stage"),
            TopicPolicy=resource(
                "SNS::TopicPolicy",
                Topics=[ref("Topic")],
                PolicyDocument=document("sns:Publish", ref("Topic"), **events),
            ),
        )

    sqs = engine.client("sqs")
    engine.deploy(one=made("SendMessage"))
    ids = engine.ids("one")
    found = sqs.get_queue_attributes(QueueUrl=ids["Queue"], AttributeNames=["All"])["Attributes"]
    assert json.loads(found["RedrivePolicy"])["maxReceiveCount"] == 500
    topic = engine.client("sns").get_topic_attributes(TopicArn=ids["Topic"])["Attributes"]
    assert topic["KmsMasterKeyId"] == "alias/stage"
    assert "events.amazonaws.com" in topic["Policy"]

    engine.deploy(one=made("ReceiveMessage"))
    assert engine.ids("one") == ids
    policy = sqs.get_queue_attributes(QueueUrl=ids["Queue"], AttributeNames=["Policy"])["Attributes"]["Policy"]
    assert "sqs:ReceiveMessage" in policy

    engine.deploy(one=template(**{k: v for k, v in made("")["Resources"].items() if k in ("Lost", "Queue", "Topic")}))
    after = sqs.get_queue_attributes(QueueUrl=ids["Queue"], AttributeNames=["All"])["Attributes"]
    assert not after.get("Policy")
    topic = engine.client("sns").get_topic_attributes(TopicArn=ids["Topic"])["Attributes"]
    assert "events.amazonaws.com" not in topic["Policy"]


def test_rule_and_targets(engine: World) -> None:
    queue = resource("SQS::Queue")
    transformer = {"InputPathsMap": {"key": "$.detail.object.key"}, "InputTemplate": '{"key": <key>}'}

    def made(*targets: dict[str, Any]) -> dict[str, Any]:
        pattern = {"source": ["aws.s3"], "detail": {"object": {"key": [{"prefix": "incoming/"}]}}}
        rule = resource("Events::Rule", EventPattern=pattern, State="ENABLED", Targets=list(targets))
        return template(Queue=queue, Rule=rule)

    events = engine.client("events")
    plain = {"Id": "a", "Arn": of("Queue"), "DeadLetterConfig": {"Arn": of("Queue")}}
    engine.deploy(one=made(plain, {"Id": "b", "Arn": of("Queue"), "InputTransformer": transformer}))
    name = engine.ids("one")["Rule"]
    assert [t["Id"] for t in events.list_targets_by_rule(Rule=name)["Targets"]] == ["a", "b"]

    engine.deploy(one=made({"Id": "b", "Arn": of("Queue")}))
    targets = events.list_targets_by_rule(Rule=name)["Targets"]
    assert [set(target) for target in targets] == [{"Id", "Arn"}]

    engine.deploy(one=template(Queue=queue))
    assert events.list_rules()["Rules"] == []


def test_role_and_policy(engine: World) -> None:
    def made(names: list[str], action: str) -> dict[str, Any]:
        inline = [{"PolicyName": name, "PolicyDocument": document("s3:GetObject")} for name in names]
        policy = resource("IAM::Policy", PolicyName="Own", PolicyDocument=document(action), Roles=[ref("Role")])
        return template(Role=role(RoleName="predict", Policies=inline), Policy=policy)

    iam = engine.client("iam")
    engine.deploy(one=made(["A", "B"], "kms:Decrypt"))
    assert sorted(iam.list_role_policies(RoleName="predict")["PolicyNames"]) == ["A", "B", "Own"]

    engine.deploy(one=made(["B"], "kms:Encrypt"))
    assert sorted(iam.list_role_policies(RoleName="predict")["PolicyNames"]) == ["B", "Own"]
    own = iam.get_role_policy(RoleName="predict", PolicyName="Own")["PolicyDocument"]
    assert own["Statement"][0]["Action"] == "kms:Encrypt"

    engine.client("cloudformation").delete_stack(StackName="one")
    assert iam.list_roles()["Roles"] == []


def test_log_group(engine: World) -> None:
    logs = engine.client("logs")
    name = {"Fn::Join": ["", ["/aws/x-", {"Fn::Select": [2, {"Fn::Split": ["/", ref("AWS::StackId")]}]}]]}
    engine.deploy(one=template(Group=resource("Logs::LogGroup", LogGroupName=name, RetentionInDays=30)))
    assert logs.describe_log_groups()["logGroups"][0]["retentionInDays"] == 30

    engine.deploy(one=template(Group=resource("Logs::LogGroup", LogGroupName=name)))
    group = logs.describe_log_groups()["logGroups"][0]
    assert "retentionInDays" not in group
    assert group["logGroupName"] == "/aws/x-" + engine.stack("one")["StackId"].rsplit("/", 1)[1]


def delivery(prefix: str) -> dict[str, Any]:
    """A bucket's worth of log delivery: stream, error log, roles and the filter."""
    logged = {"Enabled": True, "LogGroupName": ref("Errors"), "LogStreamName": ref("ErrorStream")}
    unpack = {"ParameterName": "CompressionFormat", "ParameterValue": "GZIP"}
    extract = {"ParameterName": "DataMessageExtraction", "ParameterValue": "true"}
    processors = [
        {"Type": "Decompression", "Parameters": [unpack]},
        {"Type": "CloudWatchLogProcessing", "Parameters": [extract]},
        {"Type": "AppendDelimiterToRecord"},
    ]
    target = {
        "BucketARN": "arn:aws:s3:::data",
        "RoleARN": of("Role"),
        "Prefix": prefix,
        "ErrorOutputPrefix": "failed/!{firehose:error-output-type}/",
        "CompressionFormat": "GZIP",
        "EncryptionConfiguration": {"KMSEncryptionConfig": {"AWSKMSKeyARN": KEY_ARN}},
        "BufferingHints": {"IntervalInSeconds": 60, "SizeInMBs": 5},
        "CloudWatchLoggingOptions": logged,
        "ProcessingConfiguration": {"Enabled": True, "Processors": processors},
    }
    trust = document("sts:AssumeRole", None, Service=["firehose.amazonaws.com", "logs.amazonaws.com"])
    send = {"PolicyName": "Send", "PolicyDocument": document("firehose:*")}
    return template(
        Group=resource("Logs::LogGroup"),
        Errors=resource("Logs::LogGroup"),
        ErrorStream=resource("Logs::LogStream", LogGroupName=ref("Errors")),
        Role=resource("IAM::Role", AssumeRolePolicyDocument=trust, Policies=[send]),
        Log=resource(
            "KinesisFirehose::DeliveryStream",
            DeliveryStreamType="DirectPut",
            DeliveryStreamEncryptionConfigurationInput={"KeyType": "AWS_OWNED_CMK"},
            ExtendedS3DestinationConfiguration=target,
        ),
        Filter=resource(
            "Logs::SubscriptionFilter",
            LogGroupName=ref("Group"),
            FilterPattern='{ $.kind = "prediction" }',
            DestinationArn=of("Log"),
            RoleArn=of("Role"),
        ),
    )


def test_log_stream_subscription_filter_and_delivery_stream(engine: World) -> None:
    engine.deploy(one=delivery("log/!{timestamp:yyyy/MM/dd/HH}/"))
    ids, logs, firehose = engine.ids("one"), engine.client("logs"), engine.client("firehose")
    (found,) = logs.describe_subscription_filters(logGroupName=ids["Group"])["subscriptionFilters"]
    assert (found["filterName"], found["destinationArn"].rpartition("/")[2]) == (ids["Filter"], ids["Log"])
    assert logs.describe_log_streams(logGroupName=ids["Errors"])["logStreams"][0]["logStreamName"] == ids["ErrorStream"]
    stream = firehose.describe_delivery_stream(DeliveryStreamName=ids["Log"])["DeliveryStreamDescription"]
    assert stream["DeliveryStreamStatus"] == "ACTIVE"

    engine.client("cloudformation").delete_stack(StackName="one")
    assert firehose.list_delivery_streams()["DeliveryStreamNames"] == []
    assert logs.describe_log_groups()["logGroups"] == []


def test_metric_filter_and_dashboard(engine: World) -> None:
    def made(value: str, title: str) -> dict[str, Any]:
        counted = {"MetricNamespace": "Own", "MetricName": "Starts", "MetricValue": value}
        widget = {"type": "metric", "properties": {"title": title}}
        return template(
            Group=resource("Logs::LogGroup"),
            Starts=resource(
                "Logs::MetricFilter",
                LogGroupName=ref("Group"),
                FilterPattern='"REPORT" "Init"',
                MetricTransformations=[counted],
            ),
            Board=resource("CloudWatch::Dashboard", DashboardName="b", DashboardBody=json.dumps({"widgets": [widget]})),
        )

    engine.deploy(one=made("1", "requests"))
    engine.deploy(one=made("2", "answers"))
    logs, watch = engine.client("logs"), engine.client("cloudwatch")
    (found,) = logs.describe_metric_filters(logGroupName=engine.ids("one")["Group"])["metricFilters"]
    assert found["metricTransformations"][0]["metricValue"] == "2"
    assert "answers" in watch.get_dashboard(DashboardName="b")["DashboardBody"]

    engine.client("cloudformation").delete_stack(StackName="one")
    with pytest.raises(ClientError, match="does not exist"):
        watch.get_dashboard(DashboardName="b")


@pytest.mark.parametrize("pattern", ["{ $.kind = 1 }", "REPORT", '"a" -"b"', ""])
def test_a_metric_filter_that_the_engine_cannot_play_is_refused(engine: World, pattern: str) -> None:
    counted = {"MetricNamespace": "Own", "MetricName": "Starts", "MetricValue": "1"}
    asked = {"LogGroupName": ref("Group"), "FilterPattern": pattern, "MetricTransformations": [counted]}
    with pytest.raises(DeploymentError, match="quoted terms"):
        engine.deploy(one=template(Group=resource("Logs::LogGroup"), Starts=resource("Logs::MetricFilter", **asked)))


def test_a_delivery_stream_that_the_engine_cannot_play_is_refused(engine: World) -> None:
    with pytest.raises(DeploymentError, match=r"does not know the prefix expression !\{timestamp:EEE\}"):
        engine.deploy(one=delivery("log/!{timestamp:EEE}/"))


def test_a_changed_function_keeps_its_version_and_alias(engine: World) -> None:
    def made(key: str, **properties: Any) -> dict[str, Any]:
        return template(
            Role=role(),
            Layer=resource("Lambda::LayerVersion", Content={**CODE, "S3Key": "beef.zip"}, Description="powertools"),
            Predict=function(key, FunctionName="predict", Layers=[ref("Layer")], **properties),
            First=resource("Lambda::Version", FunctionName=ref("Predict")),
            Live=resource(
                "Lambda::Alias", FunctionName=ref("Predict"), FunctionVersion=of("First", "Version"), Name="live"
            ),
            Leave=resource(
                "Lambda::Permission",
                FunctionName=ref("Live"),
                Action="lambda:InvokeFunction",
                Principal="apigateway.amazonaws.com",
                SourceArn=f"arn:aws:execute-api:us-east-1:{ACCOUNT}:api/*/POST/x",
            ),
        )

    client = engine.client("lambda")
    engine.deploy(one=made("cafe.zip", MemorySize=256, Environment={"Variables": {"AA": "1", "BB": "2"}}))
    ids = engine.ids("one")
    first = client.get_function_configuration(FunctionName="predict")["CodeSha256"]
    assert ids["Live"] == f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:predict:live"
    policy = json.loads(client.get_policy(FunctionName="predict", Qualifier="live")["Policy"])
    assert policy["Statement"][0]["Sid"] == ids["Leave"]
    # what a deployment of a model does, outside CloudFormation
    client.update_function_configuration(FunctionName="predict", Timeout=7)
    client.publish_version(FunctionName="predict")
    client.update_alias(FunctionName="predict", Name="live", FunctionVersion="2")

    reported = engine.deploy(one=made("beef.zip", Environment={"Variables": {"AA": "9"}}))

    changed = client.get_function_configuration(FunctionName="predict")
    assert (changed["MemorySize"], changed["Environment"]) == (128, {"Variables": {"AA": "9"}})
    assert changed["CodeSha256"] != first
    assert client.get_alias(FunctionName="predict", Name="live")["FunctionVersion"] == "2"
    assert {line[1] for line in reported} == {"one", "Predict"}
    assert engine.ids("one") == ids


def test_a_changed_layer_is_a_new_version_and_the_old_one_goes(engine: World) -> None:
    def made(key: str) -> dict[str, Any]:
        content = {**CODE, "S3Key": key}
        layer = resource("Lambda::LayerVersion", Content=content, CompatibleRuntimes=["python3.12"])
        return template(Role=role(), Layer=layer, Function=function(Layers=[ref("Layer")]))

    engine.deploy(one=made("cafe.zip"))
    old = engine.ids("one")
    engine.deploy(one=made("beef.zip"))
    new = engine.ids("one")

    found = engine.client("lambda").get_function_configuration(FunctionName=new["Function"])
    assert new["Layer"] != old["Layer"]
    assert [layer["Arn"] for layer in found["Layers"]] == [new["Layer"]]


def test_what_calls_a_function(engine: World) -> None:
    def made(batch: int, retries: int) -> dict[str, Any]:
        return template(
            Role=role(Policies=[{"PolicyName": "Take", "PolicyDocument": document("sqs:*")}]),
            Queue=resource("SQS::Queue", VisibilityTimeout=60),
            Function=function(Timeout=5),
            Mapping=resource(
                "Lambda::EventSourceMapping",
                EventSourceArn=of("Queue"),
                FunctionName=ref("Function"),
                BatchSize=batch,
                FunctionResponseTypes=["ReportBatchItemFailures"],
            ),
            Retries=resource(
                "Lambda::EventInvokeConfig",
                FunctionName=ref("Function"),
                Qualifier="$LATEST",
                MaximumRetryAttempts=retries,
                DestinationConfig={"OnFailure": {"Destination": of("Queue")}},
            ),
        )

    client = engine.client("lambda")
    engine.deploy(one=made(10, 2))
    engine.deploy(one=made(5, 1))
    ids = engine.ids("one")

    assert client.get_event_source_mapping(UUID=ids["Mapping"])["BatchSize"] == 5
    config = client.get_function_event_invoke_config(FunctionName=ids["Function"], Qualifier="$LATEST")
    assert config["MaximumRetryAttempts"] == 1
    engine.client("cloudformation").delete_stack(StackName="one")
    assert client.list_functions()["Functions"] == []


def test_state_machine(engine: World) -> None:
    def made(state: str, level: str) -> dict[str, Any]:
        definition = json.dumps({"StartAt": state, "States": {state: {"Type": "Succeed"}}})
        destination = {"CloudWatchLogsLogGroup": {"LogGroupArn": of("Logs")}}
        return template(
            Role=role("states", Policies=[{"PolicyName": "Log", "PolicyDocument": document("logs:*")}]),
            Logs=resource("Logs::LogGroup"),
            Machine=resource(
                "StepFunctions::StateMachine",
                RoleArn=of("Role"),
                DefinitionString=definition,
                StateMachineType="STANDARD",
                TracingConfiguration={"Enabled": True},
                LoggingConfiguration={"Level": level, "IncludeExecutionData": False, "Destinations": [destination]},
            ),
        )

    states = engine.client("stepfunctions")
    engine.deploy(one=made("Begin", "ALL"))
    arn = engine.ids("one")["Machine"]
    assert arn.split(":")[-1].startswith("Machine-")
    engine.deploy(one=made("Start", "ERROR"))

    found = states.describe_state_machine(stateMachineArn=arn)
    assert json.loads(found["definition"])["StartAt"] == "Start"
    assert found["loggingConfiguration"]["level"] == "ERROR"
    engine.client("cloudformation").delete_stack(StackName="one")
    assert states.list_state_machines()["stateMachines"] == []


def test_model_package_group(engine: World) -> None:
    group = resource("SageMaker::ModelPackageGroup", ModelPackageGroupName="g", ModelPackageGroupDescription="d")
    engine.deploy(one=template({"Group": {"Value": of("Group", "ModelPackageGroupArn")}}, Group=group))

    found = engine.client("sagemaker").describe_model_package_group(ModelPackageGroupName="g")
    assert found["ModelPackageGroupArn"] == engine.stack("one")["Outputs"][0]["OutputValue"]


def test_http_api(engine: World) -> None:
    def made(path: str, rate: int) -> dict[str, Any]:
        api = {"ApiId": ref("Api")}
        return template(
            Role=role(),
            Function=function(),
            Logs=resource("Logs::LogGroup"),
            Api=resource("ApiGatewayV2::Api", Name="perennial", ProtocolType="HTTP"),
            Stage=resource(
                "ApiGatewayV2::Stage",
                StageName="$default",
                AutoDeploy=True,
                DefaultRouteSettings={"ThrottlingRateLimit": rate, "ThrottlingBurstLimit": 400},
                AccessLogSettings={"DestinationArn": of("Logs"), "Format": '{"status": "$context.status"}'},
                **api,
            ),
            Integration=_integration(api),
            Route=_route(api, path),
        )

    gateway = engine.client("apigatewayv2")
    engine.deploy(one=made("/a", 200))
    ids = engine.ids("one")
    api = {"ApiId": ids["Api"]}
    engine.deploy(one=made("/b", 50))

    assert engine.ids("one") == ids
    stage = gateway.get_stage(**api, StageName="$default")
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == 50
    route = gateway.get_routes(**api)["Items"][0]
    assert (route["RouteKey"], route["Target"]) == ("POST /b", f"integrations/{ids['Integration']}")
    engine.client("cloudformation").delete_stack(StackName="one")
    assert gateway.get_apis()["Items"] == []


def test_authorizer_and_cors(engine: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def made(origin: str, audience: str) -> dict[str, Any]:
        token = {"Issuer": issuer.address, "Audience": [audience]}
        tokens = {"AuthorizationType": "JWT", "AuthorizerId": ref("Authorizer"), "AuthorizationScopes": ["score"]}
        return template(
            **door({"AllowOrigins": [origin], "AllowMethods": ["GET"]}, **tokens),
            Authorizer=resource(
                "ApiGatewayV2::Authorizer",
                ApiId=ref("Api"),
                AuthorizerType="JWT",
                IdentitySource=["$request.header.Authorization"],
                Name="tokens",
                JwtConfiguration=token,
            ),
        )

    def door(cors: dict[str, Any] | None, **who: Any) -> dict[str, Any]:
        browsers = {} if cors is None else {"CorsConfiguration": cors}
        return {
            "Api": resource("ApiGatewayV2::Api", Name="perennial", ProtocolType="HTTP", **browsers),
            "Route": resource("ApiGatewayV2::Route", ApiId=ref("Api"), RouteKey="POST /", **who),
        }

    gateway = engine.client("apigatewayv2")
    with running(tmp_path) as issuer:
        monkeypatch.setenv("SSL_CERT_FILE", str(issuer.certificate))
        engine.deploy(one=made("https://a.example", "us"))
        first = engine.ids("one")
        engine.deploy(one=made("https://b.example", "them"))
    ids = engine.ids("one")
    assert ids == first
    assert gateway.get_api(ApiId=ids["Api"])["CorsConfiguration"]["AllowOrigins"] == ["https://b.example"]
    found = gateway.get_authorizer(ApiId=ids["Api"], AuthorizerId=ids["Authorizer"])
    assert found["JwtConfiguration"]["Audience"] == ["them"]

    engine.deploy(one=template(**door(None, AuthorizationType="AWS_IAM")))
    route = gateway.get_route(ApiId=ids["Api"], RouteId=ids["Route"])
    assert (route["AuthorizerId"], route["AuthorizationScopes"]) == ("", [])
    assert "CorsConfiguration" not in gateway.get_api(ApiId=ids["Api"])
    with pytest.raises(ClientError, match="NotFoundException"):
        gateway.get_authorizer(ApiId=ids["Api"], AuthorizerId=ids["Authorizer"])


def _integration(api: dict[str, Any]) -> dict[str, Any]:
    settings = {"IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "2.0", "TimeoutInMillis": 29000}
    return resource("ApiGatewayV2::Integration", IntegrationUri=of("Function"), **settings, **api)


def _route(api: dict[str, Any], path: str) -> dict[str, Any]:
    target = {"Fn::Join": ["", ["integrations/", ref("Integration")]]}
    key = f"POST {path}"
    return resource("ApiGatewayV2::Route", RouteKey=key, Target=target, AuthorizationType="AWS_IAM", **api)
