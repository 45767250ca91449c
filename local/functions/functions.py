"""The face of Lambda: invocation (synchronous, asynchronous), warm starts, and every operation of the control plane."""

import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local.api import ApiError, Caller, Invocation, Operations
from local.clients import Clients
from local.clock import Clock
from local.cloudwatch.metrics import Metrics
from local.cloudwatch.sources import Called, count_call, count_printed, count_throttle
from local.functions.attachments import Attachments
from local.functions.control import Control
from local.functions.events import Events
from local.functions.launching import Launcher, default_python
from local.functions.model import Release, invalid_value, split_name
from local.functions.output import Output, Written, lines_of, stream_name
from local.functions.packages import Packages
from local.functions.pool import Pool
from local.functions.registry import Parameters, Registry
from local.functions.routing import Draw
from local.functions.versions import Versions
from local.functions.worker import Worker
from local.identity import Identity
from local.keeping import NOWHERE, Keep

REQUEST_BYTES = {"RequestResponse": 6_291_456, "Event": 1_048_576}


class Functions:
    """Lambda of one engine. `endpoint` is where functions find the engine.

    `metrics` are what the functions and Lambda itself have told CloudWatch.
    """

    def __init__(
        self,
        clients: Clients,
        clock: Clock,
        identity: Identity,
        *,
        work_dir: Path,
        endpoint: str,
        keep: Keep = NOWHERE,
    ) -> None:
        self._clients = clients
        self._clock = clock
        self._work_dir = work_dir
        self.metrics = Metrics(clock, keep)
        packages = Packages(work_dir / "packages", keep.folder and keep.folder / "packages")
        self._registry = Registry(packages, clock, clients.region, keep)
        launcher = Launcher(self._registry, identity, endpoint, default_python())
        self._pool = Pool(launcher, self._registry.current, clock, work_dir / "workers")
        self._output = Output(clients, keep)
        self._attachments = Attachments(self._registry, self._fetch)
        self._events = Events(self._registry, clients, self._attempt, keep)
        self._pool.start()

    def operations(self) -> Operations:
        """Return the intercepts: all of Lambda that the product and its deployment call."""
        control = {
            **Control(self._registry, self._fetch).operations(),
            **Versions(self._registry).operations(),
            **self._attachments.operations(),
            **self._events.operations(),
        }
        return {**self._registry.keep_changes(control), ("lambda", "Invoke"): self._invoke}

    def resume(self) -> None:
        """Run the events that an earlier engine had taken and not finished."""
        self._output.resume()
        self._events.resume()

    def share_out(self, draw: Draw) -> None:
        """Let `draw` say which version answers a call of an alias with weights."""
        self._registry.draw = draw

    def invoke(self, function_arn: str, payload: bytes) -> Invocation:
        """Run a function (name or ARN, with or without qualifier) and wait for its answer.

        Raises
        ------
        ApiError
            what the Invoke API would answer: no such function, not yet active, throttled, payload too large or no JSON.
        """
        release = self._release(function_arn)
        _check_payload(payload, "RequestResponse")
        return self._run(release, function_arn, payload, str(uuid.uuid4()))

    def invoke_async(self, function_arn: str, payload: bytes) -> None:
        """Take an event for a function; it is retried when it fails, then handed to its destination."""
        self._release(function_arn)
        _check_payload(payload, "Event")
        self._events.take(function_arn, payload)

    def policy(self, function_arn: str) -> list[dict[str, Any]]:
        """Return the statements of the resource policy of a function, version or alias."""
        return self._attachments.policy(function_arn)

    def tagged(self) -> dict[str, dict[str, str]]:
        """Return the tags of every function by ARN."""
        with self._registry.lock:
            return {f.latest.arn: dict(f.tags) for f in self._registry.functions.values() if f.tags}

    def write_log(self, group: str, line: str) -> None:
        """Write a line to a log group that exists, in the background."""
        now = self._clock.now()
        self._output.put(Written(group=group, function="", role=None, stream="engine", at=now, lines=(line,)))

    def close(self) -> None:
        """End all workers and deliver what they printed."""
        self._events.close()
        self._pool.close()
        self._output.close()

    def _fetch(self, source: Parameters) -> bytes:
        if "ZipFile" in source:
            return bytes(source["ZipFile"])
        asked = {"Bucket": source["S3Bucket"], "Key": source["S3Key"]}
        try:
            return bytes(self._clients.client("s3").get_object(**asked)["Body"].read())
        except ClientError as error:
            raise invalid_value(
                f"Error occurred while GetObject of s3://{asked['Bucket']}/{asked['Key']}. "
                f"S3 Error Code: {error.response['Error']['Code']}."
            ) from error

    def _release(self, name: str) -> Release:
        with self._registry.lock:
            release = self._registry.invoked(*self._registry.asked({"FunctionName": name}))
        if self._clock.now() < release.ready_at:
            raise ApiError(
                "ResourceConflictException",
                f"The operation cannot be performed at this time. The function is currently in the following state: "
                f"Pending ({release.arn})",
                409,
            )
        return release

    def _invoke(self, parameters: Parameters, _: Caller) -> dict[str, Any]:
        name, qualifier = split_name(parameters["FunctionName"])
        target = self._registry.function(name).arn(qualifier or parameters.get("Qualifier"))
        kind = parameters.get("InvocationType", "RequestResponse")
        payload = bytes(parameters.get("Payload") or b"")
        if kind == "Event":
            self.invoke_async(target, payload)
            return {"StatusCode": 202, "Payload": b""}
        if kind != "RequestResponse":
            raise invalid_value(f"InvocationType {kind}: the laptop engine has Event, RequestResponse.")
        done = self.invoke(target, payload)
        answer: dict[str, Any] = {"StatusCode": 200, "Payload": done.payload, "ExecutedVersion": done.version}
        if done.error:
            answer["FunctionError"] = done.error
        return answer

    def _run(self, release: Release, invoked_arn: str, payload: bytes, request_id: str) -> Invocation:
        called, began = _called(release, invoked_arn), self._clock.now()
        with self._clock.hold(), self._lent(release, called) as worker:
            cold = worker.cold
            outcome = worker.invoke(request_id, invoked_arn, payload or b"{}")
            init = worker.init_seconds if cold else None
            lines = lines_of(request_id, release, worker.output(), outcome, init)
            self._write(worker, release, lines)
            count_call(self.metrics, called, began, failed=bool(outcome.error_type), seconds=outcome.seconds)
            count_printed(self.metrics, lines)
        return Invocation(
            payload=outcome.payload,
            error="Unhandled" if outcome.error_type else None,
            version=release.version,
        )

    @contextmanager
    def _lent(self, release: Release, called: Called) -> Iterator[Worker]:
        with ExitStack() as lending:
            try:
                worker = lending.enter_context(self._pool.worker(release))
            except ApiError as refusal:
                if refusal.code == "TooManyRequestsException":
                    count_throttle(self.metrics, called, self._clock.now())
                raise
            except OSError as fault:
                message = f"The laptop engine cannot start {release.function} below {self._work_dir}: {fault}."
                raise ApiError("ServiceException", message, 500) from fault
            yield worker

    def _attempt(self, name: str, payload: bytes, request_id: str) -> Invocation:
        return self._run(self._release(name), name, payload, request_id)

    def _write(self, worker: Worker, release: Release, lines: tuple[str, ...]) -> None:
        now = self._clock.now()
        worker.log_stream = worker.log_stream or stream_name(release, now)
        self._output.put(
            Written(
                group=release.log_group,
                function=release.function,
                role=release.configuration.role,
                stream=worker.log_stream,
                at=now,
                lines=lines,
            )
        )


def _called(release: Release, arn: str) -> Called:
    """Return what metrics name a call by: a version that differs from the qualifier was chosen by an alias."""
    qualifier = split_name(arn)[1]
    chosen = release.version if qualifier not in (None, release.version) else None
    return Called(function=release.function, qualifier=qualifier, executed_version=chosen)


def _check_payload(payload: bytes, kind: str) -> None:
    limit = REQUEST_BYTES[kind]
    if len(payload) > limit:
        raise ApiError(
            "RequestEntityTooLargeException",
            f"{len(payload)} byte payload is too large for the {kind} invocation type (limit {limit} bytes)",
            413,
        )
    try:
        json.loads(payload or b"{}")
    except ValueError as error:
        raise ApiError("InvalidRequestContentException", f"Could not parse request body into json: {error}") from error
