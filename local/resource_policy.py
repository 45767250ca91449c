"""Resource policies: whether a queue's or a function's own policy lets an AWS service act for a resource."""

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
    return any(
        statement["Effect"] == "Allow"
        and service in _several(_principals(statement).get("Service", ()))
        and any(fnmatch.fnmatchcase(action, pattern) for pattern in _several(statement["Action"]))
        and _holds(statement.get("Condition", {}), source_arn)
        for statement in (json.loads(policy)["Statement"] if policy else ())
    )


def _principals(statement: Mapping[str, Any]) -> Mapping[str, Any]:
    principal = statement["Principal"]
    return principal if isinstance(principal, dict) else {}


def _several(value: Any) -> Iterable[str]:
    return [value] if isinstance(value, str) else value


def _holds(condition: Mapping[str, Mapping[str, Any]], source_arn: str) -> bool:
    values = {"aws:sourcearn": source_arn, "aws:sourceaccount": ACCOUNT}
    return all(
        operator in ("ArnLike", "ArnEquals", "StringEquals", "StringLike")
        and any(fnmatch.fnmatchcase(values.get(key.lower(), ""), pattern) for pattern in _several(wanted))
        for operator, tests in condition.items()
        for key, wanted in tests.items()
    )
