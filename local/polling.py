"""One poller of an event source mapping: receives a batch, invokes the function, deletes what it finished.

Source of the rules: Lambda developer guide, "Using Lambda with Amazon SQS". Messages reach a dead-letter queue by
moto's own redrive, when they are received once too often.
"""

import json
import logging
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from local.clients import Clients
from local.clock import Clock
from local.event_targets import queue_url
from local.moto_state import has_visible_messages

DEFAULT_BATCH = 10
_LOOK_SECONDS = 0.05  # of machine time: how often an idle poller looks at its queue

_log = logging.getLogger(__name__)


class Poller:
    """What one of a mapping's threads does; `settings` are the mapping's, by the API's names."""

    def __init__(self, clients: Clients, clock: Clock, settings: Mapping[str, Any]) -> None:
        self._clients = clients
        self._lambda = clients.client("lambda")
        self._clock = clock
        self._arn: str = settings["EventSourceArn"]
        self._region, self._name = self._arn.split(":")[3], self._arn.split(":")[5]
        self._url = queue_url(self._arn)
        self._function: str = settings["FunctionArn"]
        self._size: int = settings.get("BatchSize", DEFAULT_BATCH)
        self._partial = "ReportBatchItemFailures" in settings.get("FunctionResponseTypes", ())

    def run(self, stop: threading.Event) -> None:
        """Poll until `stop` is set."""
        while not stop.is_set():
            if not has_visible_messages(self._region, self._name):
                stop.wait(_LOOK_SECONDS)
                continue
            try:
                with self._clock.hold():
                    sqs = self._as_function()
                    if messages := self._receive(sqs):
                        self._handle(sqs, messages)
            except ClientError as refusal:
                # the messages come back when their visibility timeout ends, as on AWS
                _log.error("%s -> %s: %s", self._name, self._function, refusal)
                stop.wait(_LOOK_SECONDS)

    def _as_function(self) -> Any:
        """Lambda takes messages with the role that the function has now."""
        found = self._lambda.get_function_configuration(FunctionName=self._function)
        return self._clients("sqs", found["Role"])

    def _receive(self, sqs: Any) -> list[dict[str, Any]]:
        answer = sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=self._size,
            WaitTimeSeconds=0,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return list(answer.get("Messages", ()))

    def _handle(self, sqs: Any, messages: Sequence[Mapping[str, Any]]) -> None:
        event = {"Records": [self._record(message) for message in messages]}
        answer = self._lambda.invoke(FunctionName=self._function, Payload=json.dumps(event).encode())
        payload = answer["Payload"].read()
        if answer.get("FunctionError"):
            _log.warning("%s -> %s: the function failed", self._name, self._function)
            return
        failed = failed_messages(payload, [message["MessageId"] for message in messages]) if self._partial else set()
        for message in messages:
            if message["MessageId"] not in failed:
                sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])

    def _record(self, message: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": {
                name: {
                    "stringValue": value.get("StringValue"),
                    "stringListValues": [],
                    "binaryListValues": [],
                    "dataType": value["DataType"],
                }
                for name, value in message.get("MessageAttributes", {}).items()
            },
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self._arn,
            "awsRegion": self._region,
        }


def failed_messages(payload: bytes, batch: Sequence[str]) -> set[str]:
    """Return the ids of the messages of `batch` that a function with ReportBatchItemFailures did not finish.

    Nothing, null and an empty list mean success; what cannot be understood means that the whole batch failed.

    >>> failed_messages(b'{"batchItemFailures": [{"itemIdentifier": "b"}]}', ["a", "b"])
    {'b'}
    """
    try:
        answer = json.loads(payload) if payload else None
        failures = (answer or {}).get("batchItemFailures") or []
        failed = {failure["itemIdentifier"] for failure in failures}
    except (ValueError, AttributeError, KeyError, TypeError):
        return set(batch)
    return failed if failed <= set(batch) else set(batch)
