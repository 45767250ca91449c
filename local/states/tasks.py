"""Task states: calling a function, and running a SageMaker job to its end (`.sync`)."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from botocore.exceptions import ClientError, ParamValidationError

from local.api import Clients
from local.states.allowed import SYNC_JOBS
from local.states.control import Control, Interrupted
from local.states.failures import RUNTIME, TASK_FAILED, TIMEOUT, StateFailed
from local.states.history import Trail
from local.states.steps import Done

# Errors that SageMaker's Java client knows by class; every other one arrives as AmazonSageMakerException.
_SAGEMAKER_ERRORS = ("ResourceInUse", "ResourceLimitExceeded", "ResourceNotFound", "ConflictException")
_MANAGED_TAG = {"Key": "MANAGED_BY_AWS", "Value": "STARTED_BY_STEP_FUNCTIONS"}


class Finished(Protocol):
    """Tells when a job ends."""

    def __call__(self, kind: str, name: str) -> threading.Event:
        """Return an event, the caller's own, that is set once the job is over; `kind` as in `TrainingJob`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One attempt of a Task state. `until` is its time-out in engine time; None means it has none.

    `done` is asked at `place` whether an earlier engine made the attempt's job.
    """

    resource: str
    payload: Any
    role_arn: str
    timeout_seconds: int | None
    until: float | None
    control: Control
    trail: Trail
    done: Done
    place: str


def dumps(value: Any) -> str:
    """Return JSON as Step Functions shows it; datetimes as epoch milliseconds."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=_millis)


def _millis(value: datetime) -> int:
    return int(value.timestamp() * 1000)


class Tasks:
    """Runs Task states with the engine's own clients."""

    def __init__(self, clients: Clients, finished: Finished) -> None:
        self._clients = clients
        self._finished = finished
        self._threads = ThreadPoolExecutor(max_workers=64, thread_name_prefix="task")

    def close(self) -> None:
        """Start nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def run(self, task: Task) -> Any:
        """Return the task's result. Raises StateFailed, or Interrupted after stopping what runs."""
        if task.resource in SYNC_JOBS:
            return self._job(task, SYNC_JOBS[task.resource])
        return self._function(task)

    def _call(self, task: Task, call: Callable[[], Any]) -> Any:
        """Make a call in a thread of its own, so that the state can end before the call does."""
        done = threading.Event()
        future: Future[Any] = self._threads.submit(call)
        future.add_done_callback(lambda _: done.set())
        if not task.control.wait(done, task.until):
            raise StateFailed(TIMEOUT, None, of_task=True)
        return future.result()

    def _function(self, task: Task) -> Any:
        text = dumps(task.payload)
        add = task.trail.add
        add("LambdaFunctionScheduled", resource=task.resource, input=text, timeoutInSeconds=task.timeout_seconds)
        add("LambdaFunctionStarted")
        client = self._clients("lambda", task.role_arn)
        try:
            answer = self._call(task, lambda: _invoke(client, task.resource, text))
        except ClientError as error:
            failure = _function_refused(error)
        except StateFailed as timed_out:
            add("LambdaFunctionTimedOut", error=TIMEOUT, cause=timed_out.cause)
            raise
        else:
            if answer[0] is None:
                add("LambdaFunctionSucceeded", output=answer[1])
                return json.loads(answer[1])
            failure = _function_failed(answer[1])
        add("LambdaFunctionFailed", error=failure.error, cause=failure.cause)
        raise failure

    def _job(self, task: Task, kind: str) -> Any:
        shown = {"resourceType": "sagemaker", "resource": task.resource.rsplit(":", 1)[1]}
        region = self._clients("sagemaker", task.role_arn).meta.region_name
        parameters = {**task.payload, "Tags": [*task.payload.get("Tags", []), _MANAGED_TAG]}
        text, limit = dumps(parameters), task.timeout_seconds
        task.trail.add("TaskScheduled", **shown, region=region, parameters=text, timeoutInSeconds=limit)
        task.trail.add("TaskStarted", **shown)
        name = str(parameters[f"{kind}Name"])
        if not self._is_taken_up(task, kind, name):
            task.done.keep(task.place, name)
            self._submit(task, kind, parameters, shown)
        done = self._finished(kind, name)
        try:
            if not task.control.wait(done, task.until):
                self._stop(task, kind, name)
                task.trail.add("TaskTimedOut", **shown, error=TIMEOUT)
                raise StateFailed(TIMEOUT, None, of_task=True)
        except Interrupted:
            self._stop(task, kind, name)
            raise
        described = self._sagemaker(task, f"describe_{_snake(kind)}", {f"{kind}Name": name})
        if described[f"{kind}Status"] != "Completed":
            cause = dumps(described)
            task.trail.add("TaskFailed", **shown, error=TASK_FAILED, cause=cause)
            raise StateFailed(TASK_FAILED, cause, of_task=True)
        output = dumps(described)
        task.trail.add("TaskSucceeded", **shown, output=output)
        return json.loads(output)

    def _is_taken_up(self, task: Task, kind: str, name: str) -> bool:
        """Tell whether an earlier engine made the job for this very attempt: then it is waited for."""
        if task.done.recall(task.place) != name:
            return False
        try:
            self._sagemaker(task, f"describe_{_snake(kind)}", {f"{kind}Name": name})
        except ClientError:
            return False  # it was about to
        return True

    def _submit(self, task: Task, kind: str, parameters: dict[str, Any], shown: dict[str, str]) -> None:
        try:
            answer = self._sagemaker(task, f"create_{_snake(kind)}", parameters)
        except ParamValidationError as error:
            cause = f"The Parameters '{dumps(parameters)}' could not be used to start the Task: [{error}]"
            raise StateFailed(RUNTIME, cause) from error
        except ClientError as error:
            failure = _sagemaker_refused(error)
            task.trail.add("TaskSubmitFailed", **shown, error=failure.error, cause=failure.cause)
            raise failure from error
        task.trail.add("TaskSubmitted", **shown, output=dumps(answer))

    def _sagemaker(self, task: Task, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        client = self._clients("sagemaker", task.role_arn)
        answer: dict[str, Any] = getattr(client, operation)(**parameters)
        return {key: value for key, value in answer.items() if key != "ResponseMetadata"}

    def _stop(self, task: Task, kind: str, name: str) -> None:
        try:
            self._sagemaker(task, f"stop_{_snake(kind)}", {f"{kind}Name": name})
        except ClientError as error:
            # the job ended between our look and this call; anything else is a fault
            if error.response["Error"]["Code"] != "ValidationException":
                raise


def _snake(kind: str) -> str:
    return {"TrainingJob": "training_job", "ProcessingJob": "processing_job"}[kind]


def _invoke(client: Any, resource: str, text: str) -> tuple[str | None, str]:
    answer = client.invoke(FunctionName=resource, Payload=text.encode())
    return answer.get("FunctionError"), answer["Payload"].read().decode()


def _function_failed(payload: str) -> StateFailed:
    """The error is the exception's bare class name; a payload without one is Lambda.Unknown."""
    try:
        error = json.loads(payload).get("errorType")
    except (ValueError, AttributeError):
        error = None
    return StateFailed(error or "Lambda.Unknown", payload, of_task=True)


_LAMBDA_ERRORS = (
    "TooManyRequestsException",
    "ServiceException",
    "ResourceNotFoundException",
    "ResourceConflictException",
)


def _function_refused(error: ClientError) -> StateFailed:
    code, cause = _described(error, "AWSLambda")
    return StateFailed(f"Lambda.{code if code in _LAMBDA_ERRORS else 'AWSLambdaException'}", cause, of_task=True)


def _sagemaker_refused(error: ClientError) -> StateFailed:
    code, cause = _described(error, "AmazonSageMaker")
    known = f"{code.removesuffix('Exception')}Exception"
    name = known if code in _SAGEMAKER_ERRORS else "AmazonSageMakerException"
    return StateFailed(f"SageMaker.{name}", cause, of_task=True)


def _described(error: ClientError, service: str) -> tuple[str, str]:
    found, meta = error.response["Error"], error.response.get("ResponseMetadata", {})
    status, request = meta.get("HTTPStatusCode", 400), meta.get("RequestId", "")
    cause = f"{found['Message']} (Service: {service}; Status Code: {status}; Error Code: {found['Code']}"
    return found["Code"], f"{cause}; Request ID: {request}; Proxy: null)"
