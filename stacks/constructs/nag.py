"""Acknowledgements of cdk-nag rules: always on one resource, always with the reason in words."""

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct

LATEST_RUNTIME = "AwsSolutions-L1"
WILDCARD = "AwsSolutions-IAM5"
NO_DEAD_LETTER_QUEUE = "AwsSolutions-SQS3"
ACCESS_LOGS = "AwsSolutions-S1"
OPEN_ROUTE = "AwsSolutions-APIG4"


def acknowledge(resource: IConstruct, rule: str, reason: str) -> None:
    """Say why `resource` may break `rule`."""
    Validations.of(resource).acknowledge(Acknowledgment(id=rule, reason=reason))
