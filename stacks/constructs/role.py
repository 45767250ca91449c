"""A role from exact statements. What cannot be named exactly says why, where it is granted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.constructs import nag


@dataclass(frozen=True, kw_only=True)
class Grant:
    """One statement: `actions` on `resources`, under `condition`. `why` is needed where a resource has a wildcard."""

    actions: Sequence[str]
    resources: Sequence[str]
    condition: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""

    def statement(self) -> dict[str, Any]:
        """Return the statement as IAM writes it."""
        written = {"Effect": "Allow", "Action": sorted(self.actions), "Resource": list(self.resources)}
        return {**written, "Condition": dict(self.condition)} if self.condition else written


def role(
    scope: Construct,
    service: str,
    grants: Sequence[Grant],
    *,
    name: str | None = None,
    condition: Mapping[str, Any] | None = None,
) -> iam.CfnRole:
    """Create the role `Role` under `scope` that `service` (such as lambda.amazonaws.com) assumes under `condition`."""
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    trust |= {"Condition": condition} if condition else {}
    made = iam.CfnRole(
        scope,
        "Role",
        role_name=name,
        assume_role_policy_document={"Version": "2012-10-17", "Statement": [trust]},
        policies=[
            iam.CfnRole.PolicyProperty(
                policy_name="Grants",
                policy_document=_document(grants),
            )
        ],
    )
    _explain(made, grants)
    return made


def attach(scope: Construct, title: str, holder: iam.CfnRole, grants: Sequence[Grant]) -> None:
    """Add statements to a role that could not be known when it was made."""
    made = iam.CfnPolicy(scope, title, policy_name=title, policy_document=_document(grants), roles=[holder.ref])
    _explain(made, grants)


def _document(grants: Sequence[Grant]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [grant.statement() for grant in grants]}


def _explain(resource: Construct, grants: Sequence[Grant]) -> None:
    reasons = {arn: grant.why for grant in grants if grant.why for arn in grant.resources if "*" in arn}
    for arn, reason in reasons.items():
        nag.acknowledge_wildcard(resource, arn, reason)
