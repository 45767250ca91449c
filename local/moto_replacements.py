"""Every symbol of moto that the engine changes, each for the reason beside it. Facts about moto are of 5.2.5."""

import functools
import re
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from moto.apigatewayv2.models import Route
from moto.core.common_models import BaseModel
from moto.iam.access_control import PermissionResult
from moto.logs.models import LogStream
from moto.s3 import notifications
from moto.s3.models import FakeBucket, FakeKey, FakeMultipart, S3Backend
from moto.s3.responses import S3Response
from moto.sqs.models import Queue

from local import moto_answers, moto_chance, moto_tables
from local.moto_state import lock_of, sends_events, track

KEPT_BYTES = 16_777_216
"""Of a log group's lines the newest ones are kept, at least so many bytes of them; older ones go by whole batches."""
LINE_BYTES = 400
"""What a line takes in memory beside its text."""
_RECHECK_SECONDS = 0.1  # of machine time: how soon a waiting receiver sees that engine time was moved


@functools.cache
def install() -> None:
    """Change the symbols of moto that the engine cannot live with, each for the reason beside it."""
    for owner, name, replacement in _replacements():
        setattr(owner, name, replacement)


def _replacements() -> list[tuple[Any, str, Any]]:
    return [
        # moto keeps every model object for its dashboard for ever: memory would grow with each object ever stored
        (BaseModel, "__new__", staticmethod(_untracked)),
        # moto warns about each object version that goes while nobody looks, instead of just closing its file
        (FakeKey, "__del__", FakeKey.dispose),
        # the engine emits S3's events itself: moto's have a constant id, and none for a delete marker
        (notifications, "_send_event_bridge_message", _no_event),
        # moto ignores the conditions of bucket policies; local/iam/ has evaluated them by then
        (FakeBucket, "get_permission", _permission),
        # moto stores the EventBridge switch of a bucket, but does not give it back
        (S3Response, "get_bucket_notification", _with_event_bridge(S3Response.get_bucket_notification)),
        # moto takes no scopes for "leave them as they are", so that a route could never lose those it had
        (Route, "update", _with_no_scopes(Route.update)),
        # moto stores an object for each request to a bucket that logs, which nobody reads: memory would grow with each
        (S3Backend, "log_incoming_request", _not_logged),
        # moto keeps every log line for ever, whatever a group's retention: a long-lived engine would be full of them
        (LogStream, "put_log_events", _with_the_newest(LogStream.put_log_events)),
        # moto takes a queue's policy away with every attribute that is set without it
        (Queue, "_set_attributes", _with_its_policy(Queue._set_attributes)),
        # moto waits for messages with the service entered; the engine's lock must be let go meanwhile
        (Queue, "wait_for_messages", _wait_for_messages),
        *moto_tables.replacements(),
        *moto_answers.replacements(),
        *moto_chance.replacements(),
    ]


def _untracked(cls: type, *_: Any, **__: Any) -> Any:
    instance: Any = object.__new__(cls)
    if issubclass(cls, (FakeKey, FakeMultipart)):
        track(instance)
    return instance


def _no_event(account_id: str, bucket: Any, event_name: str, key: Any) -> None:
    """Leave the event to local/object_events.py."""


def _permission(bucket: Any, action: str, resource: str) -> Any:  # noqa: ARG001 - moto's signature
    return PermissionResult.NEUTRAL


def _with_event_bridge(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def get_bucket_notification(response: Any) -> Any:
        status, headers, body = original(response)
        if sends_events(response.bucket_name):
            body = re.sub(r"(<NotificationConfiguration[^>]*?)/?>", r"\1><EventBridgeConfiguration/>", body, count=1)
            if "</NotificationConfiguration>" not in body:
                body += "</NotificationConfiguration>"
        return status, headers, body

    return get_bucket_notification


def _with_no_scopes(original: Callable[..., None]) -> Callable[..., None]:
    def update(route: Any, **asked: Any) -> None:
        original(route, **asked)
        if asked["authorization_scopes"] == []:
            route.authorization_scopes = []

    return update


def _not_logged(backend: Any, request: Any, bucket_name: str) -> None:
    """Write nothing: AWS delivers access logs as best it can, and hours later."""


def _with_the_newest(original: Callable[..., str]) -> Callable[..., str]:
    def put_log_events(stream: Any, log_events: list[dict[str, Any]]) -> str:
        token = original(stream, log_events)
        group = stream.log_group
        size = sum(len(event["message"]) + LINE_BYTES for event in log_events)
        # what a group keeps, the oldest first: of which stream, how many lines and bytes
        batches = vars(group).setdefault("kept_batches", deque())
        batches.append((stream, len(log_events), size))
        group.kept_bytes = getattr(group, "kept_bytes", 0) + size
        while group.kept_bytes - batches[0][2] >= KEPT_BYTES:
            oldest, lines, bytes_of_it = batches.popleft()
            del oldest.events[:lines]
            group.kept_bytes -= bytes_of_it
        return token

    return put_log_events


def _with_its_policy(original: Callable[..., None]) -> Callable[..., None]:
    def set_attributes(queue: Any, attributes: dict[str, Any], now: float | None = None) -> None:
        kept = getattr(queue, "policy", None)
        original(queue, attributes, now)
        if "Policy" not in attributes:
            queue.policy = kept

    return set_attributes


def _wait_for_messages(queue: Any, timeout: float) -> None:
    # bound to the service's lock, so that waiting lets other threads send
    arrived = threading.Condition(lock_of("sqs"))
    with arrived:
        if not queue.messages:
            arrived.wait(min(timeout, _RECHECK_SECONDS))
