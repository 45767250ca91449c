"""The body's place on LocalStack: the real CDK command line deploys, LocalStack's services answer."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from cloud.operator import Operator
from tests.localstack.process import LocalStack, running
from tests.target import checkout
from tests.target.asked import templates
from tests.target.cdk import Cdk
from tests.target.place import ALARM_EVENTS, ENCRYPTION, HTTP, JOBS, Place

ACCOUNT: Final = "000000000000"
REGION: Final = "us-east-1"
FALLBACK: Final = "deployed as a fallback"
NOT_THERE: Final = ("AWS::SageMaker::", "AWS::ApiGatewayV2::")
"""Types that LocalStack 4.14.0 has no service for without an account: it says that it made them, and did not."""

CANNOT: Final = {
    ALARM_EVENTS: "LocalStack sends no event when an alarm changes",
    ENCRYPTION: "LocalStack's CloudFormation leaves BucketEncryption out",
}
ASKED: Final = {JOBS: ("sagemaker", "list_training_jobs"), HTTP: ("apigatewayv2", "get_apis")}
NOT_EMULATED: Final = 501


@contextmanager
def localstack(folder: Path) -> Iterator[Place]:
    """Start LocalStack, bootstrap and deploy the checkout there; stops it in the end."""
    work = folder / "localstack"
    work.mkdir()
    with running(work) as process:
        yield endpoint(folder, process.url, process)


def endpoint(folder: Path, url: str, process: LocalStack | None = None) -> Place:
    """Bootstrap and deploy the checkout at an address that speaks as LocalStack does."""
    home = folder / "home"
    home.mkdir()
    # the same access that any client of LocalStack has: it takes every key
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION}
    where = {"HOME": str(home), "AWS_ENDPOINT_URL": url, "AWS_ENDPOINT_URL_S3": url}
    here = checkout.made(folder / "checkout")
    cdk = Cdk(here, keys | where)
    cdk.bootstrap(ACCOUNT, REGION)
    cdk.deploy()
    operator = Operator(region=REGION, endpoint=url, access_key="test", secret_key="test")
    return Place(
        target="localstack",
        folder=here,
        operator=operator,
        patience=float(os.environ.get("LOCALSTACK_PATIENCE", "240")),
        lacks=lacking(operator),
        look_again=lambda alarm: put_again(operator, alarm),
        process=process,
    )


def lacking(operator: Operator) -> dict[str, str]:
    """What there is not, and why: of the services that depend on the edition one call is asked."""
    found = dict(CANNOT)
    for ability, (service, call) in ASKED.items():
        try:
            getattr(operator.client(service), call)()
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != NOT_EMULATED:
                raise
            found[ability] = f"there is no {service} without an account of LocalStack"
    return found


def fallbacks(place: Place) -> dict[str, str]:
    """Resources of which LocalStack says that they are there although it made nothing: type by stack and name."""
    found = {}
    cloudformation = place.client("cloudformation")
    for stack in ("CDKToolkit", *templates(place.folder)):
        pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack)
        for event in (event for page in pages for event in page["StackEvents"]):
            if FALLBACK in event.get("ResourceStatusReason", ""):
                found[f"{stack}/{event['LogicalResourceId']}"] = event["ResourceType"]
    return found


def unexpected(found: Mapping[str, str]) -> dict[str, str]:
    """Those of `fallbacks` that are in no service of which it is known that LocalStack does not have it."""
    return {name: kind for name, kind in found.items() if not kind.startswith(NOT_THERE)}


def put_again(operator: Operator, alarm: str) -> None:
    """Put an alarm as it is: LocalStack evaluates it then, and otherwise once in all of its periods.

    It counts what is older than the second in which it looks.
    """
    time.sleep(2)
    cloudwatch = operator.client("cloudwatch")
    described: dict[str, Any] = cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"][0]
    members = cloudwatch.meta.service_model.operation_model("PutMetricAlarm").input_shape.members
    cloudwatch.put_metric_alarm(**{name: value for name, value in described.items() if name in members})
