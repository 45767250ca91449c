"""Policies: whether a resource's own lets an AWS service act for another, and whether a role may be used and does."""

import fnmatch
import json
from collections.abc import Iterable, Mapping
from typing import Any

from local.api import ACCOUNT


def permits(policy: str | None, service: str, action: str, source_arn: str) -> bool:
    """Tell whether a policy (JSON text) lets `service` do `action` on behalf of `source_arn`.

    A condition that is not understood grants nothing. What a policy denies is not looked at: the stacks deny only what
    comes without TLS, which a service's own deliveries never do.
    """
    known = {"aws:sourcearn": source_arn, "aws:sourceaccount": ACCOUNT, "sts:externalid": ACCOUNT}
    return any(
        service in _several(_principals(statement).get("Service", ())) and _allows(statement, action, known)
        for statement in (json.loads(policy)["Statement"] if policy else ())
    )


def refusal(iam: Any, role_arn: str, service: str, source_arn: str, needs: Iterable[tuple[str, str]]) -> str | None:
    """Return why `service`, acting for `source_arn`, cannot do what it `needs` with a role; None when it can.

    `iam` is a client; `needs` are actions with their resources. Only a role's own policies count; of conditions on
    the way of a call to KMS, S3's is assumed.
    """
    name = role_arn.rpartition("/")[2]
    trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    if not permits(json.dumps(trust), service, "sts:AssumeRole", source_arn):
        return f"{service} may not assume {role_arn} for {source_arn}"
    held = [
        iam.get_role_policy(RoleName=name, PolicyName=p) for p in iam.list_role_policies(RoleName=name)["PolicyNames"]
    ]
    statements = [statement for policy in held for statement in policy["PolicyDocument"]["Statement"]]
    known = {"kms:viaservice": f"s3.{iam.meta.region_name}.amazonaws.com"}
    for action, resource in needs:
        named = [s for s in statements if any(fnmatch.fnmatchcase(resource, r) for r in _several(s["Resource"]))]
        if not any(_allows(statement, action, known) for statement in named):
            return f"{role_arn} is not authorized to perform {action} on {resource}"
    return None


def _allows(statement: Mapping[str, Any], action: str, known: Mapping[str, str]) -> bool:
    return (
        statement["Effect"] == "Allow"
        and any(fnmatch.fnmatchcase(action, pattern) for pattern in _several(statement["Action"]))
        and _holds(statement.get("Condition", {}), known)
    )


def _principals(statement: Mapping[str, Any]) -> Mapping[str, Any]:
    principal = statement["Principal"]
    return principal if isinstance(principal, dict) else {}


def _several(value: Any) -> Iterable[str]:
    return [value] if isinstance(value, str) else value


def _holds(condition: Mapping[str, Mapping[str, Any]], known: Mapping[str, str]) -> bool:
    return all(
        operator in ("ArnLike", "ArnEquals", "StringEquals", "StringLike")
        and any(fnmatch.fnmatchcase(known.get(key.lower(), ""), pattern) for pattern in _several(wanted))
        for operator, tests in condition.items()
        for key, wanted in tests.items()
    )
