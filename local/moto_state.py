"""moto as the store of AWS state: answers requests in-process, and what the engine looks up in it without asking.

moto runs in one process for everybody, so `reset` empties all services. Each service is entered by one thread at a
time: moto's conditional writes and receives are not atomic of themselves.
Facts about moto are of 5.2.5, which the lock file pins.
"""

import functools
import math
import re
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moto.apigatewayv2.models import apigatewayv2_backends
from moto.backends import get_backend
from moto.core.base_backend import BackendDict
from moto.core.request import Request
from moto.core.resource_tagging import iter_taggable_backends
from moto.events.models import events_backends
from moto.s3.models import s3_backends
from moto.sqs.models import sqs_backends
from werkzeug.exceptions import HTTPException

from local import moto_changes
from local.api import ACCOUNT
from local.service_models import BOTOCORE_NAMES
from local.wire import HttpAnswer, HttpCall

_HOSTS = {"apigatewayv2": "apigateway", "sagemaker": "api.sagemaker"}
_GLOBAL = frozenset({"s3", "iam", "sts"})

_files: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
_locks: dict[str, threading.RLock] = {}
_locks_guard = threading.Lock()


def answer(service: str, region: str, call: HttpCall) -> HttpAnswer:
    """Let moto answer `call`; `service` is one of the gateway's closed list."""
    url = f"https://{_HOSTS.get(service, service)}.{region}.amazonaws.com"
    handler = next((found for pattern, found in _handlers(service, region) if pattern.match(url + call.path)), None)
    if handler is None:
        return HttpAnswer(404, {"Content-Type": "text/plain"}, f"{service} has no {call.path}".encode())
    target = url + call.path + (f"?{call.query}" if call.query else "")
    request = Request.from_primitives(call.method, target, call.headers, call.body)
    with lock_of(service):
        begun = moto_changes.begin(service, call)
        try:
            status, headers, body = handler(request, request.raw_url, request.headers)
        except HTTPException as refusal:
            status, headers, body = refusal.code, dict(refusal.get_headers()), refusal.get_body()
        answered = _answered(call, status, headers, body)
        if begun is not None and answered.status < 300:
            moto_changes.add(service, region, begun, call, answered)
    return answered


def _answered(call: HttpCall, status: int | str | None, headers: Mapping[str, Any], body: Any) -> HttpAnswer:
    content = body.encode() if isinstance(body, str) else bytes(body or b"")
    # the length of a body that is not sent is news, of one that is sent it is not
    dropped = {"status"} if call.method == "HEAD" else {"status", "content-length"}
    kept = {name: str(value) for name, value in headers.items() if name.lower() not in dropped}
    return HttpAnswer(int(headers.get("status", status)), kept, content)


def lock_of(service: str) -> threading.RLock:
    """Return the lock under which `service` is entered."""
    with _locks_guard:
        return _locks.setdefault(service, threading.RLock())


@functools.cache
def _handlers(service: str, region: str) -> list[tuple[re.Pattern[str], Callable[..., Any]]]:
    backend: Any = get_backend(BOTOCORE_NAMES.get(service, service))[ACCOUNT]  # type: ignore[call-overload]
    urls = backend["aws" if service in _GLOBAL else region].urls
    return [(re.compile(url), handler) for url, handler in urls.items()]


def reset() -> None:
    """Forget all state of all services, and close the files that hold S3's objects."""
    BackendDict.reset()
    for stored in list(_files.values()):
        stored.dispose()


def track(stored: Any) -> None:
    """Close the file of a stored object when everything is forgotten."""
    _files[id(stored)] = stored


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the default bus, ready to match."""

    name: str
    arn: str
    pattern: Any
    targets: tuple[Mapping[str, Any], ...]

    def matches(self, event: Mapping[str, Any]) -> bool:
        """Tell whether `event` fits the rule's pattern."""
        return bool(self.pattern.matches_event(event))


def enabled_rules(region: str) -> list[Rule]:
    """Return the enabled rules of the default bus that have a pattern."""
    with lock_of("events"):
        rules = events_backends[ACCOUNT][region].event_buses["default"].rules.values()
        return [
            Rule(rule.name, rule.arn, rule.event_pattern, tuple(dict(target) for target in rule.targets))
            for rule in rules
            if rule.state == "ENABLED" and rule.event_pattern.get_pattern()
        ]


@dataclass(frozen=True, slots=True)
class ScheduledRule:
    """A rule of the default bus that time triggers."""

    rule: Rule
    expression: str

    @property
    def arn(self) -> str:
        """The rule's ARN."""
        return self.rule.arn


def scheduled_rules(region: str) -> list[ScheduledRule]:
    """Return the enabled rules of the default bus that have a schedule."""
    with lock_of("events"):
        rules = events_backends[ACCOUNT][region].event_buses["default"].rules.values()
        return [
            ScheduledRule(Rule(r.name, r.arn, None, tuple(dict(t) for t in r.targets)), r.scheduled_expression)
            for r in rules
            if r.state == "ENABLED" and r.scheduled_expression
        ]


def sends_events(bucket: str) -> bool:
    """Tell whether the EventBridge notification of `bucket` is on."""
    with lock_of("s3"):
        found = s3_backends[ACCOUNT]["aws"].buckets.get(bucket)
        settings = getattr(found, "notification_configuration", None)
        return settings is not None and settings.event_bridge is not None


def object_size(bucket: str, key: str, version_id: str | None) -> int:
    """Return the size in bytes of an object version, 0 when it is gone already."""
    with lock_of("s3"):
        found = s3_backends[ACCOUNT]["aws"].get_object(bucket, key, version_id=version_id)
        return 0 if found is None else int(found.size)


def tagged(region: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield ARN and tags of every tagged resource that moto holds; its own list lacks rules and HTTP APIs."""
    for backend in iter_taggable_backends(ACCOUNT, region):
        with lock_of(backend.SERVICE_NAMESPACE):
            yield from [(resource.arn, resource.tags) for resource in backend.iter_tagged_resources() if resource.tags]
    with lock_of("events"):
        rules: dict[str, Any] = events_backends[ACCOUNT][region].tagger.tags
        yield from [(arn, dict(tags)) for arn, tags in rules.items() if tags]
    with lock_of("apigatewayv2"):
        http = apigatewayv2_backends[ACCOUNT][region]
        yield from [(api.arn, http.get_tags(api.arn)) for api in http.apis.values() if http.get_tags(api.arn)]


def next_message(region: str, queue: str) -> float:
    """Return when a message of the queue named `queue` can be received next (epoch seconds), infinity for never."""
    with lock_of("sqs"):
        found = sqs_backends[ACCOUNT][region].queues.get(queue)
        waiting = () if found is None else list(found._messages)
        return min((max(m.visible_at, m.delayed_until) / 1000 for m in waiting), default=math.inf)


def has_visible_messages(region: str, queue: str) -> bool:
    """Tell, at the price of a look, whether a receive on the queue named `queue` would find something."""
    with lock_of("sqs"):
        found = sqs_backends[ACCOUNT][region].queues.get(queue)
        return found is not None and any(message.visible for message in found.messages)
