"""What the roles of the account are granted, and what of it has allowed a call so far."""

from collections.abc import Iterator
from typing import Any

from local.iam.authority import Authority
from local.iam.decision import Granted


def granted(authority: Authority) -> dict[str, Any]:
    """Return every (statement, action, resource) of every role, `used` if it allowed a call, else `unused`.

    Actions and resources are told as the policies write them.
    """
    used, found = authority.used(), {}
    for name, arn in authority.policies.roles().items():
        told: dict[str, list[list[str]]] = {"used": [], "unused": []}
        for one in _grants(authority, arn):
            told["used" if (arn, one) in used else "unused"].append([one.statement, one.action, one.resource])
        found[name] = told
    return {"roles": found}


def _grants(authority: Authority, role_arn: str) -> Iterator[Granted]:
    for statement in authority.policies.all_of_role(role_arn):
        for action in statement.actions:
            for resource in statement.resources:
                yield Granted(statement.name, action, resource)
