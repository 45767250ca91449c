"""Reads of tables that would miss writes on AWS."""

from typing import Any

import pytest

from lifecycle import names
from local.api import ApiError, Asked, Caller
from local.consistent_reads import consistent

ROLE = Caller("ASIA1", "arn:aws:iam::123456789012:role/r")


def read(operation: str, caller: Caller = ROLE, app: str = "", **parameters: Any) -> None:
    consistent(Asked("dynamodb", operation, "us-east-1", caller, parameters, app))


@pytest.mark.parametrize(
    ("operation", "asked"),
    [
        ("GetItem", {"TableName": "t"}),
        ("Query", {"TableName": "t", "ConsistentRead": False}),
        ("BatchGetItem", {"RequestItems": {"t": {"Keys": [], "ConsistentRead": True}, "other": {"Keys": []}}}),
    ],
)
def test_a_read_that_may_miss_the_last_writes_is_refused_to_the_product(operation: str, asked: dict[str, Any]) -> None:
    with pytest.raises(ApiError, match="Ask for ConsistentRead"):
        read(operation, **asked)
    with pytest.raises(ApiError, match="Ask for ConsistentRead"):
        read(operation, Caller("AKIA"), names.PRODUCT, **asked)


def test_consistent_reads_and_looks_of_people_go_on() -> None:
    read("GetItem", TableName="t", ConsistentRead=True)
    read("BatchGetItem", RequestItems={"t": {"Keys": [], "ConsistentRead": True}})
    read("Query", Caller("AKIA"), TableName="t")
    read("PutItem", TableName="t")
