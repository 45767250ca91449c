"""The body's place on LocalStack: the real CDK command line deploys, LocalStack's services answer."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from cloud.operator import Operator
from tests.localstack.process import running
from tests.target import checkout
from tests.target.asked import templates
from tests.target.cdk import Cdk
from tests.target.place import ALARM_EVENTS, ENCRYPTION, HTTP, JOBS, Place

ACCOUNT: Final = "000000000000"
REGION: Final = "us-east-1"
FALLBACK: Final = "deployed as a fallback"
NOT_THERE: Final = ("AWS::SageMaker::", "AWS::ApiGatewayV2::")
"""Types that LocalStack 4.14.0 has no service for without an account: it says that it made them, and did not."""

LACKS: Final = {
    JOBS: "LocalStack has no SageMaker without an account",
    HTTP: "LocalStack has no HTTP APIs without an account",
    ALARM_EVENTS: "LocalStack sends no event when an alarm changes",
    ENCRYPTION: "LocalStack's CloudFormation leaves BucketEncryption out",
}


@contextmanager
def localstack(folder: Path) -> Iterator[Place]:
    """Start LocalStack, bootstrap and deploy the checkout there; stops it in the end."""
    work = folder / "localstack"
    work.mkdir()
    here = checkout.made(folder / "checkout")
    with running(work) as process:
        url = process.url
        # the same access that any client of LocalStack has: it takes every key
        environment = {
            "HOME": str(work / "home"),
            "AWS_ENDPOINT_URL": url,
            "AWS_ENDPOINT_URL_S3": url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
        }
        cdk = Cdk(here, environment)
        cdk.bootstrap(ACCOUNT, REGION)
        cdk.deploy()
        operator = Operator(region=REGION, endpoint=url, access_key="test", secret_key="test")
        place = Place(
            target="localstack",
            folder=here,
            operator=operator,
            patience=float(os.environ.get("LOCALSTACK_PATIENCE", "240")),
            lacks=LACKS,
            look_again=lambda alarm: put_again(operator, alarm),
            process=process,
        )
        yield place


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


def put_again(operator: Operator, alarm: str) -> None:
    """Put an alarm as it is: LocalStack evaluates it then, and otherwise once in all of its periods.

    It counts what is older than the second in which it looks.
    """
    time.sleep(2)
    cloudwatch = operator.client("cloudwatch")
    described: dict[str, Any] = cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"][0]
    members = cloudwatch.meta.service_model.operation_model("PutMetricAlarm").input_shape.members
    cloudwatch.put_metric_alarm(**{name: value for name, value in described.items() if name in members})
