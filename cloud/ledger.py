"""The ledger: its table, which one function writes, and the writer as everyone else calls it."""

import json
from typing import Any, Final

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from cloud.faults import code, translated
from lifecycle import ledger
from lifecycle.errors import Unavailable
from lifecycle.ledger import Entry

TRIES: Final = 20


class LedgerTable:
    """Numbered entries per subject; key `subject` (string) and `entry` (string)."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def append(self, entry: Entry) -> tuple[int, bool]:
        """Write an entry under the next number; return (number, True), or (its old number, False) when it was there.

        Raises Unavailable when other writers of the same subject were faster many times in a row.
        """
        for _ in range(TRIES):
            known = self._number(entry.subject, ledger.marker_key(entry.id))
            if known is not None:
                return known, False
            head = self._number(entry.subject, ledger.HEAD)
            number = 1 if head is None else head + 1
            if self._write(entry, number, head):
                return number, True
        raise Unavailable(f"{entry.subject} got other entries {TRIES} times while {entry.id} was written; try again")

    def entries(self, subject: str, after: int = 0) -> list[dict[str, Any]]:
        """Return a subject's entries with numbers above `after`, oldest first, `detail` read."""
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="subject = :subject AND entry BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":subject": {"S": subject},
                ":first": {"S": ledger.event_key(after + 1)},
                ":last": {"S": ledger.event_key(ledger.HIGHEST)},
            },
            ConsistentRead=True,
        )
        read = TypeDeserializer()
        found = []
        with translated(f"read the ledger of {subject}"):
            for item in (item for page in pages for item in page["Items"]):
                plain = {name: read.deserialize(value) for name, value in item.items()}
                found.append({**plain, "number": int(plain["number"]), "detail": json.loads(plain["detail"])})
        return found

    def _number(self, subject: str, entry: str) -> int | None:
        key = {"subject": {"S": subject}, "entry": {"S": entry}}
        with translated(f"read the ledger of {subject}"):
            answer = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        item = answer.get("Item")
        return int(item["number"]["N"]) if item else None

    def _write(self, entry: Entry, number: int, head: int | None) -> bool:
        write = TypeSerializer()
        event, marker, new_head = (
            {name: write.serialize(value) for name, value in item.items()} for item in ledger.items(entry, number)
        )
        absent = {"TableName": self._table, "ConditionExpression": "attribute_not_exists(subject)"}
        moved: dict[str, Any] = {**absent, "Item": new_head}
        if head is not None:
            moved["ConditionExpression"] = "#number = :head"
            moved["ExpressionAttributeNames"] = {"#number": "number"}
            moved["ExpressionAttributeValues"] = {":head": {"N": str(head)}}
        puts = [{"Put": {**absent, "Item": event}}, {"Put": {**absent, "Item": marker}}, {"Put": moved}]
        try:
            with translated(f"write to the ledger of {entry.subject}"):
                self._dynamodb.transact_write_items(TransactItems=puts)
        except ClientError as error:
            if code(error) in ("TransactionCanceledException", "TransactionInProgressException"):
                return False
            raise
        return True


class Ledger:
    """The writer function, called synchronously: when `record` returns, the entry is there."""

    def __init__(self, functions: Any, writer: str) -> None:
        self._functions = functions
        self._writer = writer

    def record(self, entry: Entry) -> int:
        """Have an entry written; return its number. Raises Unavailable when the writer failed."""
        with translated(f"record {entry.id}"):
            answer = self._functions.invoke(
                FunctionName=self._writer,
                InvocationType="RequestResponse",
                Payload=json.dumps(entry.to_plain(), allow_nan=False).encode(),
            )
            payload = json.loads(answer["Payload"].read())
        if answer.get("FunctionError"):
            what = payload.get("errorType", "an unknown error") if isinstance(payload, dict) else "an unknown error"
            raise Unavailable(f"the ledger's writer {self._writer} failed with {what} on {entry.id}; see its log")
        return int(payload["number"])
