"""A rule's target by its ARN: how each kind of service that the stacks use as a target is sent its input."""

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from local.clients import Clients

FINAL_ERRORS = frozenset(
    {
        *("AccessDeniedException", "AccessDenied", "ResourceNotFoundException", "StateMachineDoesNotExist", "NotFound"),
        *("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "UNSUPPORTED_TARGET"),
    }
)
"""Errors after which EventBridge tries no second time: the target or the permission is missing."""


def queue_url(arn: str) -> str:
    """Return the URL of a queue."""
    _, _, _, region, account, name = arn.split(":")
    return f"https://sqs.{region}.amazonaws.com/{account}/{name}"


def send(clients: Clients, arn: str, text: str) -> None:
    """Hand `text` to the target.

    Raises
    ------
    ClientError
        what the target's service answered, or UNSUPPORTED_TARGET.
    """
    sender = _SENDERS.get(arn.split(":")[2])
    if sender is None:
        message = f"The laptop engine delivers to {', '.join(sorted(_SENDERS))}, not to {arn}."
        raise ClientError({"Error": {"Code": "UNSUPPORTED_TARGET", "Message": message}}, "PutEvents")
    sender(clients, arn, text)


def dead_letter(clients: Clients, queue_arn: str, event: Mapping[str, Any], told: Mapping[str, str]) -> None:
    """Put an event that could not be delivered on the target's dead-letter queue."""
    attributes = {name: {"DataType": "String", "StringValue": value} for name, value in told.items()}
    clients.client("sqs").send_message(
        QueueUrl=queue_url(queue_arn), MessageBody=json.dumps(event), MessageAttributes=attributes
    )


def _to_queue(clients: Clients, arn: str, text: str) -> None:
    clients.client("sqs").send_message(QueueUrl=queue_url(arn), MessageBody=text)


def _to_function(clients: Clients, arn: str, text: str) -> None:
    clients.client("lambda").invoke(FunctionName=arn, InvocationType="Event", Payload=text.encode())


def _to_machine(clients: Clients, arn: str, text: str) -> None:
    # EventBridge names executions itself, differently each time: a delivery made twice starts two
    clients.client("stepfunctions").start_execution(stateMachineArn=arn, name=str(uuid.uuid4()), input=text)


def _to_topic(clients: Clients, arn: str, text: str) -> None:
    clients.client("sns").publish(TopicArn=arn, Message=text)


_SENDERS: Mapping[str, Callable[[Clients, str, str], None]] = {
    "sqs": _to_queue,
    "lambda": _to_function,
    "states": _to_machine,
    "sns": _to_topic,
}
