"""What tests share that let the policies of an account decide."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local.clients import Clients
from local.dispatch import Dispatcher
from local.iam import Authority, enforced

REGION = "us-east-1"


def guarded(
    dispatch: Dispatcher, of_function: Callable[[str], Sequence[Mapping[str, Any]]] = lambda _: ()
) -> Authority:
    """Let the policies of the account decide about every call to `dispatch`, as the engine does."""
    return enforced(dispatch, Clients(dispatch, REGION), of_function)


def make_role(iam: Any, name: str, service: str, *statements: Mapping[str, Any], **trust: Any) -> str:
    """Make a role that `service` may assume (under `trust`'s conditions), with one inline policy; return its ARN."""
    assumed = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole", **trust}
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [assumed]}))["Role"][
        "Arn"
    ]
    put_grants(iam, name, *statements)
    return arn


def put_grants(iam: Any, role: str, *statements: Mapping[str, Any]) -> None:
    """Give a role these statements, and no others."""
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    iam.put_role_policy(RoleName=role, PolicyName="Grants", PolicyDocument=document)


def allow(*actions: str, on: str | Sequence[str] = "*", **more: Any) -> dict[str, Any]:
    """Return a statement that allows."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": on, **more}
