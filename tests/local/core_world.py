"""What the tests of the engine's core share: the parts wired as the engine does, with a function of the test's own."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from local import moto_state
from local.api import ApiError, Caller
from local.chaos import Chaos
from local.clients import Clients
from local.clock import Clock
from local.dispatch import Dispatcher
from local.events import Bus
from local.iam import Authority
from local.identity import Identity
from local.object_events import ObjectEvents
from local.queues import Queues
from tests.local.iam_world import allow as grant
from tests.local.iam_world import guarded, make_role

REGION = "us-east-1"
FUNCTION = f"arn:aws:lambda:{REGION}:123456789012:function:handler"
FUNCTION_ROLE = "arn:aws:iam::123456789012:role/handler"
RULE_ROLE = "arn:aws:iam::123456789012:role/rule"
MACHINE = f"arn:aws:states:{REGION}:123456789012:stateMachine:machine"


def allow(action: str, **more: Any) -> dict[str, Any]:
    """A statement by which EventBridge may deliver."""
    return {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": action, **more}


@dataclass
class Recorder:
    """Stands for Lambda and Step Functions: keeps what it was given, answers what the test says."""

    answer: Callable[[dict[str, Any]], Any] = lambda event: None
    invoked: list[dict[str, Any]] = field(default_factory=list)
    started: list[dict[str, Any]] = field(default_factory=list)
    refuse_with: list[str] = field(default_factory=list)
    statement: dict[str, Any] | None = field(default_factory=lambda: allow("lambda:InvokeFunction"))

    def operations(self) -> dict[tuple[str, str], Any]:
        return {
            ("lambda", "Invoke"): self._invoke,
            ("lambda", "GetFunctionConfiguration"): self._configuration,
            ("states", "StartExecution"): self._start,
        }

    def _invoke(self, parameters: dict[str, Any], _: Caller) -> dict[str, Any]:
        if self.refuse_with:
            raise ApiError(self.refuse_with.pop(0), "the test says so", 429)
        self.invoked.append(parameters)
        answer = self.answer(json.loads(parameters["Payload"]))
        if isinstance(answer, Exception):
            return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": b"{}"}
        return {"StatusCode": 200, "Payload": json.dumps(answer).encode()}

    def _configuration(self, parameters: dict[str, Any], _: Caller) -> dict[str, Any]:
        if parameters["FunctionName"] != FUNCTION:
            raise ApiError("ResourceNotFoundException", f"Function not found: {parameters['FunctionName']}", 404)
        return {"FunctionArn": FUNCTION, "Role": FUNCTION_ROLE}

    def _start(self, parameters: dict[str, Any], _: Caller) -> dict[str, Any]:
        self.started.append(parameters)
        return {"executionArn": "arn", "startDate": 0}


@dataclass
class World:
    clock: Clock
    identity: Identity
    dispatch: Dispatcher
    clients: Clients
    bus: Bus
    queues: Queues
    recorder: Recorder
    authority: Authority

    def client(self, service: str) -> Any:
        return self.clients.client(service)

    def queue(self, name: str, **attributes: str) -> tuple[str, str]:
        """Make a queue that rules may fill; return its URL and ARN."""
        attributes.setdefault("Policy", json.dumps({"Statement": [allow("sqs:SendMessage")]}))
        url = self.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url, f"arn:aws:sqs:{REGION}:123456789012:{name}"

    def received(self, url: str, most: int = 10) -> list[dict[str, Any]]:
        found = self.client("sqs").receive_message(
            QueueUrl=url, MaxNumberOfMessages=most, MessageAttributeNames=["All"]
        )
        return list(found.get("Messages", []))

    def rule(self, pattern: dict[str, Any], arn: str, **target: Any) -> None:
        events = self.client("events")
        events.put_rule(Name="rule", EventPattern=json.dumps(pattern))
        events.put_targets(Rule="rule", Targets=[{"Id": "1", "Arn": arn, **target}])


@contextmanager
def world(chaos: Chaos | None = None) -> Iterator[World]:
    moto_state.reset()
    clock, identity, recorder = Clock(), Identity(), Recorder()
    dispatch = Dispatcher(identity)
    clients = Clients(dispatch, REGION)
    authority = guarded(dispatch, lambda _: [] if recorder.statement is None else [recorder.statement])
    make_role(clients("iam"), "handler", "lambda.amazonaws.com", grant("sqs:*"))
    make_role(clients("iam"), "rule", "events.amazonaws.com", grant("states:StartExecution", on=MACHINE))
    bus, queues = Bus(clients, clock, authority, chaos), Queues(clients, clock)
    for part in (bus, queues, recorder):
        dispatch.register(part.operations())
    dispatch.observe("s3", ObjectEvents(bus.emit))
    try:
        yield World(clock, identity, dispatch, clients, bus, queues, recorder, authority)
    finally:
        queues.stop()
        queues.join()
        bus.stop()
        clock.stop()


def eventually[T](find: Callable[[], T | None], what: str, seconds: float = 10.0) -> T:
    """Return what `find` returns once it is something; the engine's threads work meanwhile."""
    pause, until = threading.Event(), time.perf_counter() + seconds
    while time.perf_counter() < until:
        if found := find():
            return found
        pause.wait(0.01)
    raise AssertionError(f"no {what} within {seconds:.0f} s")
