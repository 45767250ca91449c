"""moto's DynamoDB tables, read in a time that does not grow with what nobody asked for (see `local.moto_state`)."""

from collections.abc import Callable
from typing import Any


def of_one_partition(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return moto's `Table.query` over the items of the partition that is asked for."""

    def query(table: Any, hash_key: Any, *given: Any, **named: Any) -> Any:
        whole = table.items  # indexes are read over all partitions; no stack has one
        table.items = {hash_key: whole[hash_key]} if hash_key in whole else {}
        try:
            return original(table, hash_key, *given, **named)
        finally:
            table.items = whole

    return query


def as_it_is(original: Callable[..., None]) -> Callable[..., None]:
    """Return moto's serializer of structures, which leaves an attribute of an item as it stands in the table."""

    def serialize(serializer: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if shape.name == "AttributeValue" and isinstance(value, dict) and value.keys() <= {"S", "N", "BOOL"}:
            serialized[key] = value
        else:
            original(serializer, serialized, value, shape, key)

    return serialize
