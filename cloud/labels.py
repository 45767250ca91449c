"""The labels table: what was fed back about predictions, by the hour of the prediction.

Keys `hour` (`<model>#<yyyy-mm-ddThh>`, HASH) and `prediction_id` (RANGE), so that the labels of a span of time are read
without the others. Every write holds on the condition that the item still is what the decision was made on.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import batched
from typing import Any, Final

from cloud.conditional_put import put_each_if
from cloud.faults import translated
from lifecycle.errors import Throttled
from lifecycle.feedback_label import Change, Label, Value, hour_of, partition
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

    def of_hour(self, hour: int) -> Iterator[tuple[str, Value]]:
        """Yield id and label of the predictions made in an hour since the epoch, in order of their ids.

        Nothing else is asked for: reading an item's other attributes takes twice as long as reading these.
        """
        request = {
            "TableName": self._table,
            "ConsistentRead": True,  # whoever looked once does not look again
            "KeyConditionExpression": "#hour = :hour",
            "ProjectionExpression": "prediction_id, #label",
            "ExpressionAttributeNames": {"#hour": "hour", "#label": "label"},
            "ExpressionAttributeValues": {":hour": {"S": partition(self._model, hour)}},
        }
        with translated(f"read the labels of {partition(self._model, hour)}"):
            for page in self._dynamodb.get_paginator("query").paginate(**request):
                for item in page["Items"]:
                    yield item["prediction_id"]["S"], json.loads(item["label"]["S"])

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
    return Label(
        prediction_id=item["prediction_id"]["S"],
        label=json.loads(item["label"]["S"]),
        recorded_at=float(item["recorded_at"]["N"]),
        source=item["source"]["S"],
        time=float(item["time"]["N"]) if "time" in item else None,
        found=item["found"]["BOOL"],
        history=tuple(json.loads(item["history"]["S"])) if "history" in item else (),
    )
