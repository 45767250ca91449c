"""Records the events of a place while the body runs: a rule and a queue of its own, made and removed by API.

What AWS sends is kept as fixtures (`tests/target/events/`), so that the other places can be held to it. Whatever tells
whose account it was is replaced before anything is written.
"""

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from lifecycle import names
from tests.target.place import STAGE, Place

KINDS: Final = (
    *(names.OBJECT_CREATED, names.OBJECT_DELETED, names.EXECUTION_CHANGED, names.ALARM_CHANGED),
    *(names.MODEL_PACKAGE_CHANGED, names.STACK_CHANGED),
)
"""What this product listens to and does not send itself."""

ACCOUNT: Final = "123456789012"
_SECRET: Final = {"request-id": "REQUEST", "source-ip-address": "192.0.2.1", "requester": ACCOUNT}


class Recorder:
    """Holds what came so far; `kept` fetches what is new."""

    def __init__(self, place: Place, queue: str) -> None:
        self._place, self._queue = place, queue
        self._events: dict[str, dict[str, Any]] = {}

    def kept(self) -> list[dict[str, Any]]:
        """Every event since the recorder was made, in the order of arrival, each once."""
        sqs = self._place.client("sqs")
        # a short look asks some of AWS's servers only, and may find nothing where there is something
        look = {"QueueUrl": self._queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": self._place.linger}
        while got := sqs.receive_message(**look).get("Messages", []):
            for message in got:
                event = json.loads(message["Body"])
                self._events.setdefault(event["id"], event)
                sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return list(self._events.values())

    def of(self, detail_type: str) -> list[dict[str, Any]]:
        """The events of one kind."""
        return [event for event in self.kept() if event["detail-type"] == detail_type]


@contextmanager
def recording(place: Place) -> Iterator[Recorder]:
    """Record everything that the services that this product listens to send to the default bus."""
    sqs, events = place.client("sqs"), place.client("events")
    name = f"perennial-{STAGE}-recorder-{uuid.uuid4().hex[:8]}"
    url = sqs.create_queue(QueueName=name, Attributes={"MessageRetentionPeriod": "3600"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    rule = events.put_rule(Name=name, EventPattern=json.dumps({"detail-type": list(KINDS)}), State="ENABLED")["RuleArn"]
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
                "Condition": {"ArnLike": {"aws:SourceArn": rule}},
            }
        ],
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    failed = events.put_targets(Rule=name, Targets=[{"Id": "Queue", "Arn": arn}])["FailedEntryCount"]
    assert failed == 0
    try:
        yield Recorder(place, url)
    finally:
        events.remove_targets(Rule=name, Ids=["Queue"])
        events.delete_rule(Name=name)
        sqs.delete_queue(QueueUrl=url)


def anonymous(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event without what tells whose it was: account, caller's address, request."""
    account = str(event["account"])

    def told(value: Any, name: str = "") -> Any:
        if name in _SECRET:
            return _SECRET[name]
        if isinstance(value, dict):
            return {key: told(part, key) for key, part in value.items()}
        if isinstance(value, list):
            return [told(part) for part in value]
        if isinstance(value, str):
            return re.sub(rf"(?<!\d){account}(?!\d)", ACCOUNT, value)
        return value

    return {key: told(value, key) for key, value in event.items()}
