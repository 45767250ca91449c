"""What AWS refuses of a request before it looks at anything: sent as bytes, which no client of botocore's would do."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local import moto_state
from local.api import Caller
from local.clients import Clients
from local.dispatch import Dispatcher
from local.identity import OPERATOR, Identity
from local.wire import HttpCall

LONG = "a" * 64


@pytest.fixture(scope="module")
def dispatch() -> Dispatcher:
    moto_state.reset()
    made = Dispatcher(Identity())
    made.register({("sagemaker", "CreateTrainingJob"): taken, ("lambda", "UpdateFunctionConfiguration"): taken})
    made.register(
        {("states", "StartExecution"): taken, ("states", "DescribeExecution"): taken, ("lambda", "Invoke"): echoed}
    )
    Clients(made, "us-east-1").client("dynamodb").create_table(
        TableName="table",
        KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return made


def taken(parameters: dict[str, Any], _: Caller) -> dict[str, Any]:
    raise AssertionError(f"nobody refused {parameters}")


def echoed(parameters: dict[str, Any], _: Caller) -> dict[str, Any]:
    return {"StatusCode": 200, "Payload": parameters["Payload"]}


def signed(service: str, **headers: str) -> dict[str, str]:
    scope = f"Credential={OPERATOR.access_key}/20261121/us-east-1/{service}/aws4_request"
    return {"authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0", **headers}


def asked(dispatch: Dispatcher, service: str, target: str, body: Any) -> tuple[int, str, str]:
    """Status, code and message of the answer to a call in JSON."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = signed(service, **{"x-amz-target": target, "content-type": "application/x-amz-json-1.1"})
    answer = dispatch(HttpCall("POST", "/", headers=headers, body=text))
    said = json.loads(answer.body)
    return answer.status, said["__type"], said["message"]


JOB = {
    "TrainingJobName": "job",
    "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
    "RoleArn": "arn:aws:iam::123456789012:role/job",
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
    "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"TrainingJobName": "a/b"}, "ValidationException", "Value 'a/b' at 'trainingJobName' failed to satisfy"),
        ({"TrainingJobName": LONG}, "ValidationException", "trainingJobName"),
        ({"TrainingJobName": None}, "ValidationException", "Value null at 'trainingJobName' failed"),
        ({"TrainingJobName": 7}, "SerializationException", "trainingJobName"),
        ({"RoleArn": "job"}, "ValidationException", "'roleArn'"),
        ({"Nonsense": 1}, "ValidationException", "nonsense"),
        ({"HyperParameters": {"a": 1}}, "SerializationException", "hyperParameters.a"),
        ({"ResourceConfig": {"InstanceCount": "1"}}, "SerializationException", "resourceConfig.instanceCount"),
        ({"ResourceConfig": {"InstanceType": "ml.huge"}}, "ValidationException", "Member must satisfy enum value set"),
        ({"ResourceConfig": []}, "SerializationException", "resourceConfig"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 0}}, "ValidationException", "value greater than or equal to 1"),
        ({"Tags": [{"Key": "a", "Value": "b"}, {"Value": "b"}]}, "ValidationException", "'tags.2.member.key'"),
        ({"Tags": [{"Key": "k", "Value": "b"}] * 51}, "ValidationException", "length less than or equal to 50"),
    ],
)  # fmt: skip
def test_a_job_that_sagemaker_would_refuse_is_refused_in_its_words(
    dispatch: Dispatcher, change: dict[str, Any], code: str, said: str
) -> None:
    status, found, message = asked(dispatch, "sagemaker", "SageMaker.CreateTrainingJob", JOB | change)
    assert (status, found) == (400, code)
    assert said in message


@pytest.mark.parametrize("body", [b"{", b"[]", b'"text"', b"7", b"\xff"])
def test_a_body_that_is_no_json_object_is_a_serialization_error(dispatch: Dispatcher, body: bytes) -> None:
    assert asked(dispatch, "sagemaker", "SageMaker.CreateTrainingJob", body)[:2] == (400, "SerializationException")
    assert asked(dispatch, "dynamodb", "DynamoDB_20120810.GetItem", body)[:2] == (400, "SerializationException")


@pytest.mark.parametrize(
    ("service", "target", "body", "code"),
    [
        ("dynamodb", "DynamoDB_20120810.GetItem", {"TableName": "table"}, "ValidationException"),
        ("dynamodb", "DynamoDB_20120810.GetItem", {"TableName": "t", "Key": {"key": "a"}}, "SerializationException"),
        ("dynamodb", "DynamoDB_20120810.Query", {"TableName": "table", "Limit": 0}, "ValidationException"),
        ("dynamodb", "DynamoDB_20120810.TransactWriteItems", {"TransactItems": []}, "ValidationException"),
        ("logs", "Logs_20140328.CreateLogGroup", {"logGroupName": "a b"}, "InvalidParameterException"),
        ("logs", "Logs_20140328.PutLogEvents", {"logGroupName": "a"}, "InvalidParameterException"),
        ("events", "AWSEvents.PutRule", {"Name": "a b"}, "ValidationException"),
        ("kms", "TrentService.Decrypt", {"CiphertextBlob": "not base64!"}, "SerializationException"),
        ("sqs", "AmazonSQS.SendMessage", {"QueueUrl": "http://q"}, "InvalidParameterValue"),
        ("states", "AWSStepFunctions.StartExecution", {"stateMachineArn": ""}, "ValidationException"),
        ("states", "AWSStepFunctions.DescribeExecution", {"executionArn": ""}, "ValidationException"),
    ],
)  # fmt: skip
def test_each_service_refuses_with_its_own_code(
    dispatch: Dispatcher, service: str, target: str, body: dict[str, Any], code: str
) -> None:
    assert asked(dispatch, service, target, body)[:2] == (400, code)


@pytest.mark.parametrize("target", ["SageMaker.CreateEverything", "CreateEverything"])
def test_an_operation_that_does_not_exist_is_refused_by_name(dispatch: Dispatcher, target: str) -> None:
    assert asked(dispatch, "sagemaker", target, {})[:2] == (404, "UnknownOperationException")


def rest(dispatch: Dispatcher, method: str, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
    answer = dispatch(HttpCall(method, path, headers=signed("lambda"), body=body))
    return answer.status, json.loads(answer.body)


def test_parameters_in_path_and_body_are_both_looked_at(dispatch: Dispatcher) -> None:
    path = "/2015-03-31/functions/{}/configuration"
    status, said = rest(dispatch, "PUT", path.format("a%20b"), b"{}")
    assert (status, said["__type"]) == (400, "ValidationException")
    assert "'functionName'" in said["message"]
    status, said = rest(dispatch, "PUT", path.format("name"), b'{"Timeout": 0}')
    assert "'timeout'" in said["message"]
    status, said = rest(dispatch, "PUT", path.format("name"), b'{"Tineout": 1}')
    assert "Timeout" in said["message"]
    status, said = rest(dispatch, "PUT", path.format("name"), b"[]")
    assert said["__type"] == "SerializationException"


def test_the_body_that_a_function_is_given_is_its_own_affair(dispatch: Dispatcher) -> None:
    path = "/2015-03-31/functions/name/invocations"
    answer = dispatch(HttpCall("POST", path, headers=signed("lambda"), body=b"no json at all"))
    assert (answer.status, answer.body) == (200, b"no json at all")


def test_forms_are_checked_too(dispatch: Dispatcher) -> None:
    headers = signed("iam", **{"content-type": "application/x-www-form-urlencoded"})
    answer = dispatch(HttpCall("POST", "/", headers=headers, body=b"Action=GetRole&Version=2010-05-08&RoleName=a%2Fb"))
    assert answer.status == 400
    assert b"<Code>ValidationError</Code>" in answer.body
    assert b"roleName" in answer.body


PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
NAMES = st.sampled_from(["InstanceCount", "S3OutputPath", "MaxRuntimeInSeconds"]) | st.text(max_size=3)
JSON = PLAIN | st.lists(PLAIN, max_size=2) | st.dictionaries(NAMES, PLAIN, max_size=2)


@given(body=st.dictionaries(st.sampled_from(list(JOB)) | st.text(), JSON))
def test_whatever_is_sent_is_refused_and_never_a_fault(dispatch: Dispatcher, body: dict[str, Any]) -> None:
    status, code, _ = asked(dispatch, "sagemaker", "SageMaker.CreateTrainingJob", body)
    assert status == 400
    assert code in ("ValidationException", "SerializationException")


@pytest.mark.parametrize(
    ("service", "method", "query", "body", "said"),
    [
        ("sns", "POST", "", "Action=CreateTopic&Name=a&Nonsense=1", "<Code>InvalidParameter</Code>"),
        ("sns", "POST", "", "Action=CreateTopic&Name=a&Nonsense.entry.1.key=1", "nonsense.entry.1.key"),
        ("iam", "POST", "", "Action=GetRole&RoleName=a&Version=2010-05-08&Nonsense=1", "<Code>ValidationError</Code>"),
        ("s3", "PUT", "tagging", "<Tagging><TagSet/><Nonsense>1</Nonsense></Tagging>", "<Code>MalformedXML</Code>"),
        ("s3", "PUT", "tagging", "<Tagging><TagSet><Tag><Kind>1</Kind></Tag></TagSet></Tagging>", ".TagSet[].Kind"),
    ],
)
def test_what_the_model_does_not_have_is_refused_in_queries_and_in_xml(
    dispatch: Dispatcher, service: str, method: str, query: str, body: str, said: str
) -> None:
    headers = signed(service, **{"content-type": "application/x-www-form-urlencoded"} if method == "POST" else {})
    path = "/" if method == "POST" else "/bucket"

    answer = dispatch(HttpCall(method, path, query, headers, body.encode()))

    assert answer.status == 400
    assert said in answer.body.decode()
