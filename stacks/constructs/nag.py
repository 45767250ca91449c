"""Acknowledgements of cdk-nag rules: always on one resource, always with the reason in words."""

from typing import Any

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import Construct, IConstruct

LATEST_RUNTIME = "AwsSolutions-L1"
WILDCARD = "AwsSolutions-IAM5"
NO_DEAD_LETTER_QUEUE = "AwsSolutions-SQS3"
ACCESS_LOGS = "AwsSolutions-S1"
OPEN_ROUTE = "AwsSolutions-APIG4"


def acknowledge(resource: IConstruct, rule: str, reason: str) -> None:
    """Say why `resource` may break `rule`."""
    Validations.of(resource).acknowledge(Acknowledgment(id=rule, reason=reason))


def acknowledge_wildcard(resource: Construct, arn: str, reason: str) -> None:
    """Say why a statement of `resource` names `arn`, which has a wildcard; other wildcards are still found."""
    acknowledge(resource, f"{WILDCARD}[Resource::{_shown(Stack.of(resource).resolve(arn))}]", reason)


def _shown(value: Any) -> str:
    """Return a resolved value as cdk-nag shows it: references in angle brackets, imports by their name."""
    if not isinstance(value, dict):
        return str(value)
    (intrinsic, argument), *_ = value.items()
    if intrinsic == "Fn::Join":
        return "".join(_shown(part) for part in argument[1])
    if intrinsic == "Fn::GetAtt":
        return f"<{'.'.join(argument)}>"
    return f"<{argument}>" if intrinsic == "Ref" else _shown(argument)
