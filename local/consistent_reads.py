"""Reads of tables: whoever does not ask for a consistent one is refused, as the laptop cannot answer with old items.

Source: DynamoDB developer guide, "Read consistency": an eventually consistent read may miss the last writes.
"""

from collections.abc import Mapping
from typing import Any

from lifecycle import names
from local.api import ApiError, Asked

_READS = frozenset({"GetItem", "Query", "BatchGetItem"})


def consistent(asked: Asked) -> None:
    """Refuse a read of the product's that may miss the last writes on AWS; a guard. Raises ApiError."""
    if asked.service != "dynamodb" or asked.operation not in _READS:
        return
    if asked.caller.role_arn is None and asked.app != names.PRODUCT:
        return
    several = asked.parameters.get("RequestItems", {})
    each: list[Mapping[str, Any]] = list(several.values()) if asked.operation == "BatchGetItem" else [asked.parameters]
    if not all(read.get("ConsistentRead") for read in each):
        message = (
            f"{asked.operation} without ConsistentRead may miss the last writes on AWS and never does on the laptop. "
            "Ask for ConsistentRead."
        )
        raise ApiError("ValidationException", message)
