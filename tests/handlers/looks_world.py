"""The look queue as moto keeps it, and what the tests of looks at a dataset ask and tell."""

import json
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import boto3

from lambdas.cut_version import handler

from .conftest import World


@dataclass(frozen=True)
class Queue:
    """A queue and what it hides: a message that was received, for as long as nobody postpones it, for a minute."""

    sqs: Any
    url: str
    arn: str

    @classmethod
    def make(cls) -> "Queue":
        sqs = boto3.client("sqs")
        url = sqs.create_queue(QueueName="look", Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        return cls(sqs=sqs, url=url, arn=arn)

    def send(self, *names: str) -> None:
        """Tell that objects below `incoming/` changed."""
        for name in names:
            self.sqs.send_message(QueueUrl=self.url, MessageBody=json.dumps({"key": f"incoming/{name}"}))

    def receive(self, most: int = 10) -> dict[str, Any]:
        """Return the event that a poller makes of the next messages."""
        found = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=most, AttributeNames=["All"])
        return {
            "Records": [
                {
                    "messageId": entry["MessageId"],
                    "receiptHandle": entry["ReceiptHandle"],
                    "body": entry["Body"],
                    "attributes": entry["Attributes"],
                    "eventSourceARN": self.arn,
                }
                for entry in found.get("Messages", ())
            ]
        }

    def delete(self, event: dict[str, Any], failed: list[str]) -> None:
        """Delete the messages of `event` that the function finished."""
        for record in event["Records"]:
            if record["messageId"] not in failed:
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=record["receiptHandle"])

    def left(self) -> int:
        """Count the messages that nobody finished."""
        kinds = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible")]
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=kinds)["Attributes"]
        return sum(int(found[kind]) for kind in kinds)


def look(event: dict[str, Any], request: str = "request-1") -> list[str]:
    answer = handler(event, SimpleNamespace(aws_request_id=request))
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def announced(world: World) -> list[dict[str, Any]]:
    return [json.loads(entry["Detail"]) for entry in world.sent if entry["DetailType"] == "Data Version Cut"]
