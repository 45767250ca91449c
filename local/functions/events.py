"""Asynchronous invocation: events that are retried, and where they go when every attempt has failed.

Source of the rules and of the record's shape: AWS Lambda developer guide, "Invoking a function asynchronously" and
"Capturing records of Lambda asynchronous invocations".
"""

import json
import logging
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from local.api import ApiError, Caller, Invocation, Operations
from local.clients import Clients
from local.clock import Hold
from local.event_targets import queue_url
from local.functions.model import LATEST, invalid_value, split_name
from local.functions.registry import Parameters, Registry
from local.keeping import NOWHERE, Keep

RETRY_SECONDS = (60.0, 120.0)
MAX_EVENT_AGE_SECONDS = 21_600
_KNOWN = frozenset(
    {"FunctionName", "Qualifier", "MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig"}
)
_PART = "asynchronous invocations"
_log = logging.getLogger(__name__)

Attempt = Callable[[str, bytes, str], Invocation]
"""Invokes a function by ARN with a payload under a request id."""


@dataclass(slots=True)
class _Event:
    function: str
    payload: bytes
    request_id: str
    accepted: float
    attempts: int = 0
    throttled: int = 0
    last: Invocation | None = None


class Events:
    """Runs events, each in a thread of its own, and keeps the functions' settings for them."""

    def __init__(self, registry: Registry, clients: Clients, attempt: Attempt, keep: Keep = NOWHERE) -> None:
        self._registry = registry
        self._clients = clients
        self._attempt = attempt
        self._stopped = threading.Event()
        self._keep = keep

    def operations(self) -> Operations:
        """Return the intercepts."""
        return {
            ("lambda", "PutFunctionEventInvokeConfig"): self._put,
            ("lambda", "GetFunctionEventInvokeConfig"): self._get,
            ("lambda", "DeleteFunctionEventInvokeConfig"): self._delete,
        }

    def take(self, function: str, payload: bytes) -> None:
        """Accept an event; the caller is not told how it ends."""
        event = _Event(function, payload, str(uuid.uuid4()), self._registry.clock.now())
        self._keep.put(_PART, event.request_id, event)
        self._start(event)

    def resume(self) -> None:
        """Take up the events that an earlier engine left; the attempts that it made do not count."""
        for event in self._keep.rows(_PART).values():
            self._start(event)

    def _start(self, event: _Event) -> None:
        arguments = (event, self._registry.clock.hold())
        threading.Thread(target=self._run, args=arguments, name="async-invoke", daemon=True).start()

    def close(self) -> None:
        """Start no further attempts."""
        self._stopped.set()

    def _run(self, event: _Event, hold: Hold) -> None:
        try:
            wait = self._try(event)
            while (condition := self._over(event)) is None:
                if self._registry.clock.sleep(wait, self._stopped, hold):
                    return
                wait = self._try(event)
            if condition:
                self._give_up(event, condition)
            self._keep.remove(_PART, event.request_id)
        finally:
            hold.release()

    def _over(self, event: _Event) -> str | None:
        """Return "" after success, why it failed for good, or None while there are attempts left."""
        if event.last is not None and event.last.error is None:
            return ""
        settings = self._settings(event.function)
        if event.attempts > settings.get("MaximumRetryAttempts", len(RETRY_SECONDS)):
            return "RetriesExhausted"
        age = self._registry.clock.now() - event.accepted
        return "EventAgeExceeded" if age > settings.get("MaximumEventAgeInSeconds", MAX_EVENT_AGE_SECONDS) else None

    def _try(self, event: _Event) -> float:
        """Make one attempt and return how long to wait before the next; throttling is no failure."""
        try:
            event.last = self._attempt(event.function, event.payload, event.request_id)
        except ApiError as error:
            _log.info("event for %s waits: %s", event.function, error)
            event.throttled += 1
            return min(2.0**event.throttled, 300.0)
        event.attempts += 1
        more = event.last.error is not None and event.attempts <= len(RETRY_SECONDS)
        return RETRY_SECONDS[event.attempts - 1] if more else 0.0

    def _give_up(self, event: _Event, condition: str) -> None:
        destination = self._settings(event.function).get("DestinationConfig", {}).get("OnFailure", {})
        _log.warning("event for %s failed for good: %s", event.function, condition)
        if queue := destination.get("Destination"):
            body = json.dumps(_record(event, condition, self._registry.clock.now()))
            with self._registry.lock:
                role = self._registry.function(event.function).latest.configuration.role
            try:
                self._clients("sqs", role).send_message(QueueUrl=queue_url(queue), MessageBody=body)
            except ClientError as refusal:
                # as on AWS, where only a metric tells: the event is lost
                _log.error("event for %s is lost: %s", event.function, refusal)

    def _settings(self, name: str) -> dict[str, Any]:
        qualifier = split_name(name)[1] or LATEST
        with self._registry.lock:
            function = self._registry.functions.get(split_name(name)[0])
            return function.event_settings.get(qualifier, {}) if function else {}

    def _put(self, parameters: Parameters, _: Caller) -> dict[str, Any]:
        destination = parameters.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination", ":sqs:")
        if unknown := sorted(set(parameters) - _KNOWN) or (":sqs:" not in destination and [destination]):
            raise invalid_value(
                f"The laptop engine does not know {', '.join(unknown)}: it has retries, age, and a queue on failure."
            )
        with self._registry.lock:
            function, qualifier = self._registry.asked(parameters)
            kept = {name: parameters[name] for name in _KNOWN - {"FunctionName", "Qualifier"} if name in parameters}
            function.event_settings[qualifier or LATEST] = kept
        return self._get(parameters, _)

    def _get(self, parameters: Parameters, _: Caller) -> dict[str, Any]:
        with self._registry.lock:
            function, qualifier = self._registry.asked(parameters)
            settings = function.event_settings.get(qualifier or LATEST)
            if settings is None:
                raise ApiError(
                    "ResourceNotFoundException",
                    f"The function {function.latest.arn} doesn't have an EventInvokeConfig",
                    404,
                )
            return {"FunctionArn": f"{function.latest.arn}:{qualifier or LATEST}", **settings}

    def _delete(self, parameters: Parameters, _: Caller) -> dict[str, Any]:
        with self._registry.lock:
            function, qualifier = self._registry.asked(parameters)
            function.event_settings.pop(qualifier or LATEST, None)
        return {}


def _record(event: _Event, condition: str, now: float) -> dict[str, Any]:
    """Return what a destination is sent."""
    qualifier = split_name(event.function)[1]
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": event.request_id,
            "functionArn": event.function if qualifier else f"{event.function}:{LATEST}",
            "condition": condition,
            "approximateInvokeCount": event.attempts,
        },
        "requestPayload": json.loads(event.payload or b"{}"),
    }
    if event.last is not None:
        record["responseContext"] = {
            "statusCode": 200,
            "executedVersion": event.last.version,
            "functionError": event.last.error,
        }
        record["responsePayload"] = json.loads(event.last.payload)
    return record
