"""The labels table: what was fed back about predictions, by the hour of the prediction.

Keys `hour` (`<model>#<yyyy-mm-ddThh>`, HASH) and `prediction_id` (RANGE), so that the labels of a span of time are read
without the others. Every write holds on the condition that the item still is what the decision was made on.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import batched
from typing import Any, Final

from boto3.dynamodb.types import TypeDeserializer

from cloud.conditional_put import put_each_if
from cloud.faults import translated
from lifecycle.errors import Throttled
from lifecycle.feedback_label import Change, Label, hour_of, partition
from lifecycle.prediction_id import time_of

READ_AT_ONCE: Final = 100  # DynamoDB, BatchGetItem
READERS: Final = 8  # connections that a client keeps open: ten
READS: Final = 8


class Labels:
    """The labels of one model."""

    def __init__(self, dynamodb: Any, table: str, model: str) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._model = model

    def of(self, prediction_ids: Iterable[str]) -> dict[str, Label]:
        """Return what is stored for these predictions (consistent reads); ids that are none of ours have nothing."""
        keys = [self._key(identity) for identity in sorted(set(prediction_ids)) if time_of(identity) is not None]
        with ThreadPoolExecutor(READERS) as pool:
            found = list(pool.map(self._batch, batched(keys, READ_AT_ONCE)))
        return {label.prediction_id: label for labels in found for label in labels}

    def write(self, changes: Sequence[Change]) -> list[str]:
        """Make changes; return the ids of those whose item somebody else changed meanwhile: nothing was written there.

        No two changes may be of one prediction. Raises Throttled or Unavailable when DynamoDB does not take them; those
        made by then stay.
        """
        identities = [change.after.prediction_id for change in changes]
        assert len(set(identities)) == len(identities), "a transaction with an item twice would be refused"
        doing = f"write {len(changes)} labels of {self._model}"
        made = put_each_if(self._dynamodb, map(self._request, changes), doing)
        return [identity for identity, one in zip(identities, made, strict=True) if not one]

    def of_hours(self, since: float, until: float) -> Iterator[Label]:
        """Yield the labels of predictions made in [since, until), epoch seconds, in order of their ids."""
        read = self._dynamodb.get_paginator("query")
        for hour in range(hour_of(since), hour_of(until) + 1):
            request = {
                "TableName": self._table,
                "KeyConditionExpression": "#hour = :hour",
                "ExpressionAttributeNames": {"#hour": "hour"},
                "ExpressionAttributeValues": {":hour": {"S": partition(self._model, hour)}},
            }
            with translated(f"read the labels of {partition(self._model, hour)}"):
                for page in read.paginate(**request):
                    labels = (_label(item) for item in page["Items"])
                    yield from (label for label in labels if since <= (time_of(label.prediction_id) or 0) < until)

    def _key(self, identity: str) -> dict[str, Any]:
        at = time_of(identity)
        assert at is not None, "only ids of ours have a place"
        return {"hour": {"S": partition(self._model, hour_of(at))}, "prediction_id": {"S": identity}}

    def _batch(self, keys: Sequence[Mapping[str, Any]]) -> list[Label]:
        wanted: Any = {self._table: {"Keys": list(keys), "ConsistentRead": True}}
        found: list[Label] = []
        for _ in range(READS):
            with translated(f"read {len(keys)} labels"):
                answer = self._dynamodb.batch_get_item(RequestItems=wanted)
            found += [_label(item) for item in answer["Responses"].get(self._table, [])]
            wanted = answer.get("UnprocessedKeys")
            if not wanted:
                return found
        raise Throttled(f"read {len(keys)} labels: DynamoDB left some unread {READS} times; try again later")

    def _request(self, change: Change) -> dict[str, Any]:
        after = change.after
        request: dict[str, Any] = {
            "TableName": self._table,
            "Item": self._key(after.prediction_id) | _item(after),
            "ConditionExpression": "attribute_not_exists(prediction_id)",
        }
        if change.before is not None:
            before = _item(change.before)
            request["ConditionExpression"] = "#label = :label AND #source = :source AND recorded_at = :recorded_at"
            request["ExpressionAttributeNames"] = {"#label": "label", "#source": "source"}
            request["ExpressionAttributeValues"] = {
                f":{name}": before[name] for name in ("label", "source", "recorded_at")
            }
        return request


def _item(label: Label) -> dict[str, Any]:
    """Attributes beside the key; the label is JSON, since it may be a text or a number."""
    found: dict[str, Any] = {
        "label": {"S": json.dumps(label.label)},
        "recorded_at": {"N": repr(label.recorded_at)},
        "source": {"S": label.source},
        "found": {"BOOL": label.found},
    }
    if label.time is not None:
        found["time"] = {"N": repr(label.time)}
    if label.history:
        found["history"] = {"S": json.dumps(list(label.history))}
    return found


def _label(item: Mapping[str, Any]) -> Label:
    read = TypeDeserializer()
    plain = {name: read.deserialize(value) for name, value in item.items()}
    return Label(
        prediction_id=plain["prediction_id"],
        label=json.loads(plain["label"]),
        recorded_at=float(plain["recorded_at"]),
        source=plain["source"],
        time=float(plain["time"]) if "time" in plain else None,
        found=plain["found"],
        history=tuple(json.loads(plain.get("history", "[]"))),
    )
