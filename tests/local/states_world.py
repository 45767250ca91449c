"""A world around state machines for tests: functions are Python functions, jobs end when a test says so."""

import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from local.api import Caller
from local.clock import Clock
from local.states import StateMachines

CALLER = Caller("AKIA")
ROLE = "arn:aws:iam::123456789012:role/machine"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"


class LambdaClient:
    def __init__(self, functions: dict[str, Callable[[Any], Any]]) -> None:
        self._functions = functions

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        try:
            answer: Any = self._functions[FunctionName.removeprefix(FUNCTION)](json.loads(Payload))
            error = {}
        except ClientError:
            raise
        except Exception as raised:  # noqa: BLE001 - a function's error is Lambda's answer
            answer = {"errorType": type(raised).__name__, "errorMessage": str(raised)}
            error = {"FunctionError": "Unhandled"}
        return {"Payload": io.BytesIO(json.dumps(answer).encode()), **error}


class SageMakerClient:
    meta = SimpleNamespace(region_name="us-east-1")

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}
        self.stopped: list[str] = []
        self.ends: dict[str, threading.Event] = {}
        self.refusals: list[ClientError] = []

    def create_training_job(self, **given: Any) -> dict[str, Any]:
        if self.refusals:
            raise self.refusals.pop()
        name = given["TrainingJobName"]
        self.jobs[name] = {**given, "TrainingJobStatus": "InProgress"}
        self.ends.setdefault(name, threading.Event())
        return {"TrainingJobArn": f"arn:job/{name}", "ResponseMetadata": {}}

    def describe_training_job(self, TrainingJobName: str) -> dict[str, Any]:
        return self.jobs[TrainingJobName]

    def stop_training_job(self, TrainingJobName: str) -> dict[str, Any]:
        self.stopped.append(TrainingJobName)
        return {}

    def finish(self, name: str, status: str, **more: Any) -> None:
        self.jobs[name] |= {"TrainingJobStatus": status, **more}
        self.ends[name].set()


@dataclass
class World:
    machines: StateMachines
    clock: Clock
    sagemaker: SageMakerClient
    functions: dict[str, Callable[[Any], Any]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)

    def call(self, operation: str, **given: Any) -> dict[str, Any]:
        return self.machines.operations()["states", operation](given, CALLER)

    def create(self, definition: dict[str, Any], name: str = "machine") -> str:
        answer = self.call("CreateStateMachine", name=name, definition=json.dumps(definition), roleArn=ROLE)
        return str(answer["stateMachineArn"])

    def start(self, definition: dict[str, Any], value: Any = None) -> str:
        text = json.dumps({} if value is None else value)
        return str(self.call("StartExecution", stateMachineArn=self.create(definition), input=text)["executionArn"])

    def end(self, arn: str) -> dict[str, Any]:
        self.until(lambda: self.call("DescribeExecution", executionArn=arn)["status"] != "RUNNING")
        return self.call("DescribeExecution", executionArn=arn)

    def run(self, definition: dict[str, Any], value: Any = None) -> dict[str, Any]:
        return self.end(self.start(definition, value))

    def output(self, definition: dict[str, Any], value: Any = None) -> Any:
        ended = self.run(definition, value)
        assert ended["status"] == "SUCCEEDED", ended
        return json.loads(ended["output"])

    def history(self, arn: str) -> list[dict[str, Any]]:
        return list(self.call("GetExecutionHistory", executionArn=arn)["events"])

    def until(self, holds: Callable[[], bool]) -> None:
        give_up = time.perf_counter() + 20
        while not holds():
            assert time.perf_counter() < give_up, "did not happen in 20 s"
            time.sleep(0.002)


@contextmanager
def world() -> Iterator[World]:
    clock, sagemaker = Clock(), SageMakerClient()
    functions: dict[str, Callable[[Any], Any]] = {}
    clients = {"lambda": LambdaClient(functions), "sagemaker": sagemaker}
    events: list[dict[str, Any]] = []

    def emit(source: str, detail_type: str, detail: Any, resources: Any = ()) -> None:
        events.append({"source": source, "type": detail_type, "detail": detail, "resources": resources})

    def finished(kind: str, name: str) -> threading.Event:
        return sagemaker.ends[name]

    machines = StateMachines(lambda service, role: clients[service], clock, emit, finished)
    try:
        yield World(machines, clock, sagemaker, functions, events)
    finally:
        machines.close()
        clock.stop()


def one(state: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A machine of the state `Only` and what else is given."""
    return {"StartAt": "Only", "States": {"Only": state, **more}}


def task(function: str, **more: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": FUNCTION + function, "End": True, **more}
