"""moto's DynamoDB tables, read in a time that does not grow with what nobody asked for (see `local.moto_state`)."""

import copy
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table


def replacements() -> list[tuple[Any, str, Any]]:
    """Return what is changed of moto: owner, name, replacement, each for the reason beside it."""
    return [
        # moto sorts a table's every item to read one partition: a year of labels would make each read take a second
        (Table, "query", of_one_partition(Table.query)),
        # moto makes Python values of an item for each attribute that is asked for, and an item of those again
        (Item, "project", of_plain_names(Item.project)),
        # moto copies the whole table once for each item of a transaction: a hundred labels would take minutes
        (Table, "__deepcopy__", itself),
        (DynamoDBBackend, "transact_write_items", undone_by_item(DynamoDBBackend.transact_write_items)),
        # moto looks for each of the ten members of each attribute under many names: half a millisecond an item
        (BaseJSONSerializer, "_serialize_type_structure", as_it_is(BaseJSONSerializer._serialize_type_structure)),
    ]


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


def of_plain_names(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return moto's `Item.project`, which takes named attributes of an item as they are."""

    def project(item: Any, expressions: list[list[str]]) -> Any:
        if any(len(path) > 1 or "[" in path[0] for path in expressions):
            return original(item, expressions)
        found = copy.copy(item)
        found.attrs = {path[0]: item.attrs[path[0]] for path in expressions if path[0] in item.attrs}
        return found

    return project


def itself(table: Any, _: dict[int, Any]) -> Any:
    """Return a table that moto wants to copy for a transaction: `undone_by_item` restores it without."""
    return table


def undone_by_item(original: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """Return moto's `DynamoDBBackend.transact_write_items`, which puts back what it touched when it is cancelled."""

    def transact_write_items(backend: Any, actions: Any) -> None:
        with ExitStack() as undo:
            for action in (next(iter(action.values())) for action in actions):
                table = backend.get_table(action["TableName"])
                key = backend.get_keys_value(table, action.get("Key") or action["Item"])
                undo.callback(_put_back, table, key, copy.deepcopy(table.get_item(*key)))
            original(backend, actions)
            undo.pop_all()

    return transact_write_items


def _put_back(table: Any, key: tuple[Any, Any], item: Any) -> None:
    hash_key, range_key = key
    if item is None:
        table.delete_item(hash_key, range_key)
    elif range_key is None:
        table.items[hash_key] = item
    else:
        table.items[hash_key][range_key] = item
