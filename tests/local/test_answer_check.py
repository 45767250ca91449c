"""A wrong answer is noticed: what a client would stumble over is planted, and found by name."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from local.answer_check import AnswerCheck, faults_of
from local.api import ApiError, Caller
from local.clients import Clients
from local.dispatch import Dispatcher
from local.identity import OPERATOR, Identity
from local.wire import HttpAnswer, HttpCall

HEADERS = {
    "authorization": f"Credential={OPERATOR.access_key}/20261121/us-east-1/sagemaker/aws4_request",
    "x-amz-target": "SageMaker.DescribeEndpoint",
}
CALL = HttpCall("POST", "/", headers=HEADERS, body=b'{"EndpointName": "one"}')
RIGHT = {
    "EndpointName": "one",
    "EndpointArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/one",
    "EndpointStatus": "InService",
    "CreationTime": 1.0,
    "LastModifiedTime": 1.0,
}


def faults(answer: HttpAnswer) -> list[str]:
    return list(faults_of(CALL, "sagemaker", answer))


def answered(body: Any, status: int = 200) -> HttpAnswer:
    return HttpAnswer(status, {}, json.dumps(body).encode())


def test_a_right_answer_has_no_faults() -> None:
    assert faults(answered(RIGHT)) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"EndpointStatus": "Fine"}, ".EndpointStatus is 'Fine', the model allows"),
        ({"EndpointName": 7}, ".EndpointName is int, the model says string"),
        ({"Nonsense": 1}, ".Nonsense is not in the model"),
        ({"ProductionVariants": [{"Weight": 1}]}, ".ProductionVariants[].VariantName is required and missing"),
        ({"ProductionVariants": [{"VariantName": "a", "Weight": 1}]}, ".ProductionVariants[].Weight is not in the"),
        ({"CreationTime": "soon"}, "a client cannot read the answer"),
    ],
)  # fmt: skip
def test_each_kind_of_wrong_answer_is_told(change: dict[str, Any], fault: str) -> None:
    assert any(fault in found for found in faults(answered(RIGHT | change)))


def test_a_missing_member_that_the_model_requires_is_told() -> None:
    body = {name: value for name, value in RIGHT.items() if name != "EndpointArn"}
    assert faults(answered(body)) == [".EndpointArn is required and missing"]


RULE = "<LifecycleConfiguration><Rule><ID>a</ID><Status>Enabled</Status>{}</Rule></LifecycleConfiguration>"
ATTRIBUTES = (
    "<GetTopicAttributesResponse><GetTopicAttributesResult><Attributes><entry><key>a</key><value>b</value></entry>"
    "</Attributes>{}</GetTopicAttributesResult><ResponseMetadata/></GetTopicAttributesResponse>"
)


STRANGE = "<Nonsense>1</Nonsense>"
LIFECYCLE = HttpCall("GET", "/bucket", "lifecycle")
TOPIC = HttpCall("POST", "/", body=b"Action=GetTopicAttributes&TopicArn=a")


@pytest.mark.parametrize(
    ("service", "call", "body", "planted", "where"),
    [
        ("s3", LIFECYCLE, RULE, STRANGE, ".Rule.Nonsense"),
        ("s3", LIFECYCLE, RULE, f"<Expiration>{STRANGE}</Expiration>", ".Rule.Expiration.Nonsense"),
        ("sns", TOPIC, ATTRIBUTES, STRANGE, ".Nonsense"),
    ],
)
def test_an_element_that_the_model_does_not_have_is_told(
    service: str, call: HttpCall, body: str, planted: str, where: str
) -> None:
    right, wrong = (HttpAnswer(200, {}, body.format(more).encode()) for more in ("", planted))

    assert list(faults_of(call, service, right)) == []
    assert list(faults_of(call, service, wrong)) == [f"{where} is not in the model"]


def test_errors_need_a_code_and_are_never_faults_of_the_engine() -> None:
    assert faults(answered({"__type": "ValidationException", "message": "no"}, 400)) == []
    assert "without an error code" in faults(answered({"message": "no"}, 400))[0]
    assert "InternalFailure" in faults(answered({"__type": "InternalFailure", "message": "no"}, 500))[0]


def test_the_dispatcher_shows_every_answer_to_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[str] = []

    def describe(given: dict[str, Any], _: Caller) -> dict[str, Any]:
        if given["EndpointName"] == "none":
            raise ApiError("ValidationException", "Could not find it.")
        return (
            RIGHT | {"EndpointStatus": "Fine"} | dict.fromkeys(("CreationTime", "LastModifiedTime"), datetime.now(UTC))
        )

    dispatch = Dispatcher(Identity())
    dispatch.register({("sagemaker", "DescribeEndpoint"): describe})
    client = Clients(dispatch, "us-east-1").client("sagemaker")
    monkeypatch.setattr(Dispatcher, "witness", AnswerCheck(found.append))
    client.describe_endpoint(EndpointName="one")
    assert [line.partition(": ")[0] for line in found] == ["sagemaker:DescribeEndpoint"]
    with pytest.raises(client.exceptions.ClientError, match="Could not find it"):
        client.describe_endpoint(EndpointName="none")
    assert len(found) == 1
