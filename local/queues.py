"""Event source mappings from queues to functions: their API, and the pollers of each."""

import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from local.api import ACCOUNT, ApiError, Caller, Operation
from local.clients import Clients
from local.clock import NEVER, Clock
from local.event_targets import queue_url
from local.functions.model import invalid_value
from local.keeping import NOWHERE, Keep
from local.moto_state import next_message
from local.polling import DEFAULT_BATCH, Poller

POLLERS = 5
"""Batches of one mapping that Lambda works on at the same time, at first (AWS adds more under load)."""

_PART = "event source mappings"
_KNOWN = frozenset({"BatchSize", "FunctionResponseTypes", "EventSourceArn", "FunctionName", "Tags"})


@dataclass(slots=True)
class _Source:
    settings: dict[str, Any]
    stop: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)


class Queues:
    """The event source mappings of the account."""

    def __init__(self, clients: Clients, clock: Clock, keep: Keep = NOWHERE) -> None:
        self._clients = clients
        self._keep = keep
        self._clock = clock
        self._lock = threading.Lock()
        self._sources = {uuid: _Source(settings) for uuid, settings in keep.rows(_PART).items()}
        clock.heed(self._next_message)

    def _next_message(self) -> float:
        queues = {source.settings["EventSourceArn"].split(":")[5] for source in list(self._sources.values())}
        return min((next_message(self._clients.region, queue) for queue in queues), default=NEVER)

    def operations(self) -> dict[tuple[str, str], Operation]:
        """Return the operations that are answered here: moto would invoke functions while a message is sent."""
        return {
            ("lambda", "CreateEventSourceMapping"): self._create,
            ("lambda", "GetEventSourceMapping"): self._get,
            ("lambda", "UpdateEventSourceMapping"): self._update,
            ("lambda", "DeleteEventSourceMapping"): self._delete,
        }

    def tagged(self) -> dict[str, dict[str, str]]:
        """Return the tags of every mapping by ARN."""
        base = f"arn:aws:lambda:{self._clients.region}:{ACCOUNT}:event-source-mapping"
        sources = list(self._sources.items())
        return {f"{base}:{uuid}": dict(s.settings["Tags"]) for uuid, s in sources if s.settings.get("Tags")}

    def resume(self) -> None:
        """Begin to poll for the mappings that an earlier engine had."""
        with self._lock:
            for source in self._sources.values():
                if not source.threads:
                    self._poll(source)

    def stop(self) -> None:
        """Take no more messages; the batches that are worked on go on."""
        for source in self._sources.values():
            source.stop.set()

    def join(self, seconds: float = 5.0) -> None:
        """Wait at most `seconds` of machine time for the pollers to end."""
        until = time.monotonic() + seconds
        for source in self._sources.values():
            for thread in source.threads:
                thread.join(max(0.0, until - time.monotonic()))

    def _create(self, parameters: dict[str, Any], _: Caller) -> dict[str, Any]:
        settings = {"BatchSize": DEFAULT_BATCH} | parameters
        _check(settings)
        settings["FunctionArn"] = self._function_arn(settings.pop("FunctionName"))
        self._check_ends(settings)
        settings["UUID"] = str(uuid.uuid4())
        with self._lock:
            for source in self._sources.values():
                if all(source.settings[name] == settings[name] for name in ("EventSourceArn", "FunctionArn")):
                    raise ApiError("ResourceConflictException", f"The mapping exists: {source.settings['UUID']}.", 409)
            self._sources[settings["UUID"]] = self._started(settings)
            return _shown(settings)

    def _get(self, parameters: dict[str, Any], _: Caller) -> dict[str, Any]:
        return _shown(self._source(parameters).settings)

    def _update(self, parameters: dict[str, Any], _: Caller) -> dict[str, Any]:
        with self._lock:
            source = self._source(parameters)
            changes = {name: value for name, value in parameters.items() if name != "UUID"}
            if "FunctionName" in changes:
                changes["FunctionArn"] = self._function_arn(changes.pop("FunctionName"))
            settings = source.settings | changes
            _check(settings | {"FunctionName": settings["FunctionArn"]})
            source.stop.set()
            self._sources[settings["UUID"]] = self._started(settings)
            return _shown(settings)

    def _delete(self, parameters: dict[str, Any], _: Caller) -> dict[str, Any]:
        with self._lock:
            source = self._source(parameters)
            source.stop.set()
            del self._sources[source.settings["UUID"]]
            self._keep.remove(_PART, source.settings["UUID"])
            return _shown(source.settings) | {"State": "Deleting"}

    def _source(self, parameters: dict[str, Any]) -> _Source:
        source = self._sources.get(parameters["UUID"])
        if source is None:
            raise ApiError("ResourceNotFoundException", f"There is no event source mapping {parameters['UUID']}.", 404)
        return source

    def _started(self, settings: dict[str, Any]) -> _Source:
        source = _Source(settings | {"LastModified": datetime.now(UTC)})
        settings.update(source.settings)
        self._keep.put(_PART, settings["UUID"], settings)
        self._poll(source)
        return source

    def _poll(self, source: _Source) -> None:
        settings = source.settings
        for number in range(POLLERS):
            poller = Poller(self._clients, self._clock, settings)
            name = f"poller-{settings['UUID'][:8]}-{number}"
            thread = threading.Thread(target=poller.run, args=(source.stop,), name=name, daemon=True)
            source.threads.append(thread)
            thread.start()

    def _check_ends(self, settings: dict[str, Any]) -> None:
        """Refuse a function or a queue that is not there."""
        try:
            found = self._clients("lambda").get_function_configuration(FunctionName=settings["FunctionArn"])
            self._clients("sqs", found["Role"]).get_queue_attributes(QueueUrl=queue_url(settings["EventSourceArn"]))
        except ClientError as refusal:
            found = refusal.response["Error"]
            if found["Code"] == "ResourceNotFoundException":
                raise ApiError("ResourceNotFoundException", found["Message"], 404) from refusal
            message = f"Error occurred while ReceiveMessage. SQS Error Code: {found['Code']}. {found['Message']}"
            raise invalid_value(message) from refusal

    def _function_arn(self, name: str) -> str:
        if name.startswith("arn:"):
            return name
        return f"arn:aws:lambda:{self._clients.region}:{ACCOUNT}:function:{name}"


def _check(settings: dict[str, Any]) -> None:
    """Refuse what Lambda would refuse, and what the engine does not know."""
    unknown = set(settings) - _KNOWN - {"UUID", "FunctionArn", "LastModified"}
    if unknown:
        raise invalid_value(f"The laptop engine does not know {', '.join(sorted(unknown))}.")
    if not settings.get("EventSourceArn", "").startswith("arn:aws:sqs:"):
        raise invalid_value(f"Unrecognized event source {settings.get('EventSourceArn')}.")
    if not 1 <= settings["BatchSize"] <= DEFAULT_BATCH:
        # Lambda takes up to 10,000 with a batching window, which no stack asks for
        raise invalid_value("BatchSize is 1 to 10 without a batching window.")


def _shown(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name != "Tags"} | {"State": "Enabled"}
