"""A rule's target by its ARN: how each kind of service that the stacks use as a target is sent its input."""

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from local.clients import Clients
from local.resource_policy import permits

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


def send(clients: Clients, arn: str, text: str, rule_arn: str) -> None:
    """Hand `text` to the target, if its own policy lets the rule.

    Raises
    ------
    ClientError
        what the target's service answered, AccessDeniedException or UNSUPPORTED_TARGET.
    """
    sender = _SENDERS.get(arn.split(":")[2])
    if sender is None:
        raise _refused("UNSUPPORTED_TARGET", f"The laptop engine delivers to {', '.join(sorted(_SENDERS))}, not {arn}.")
    sender(clients, arn, text, rule_arn)


def dead_letter(
    clients: Clients, queue_arn: str, event: Mapping[str, Any], told: Mapping[str, str], rule_arn: str
) -> None:
    """Put an event that could not be delivered on the target's dead-letter queue. Raises ClientError."""
    attributes = {name: {"DataType": "String", "StringValue": value} for name, value in told.items()}
    _to_queue(clients, queue_arn, json.dumps(event), rule_arn, MessageAttributes=attributes)


def _to_queue(clients: Clients, arn: str, text: str, rule_arn: str, **more: Any) -> None:
    sqs, url = clients.client("sqs"), queue_url(arn)
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"]).get("Attributes", {})
    _check(found.get("Policy"), "sqs:SendMessage", arn, rule_arn)
    sqs.send_message(QueueUrl=url, MessageBody=text, **more)


def _to_function(clients: Clients, arn: str, text: str, rule_arn: str) -> None:
    client = clients.client("lambda")
    _check(client.get_policy(FunctionName=arn)["Policy"], "lambda:InvokeFunction", arn, rule_arn)
    client.invoke(FunctionName=arn, InvocationType="Event", Payload=text.encode())


def _to_machine(clients: Clients, arn: str, text: str, _: str) -> None:
    # EventBridge names executions itself, differently each time: a delivery made twice starts two
    clients.client("stepfunctions").start_execution(stateMachineArn=arn, name=str(uuid.uuid4()), input=text)


def _check(policy: str | None, action: str, arn: str, rule_arn: str) -> None:
    if not permits(policy, "events.amazonaws.com", action, rule_arn):
        raise _refused("AccessDeniedException", f"The policy of {arn} does not let {rule_arn} do {action}.")


def _refused(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "PutEvents")


_SENDERS: Mapping[str, Callable[[Clients, str, str, str], None]] = {
    "sqs": _to_queue,
    "lambda": _to_function,
    "states": _to_machine,
}
