"""Clients that are answered in this process, and who answers them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.api import ApiError, Asked, Caller
from local.clients import Clients
from local.identity import Credentials
from local.wire import HttpCall
from tests.local.core_world import REGION, World, world
from tests.local.iam_world import allow, make_role


@pytest.fixture
def engine() -> Iterator[World]:
    with world() as made:
        yield made


@pytest.mark.parametrize("key", ["plain.csv", "a b/ü+c%20&=?.csv", "with//slashes/", "100%"])
def test_object_keys_come_back_as_they_were_written(engine: World, key: str) -> None:
    s3 = engine.client("s3")
    s3.create_bucket(Bucket="data")
    s3.put_object(Bucket="data", Key=key, Body=b"hello")
    assert s3.get_object(Bucket="data", Key=key)["Body"].read() == b"hello"
    assert [found["Key"] for found in s3.list_objects_v2(Bucket="data")["Contents"]] == [key]


def test_a_registered_operation_answers_instead_of_moto(engine: World) -> None:
    seen: list[tuple[dict[str, Any], Caller]] = []

    def describe(parameters: dict[str, Any], caller: Caller) -> dict[str, Any]:
        seen.append((parameters, caller))
        return {"executionArn": "arn", "stateMachineArn": "m", "status": "RUNNING", "startDate": datetime.now(UTC)}

    engine.dispatch.register({("states", "DescribeExecution"): describe})
    answer = engine.client("stepfunctions").describe_execution(executionArn="arn")
    assert answer["status"] == "RUNNING"
    assert answer["startDate"].tzinfo is not None
    assert seen[0][0] == {"executionArn": "arn"}
    assert seen[0][1].role_arn is None


def test_the_caller_is_the_role_whose_keys_signed(engine: World) -> None:
    seen: list[Caller] = []

    def invoke(parameters: dict[str, Any], caller: Caller) -> dict[str, Any]:
        seen.append(caller)
        return {"StatusCode": 200, "Payload": b"{}"}

    engine.dispatch.register({("lambda", "Invoke"): invoke})
    role = make_role(engine.client("iam"), "r", "lambda.amazonaws.com", allow("lambda:InvokeFunction"))
    keys = engine.identity.issue(role)
    assert engine.identity.issue(role) == keys
    Clients(engine.dispatch, REGION, keys).client("lambda").invoke(FunctionName="f")
    assert seen == [Caller(keys.access_key, role)]


SOURCE = {"Bucket": "b", "Key": "from"}


@pytest.mark.parametrize(
    ("operation", "call", "brought"),
    [
        ("PutObject", lambda s3: s3.put_object(Bucket="b", Key="a b/c", Body=b"x"), {"Bucket": "b", "Key": "a b/c"}),
        ("GetObject", lambda s3: s3.get_object(Bucket="b", Key="k", VersionId="1"), {"Key": "k", "VersionId": "1"}),
        ("CopyObject", lambda s3: s3.copy_object(Bucket="b", Key="k", CopySource=SOURCE), {"CopySource": "b/from"}),
        ("ListObjectsV2", lambda s3: s3.list_objects_v2(Bucket="b", Prefix="p/"), {"Prefix": "p/"}),
        ("ListObjects", lambda s3: s3.list_objects(Bucket="b"), {"Bucket": "b"}),
        ("PutBucketPolicy", lambda s3: s3.put_bucket_policy(Bucket="b", Policy="{}"), {"Bucket": "b"}),
        ("DeleteObjects", lambda s3: s3.delete_objects(Bucket="b", Delete={"Objects": [{"Key": "k"}]}), {}),
        (
            "UploadPart",
            lambda s3: s3.upload_part(Bucket="b", Key="k", PartNumber=2, UploadId="u", Body=b"x"),
            {"PartNumber": 2, "UploadId": "u"},
        ),
        (
            "UploadPartCopy",
            lambda s3: s3.upload_part_copy(Bucket="b", Key="k", PartNumber=1, UploadId="u", CopySource=SOURCE),
            {"UploadId": "u", "CopySource": "b/from"},
        ),
    ],
)
def test_a_guard_sees_which_operation_of_s3_is_asked_for_and_may_refuse_it(
    engine: World, operation: str, call: Any, brought: dict[str, Any]
) -> None:
    seen: list[Asked] = []

    def refuse(asked: Asked) -> None:
        seen.append(asked)
        raise ApiError("AccessDenied", "no", 403)

    engine.dispatch.guard(refuse)
    with pytest.raises(ClientError, match="AccessDenied"):
        call(engine.client("s3"))
    assert (seen[0].service, seen[0].operation) == ("s3", operation)
    assert brought.items() <= seen[0].parameters.items()


def test_unknown_keys_are_refused(engine: World) -> None:
    clients = Clients(engine.dispatch, REGION, Credentials("AKIAUNKNOWN", "secret"))
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        clients.client("sqs").list_queues()


def test_invoke_carries_payload_error_log_and_version_in_headers(engine: World) -> None:
    seen: list[dict[str, Any]] = []

    def invoke(parameters: dict[str, Any], _: Caller) -> dict[str, Any]:
        seen.append(parameters)
        members = {"FunctionError": "Unhandled", "LogResult": "bG9n", "ExecutedVersion": "7"}
        return {"StatusCode": 202, "Payload": b'{"x": 1}', **members}

    engine.dispatch.register({("lambda", "Invoke"): invoke})
    arn = "arn:aws:lambda:us-east-1:123456789012:function:f:live"
    answer = engine.client("lambda").invoke(FunctionName=arn, LogType="Tail", Payload=b'{"a": 2}')
    assert seen == [{"FunctionName": arn, "LogType": "Tail", "Payload": b'{"a": 2}'}]
    assert answer["Payload"].read() == b'{"x": 1}'
    assert (answer["StatusCode"], answer["FunctionError"], answer["LogResult"]) == (202, "Unhandled", "bG9n")
    assert answer["ExecutedVersion"] == "7"


@pytest.mark.parametrize(
    ("service", "operation", "call"),
    [
        ("states", "ListExecutions", lambda c: c("stepfunctions").list_executions(stateMachineArn="m")),
        ("lambda", "GetFunction", lambda c: c("lambda").get_function(FunctionName="f")),
        ("sagemaker", "DescribeTrainingJob", lambda c: c("sagemaker").describe_training_job(TrainingJobName="j")),
        ("cloudformation", "DescribeStacks", lambda c: c("cloudformation").describe_stacks(StackName="s")),
        ("sqs", "ListQueues", lambda c: c("sqs").list_queues()),
    ],
)
def test_errors_arrive_under_their_own_name_in_every_protocol(
    engine: World, service: str, operation: str, call: Any
) -> None:
    def refuse(parameters: dict[str, Any], _: Caller) -> dict[str, Any]:
        raise ApiError("SomethingMissing", "there is no <such> thing", 404)

    engine.dispatch.register({(service, operation): refuse})
    with pytest.raises(ClientError) as refused:
        call(engine.client)
    error = refused.value.response
    assert error["Error"]["Code"] == "SomethingMissing"
    assert "there is no <such> thing" in error["Error"]["Message"]
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_query_operations_are_parsed_and_serialised(engine: World) -> None:
    seen: list[dict[str, Any]] = []

    def describe(parameters: dict[str, Any], _: Caller) -> dict[str, Any]:
        seen.append(parameters)
        output = {"OutputKey": "k", "OutputValue": "v & w", "ExportName": "e"}
        stack = {"StackName": "s", "CreationTime": datetime.now(UTC), "StackStatus": "CREATE_COMPLETE"}
        return {"Stacks": [stack | {"Outputs": [output], "Tags": [{"Key": "a", "Value": "b"}]}]}

    engine.dispatch.register({("cloudformation", "DescribeStacks"): describe})
    stack = engine.client("cloudformation").describe_stacks(StackName="s")["Stacks"][0]
    assert seen == [{"StackName": "s"}]
    assert stack["Outputs"] == [{"OutputKey": "k", "OutputValue": "v & w", "ExportName": "e"}]
    assert stack["Tags"] == [{"Key": "a", "Value": "b"}]


def test_a_fault_inside_an_operation_is_an_answer_with_status_500(
    engine: World, caplog: pytest.LogCaptureFixture, answers_fit_the_models: list[str]
) -> None:
    def fail(parameters: dict[str, Any], _: Caller) -> dict[str, Any]:
        raise RuntimeError("broken")

    engine.dispatch.register({("states", "ListExecutions"): fail})
    with pytest.raises(ClientError, match="RuntimeError: broken") as refused:
        engine.client("stepfunctions").list_executions(stateMachineArn="m")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert "broken" in caplog.text
    assert "broken" in answers_fit_the_models.pop()


@pytest.mark.parametrize("service", ["ec2", "glue", "secretsmanager"])
def test_services_outside_the_closed_list_are_refused_by_name(engine: World, service: str) -> None:
    call = {"ec2": "describe_instances", "glue": "get_databases", "secretsmanager": "list_secrets"}[service]
    with pytest.raises(ClientError, match=f"has no service '{service}'; it has apigatewayv2, cloudformation"):
        getattr(engine.client(service), call)()


def test_operations_of_cloudformation_that_nobody_registered_are_refused(engine: World) -> None:
    with pytest.raises(ClientError, match="has no cloudformation:CreateStack"):
        engine.client("cloudformation").create_stack(StackName="s", TemplateBody="{}")


def test_an_unsigned_request_is_refused(engine: World) -> None:
    answer = engine.dispatch(HttpCall("GET", "/data/key"))
    assert answer.status == 403
    assert b"MissingAuthenticationToken" in answer.body


def test_a_body_that_is_no_json_is_refused(engine: World) -> None:
    engine.dispatch.register({("states", "ListExecutions"): lambda parameters, caller: {}})
    scope = "Credential=AKIAPERENNIALLOCAL00/20261121/us-east-1/states/aws4_request"
    headers = {"authorization": f"AWS4-HMAC-SHA256 {scope}, x", "x-amz-target": "AWSStepFunctions.ListExecutions"}
    answer = engine.dispatch(HttpCall("POST", "/", "", headers, b"{not json"))
    assert answer.status == 400
    assert b"SerializationException" in answer.body
