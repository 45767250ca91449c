"""A rule's target by its ARN: how each kind of service that the stacks use as a target is sent its input."""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.api import ApiError
from local.clients import Clients
from local.iam.authority import Acting, Authority

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


@dataclass(frozen=True, slots=True)
class Sender:
    """EventBridge, which acts for a rule: by the target's own policy, or with the role that the rule gives it."""

    clients: Clients
    authority: Authority
    rule_arn: str

    def send(self, target: Mapping[str, Any], text: str) -> None:
        """Hand `text` to a target.

        Raises
        ------
        ApiError, ClientError
            what the target's service answered or its policy refused; UNSUPPORTED_TARGET.
        """
        arn = target["Arn"]
        to = _TARGETS.get(arn.split(":")[2])
        if to is None:
            message = f"The laptop engine delivers to {', '.join(sorted(_TARGETS))}, not {arn}."
            raise ApiError("UNSUPPORTED_TARGET", message)
        to(self, target, text)

    def dead_letter(self, queue_arn: str, event: Mapping[str, Any], told: Mapping[str, str]) -> None:
        """Put an event that could not be delivered on the target's dead-letter queue. Raises as `send` does."""
        attributes = {name: {"DataType": "String", "StringValue": value} for name, value in told.items()}
        self.to_queue(queue_arn, json.dumps(event), MessageAttributes=attributes)

    def to_queue(self, arn: str, text: str, **more: Any) -> None:
        """Send a message to a queue."""
        self._ask("sqs", "SendMessage", {"QueueUrl": queue_url(arn)})
        self.clients("sqs").send_message(QueueUrl=queue_url(arn), MessageBody=text, **more)

    def to_function(self, arn: str, text: str) -> None:
        """Invoke a function, which takes the event for later."""
        self._ask("lambda", "Invoke", {"FunctionName": arn})
        self.clients("lambda").invoke(FunctionName=arn, InvocationType="Event", Payload=text.encode())

    def to_machine(self, arn: str, text: str, role_arn: str) -> None:
        """Start an execution; EventBridge names it itself, differently each time: two deliveries start two."""
        self.authority.with_role(self._acting, role_arn, ())
        states = self.clients("stepfunctions", role_arn)
        states.start_execution(stateMachineArn=arn, name=str(uuid.uuid4()), input=text)

    @property
    def _acting(self) -> Acting:
        return Acting("events.amazonaws.com", self.rule_arn)

    def _ask(self, service: str, operation: str, parameters: Mapping[str, Any]) -> None:
        self.authority.service(self._acting, service, operation, parameters)


_TARGETS: Mapping[str, Callable[[Sender, Mapping[str, Any], str], None]] = {
    "sqs": lambda sender, target, text: sender.to_queue(target["Arn"], text),
    "lambda": lambda sender, target, text: sender.to_function(target["Arn"], text),
    "states": lambda sender, target, text: sender.to_machine(target["Arn"], text, target.get("RoleArn", "")),
}
