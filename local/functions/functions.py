"""The face of Lambda: invocation (synchronous, asynchronous), warm starts, and every operation of the control plane."""

import json
import logging
import threading
import uuid
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local.api import ApiError, Caller, Invocation, Operations
from local.clients import Clients
from local.clock import Clock
from local.functions.attachments import Attachments
from local.functions.control import Control
from local.functions.launching import Launcher, default_python
from local.functions.model import Release, function_arn, split_name
from local.functions.output import Output, Written, lines_of, stream_name, tail_of
from local.functions.packages import Packages
from local.functions.pool import Pool
from local.functions.registry import Parameters, Registry
from local.functions.runtime_api import Delivery
from local.functions.versions import Versions
from local.functions.worker import Worker
from local.identity import Identity

REQUEST_BYTES = {"RequestResponse": 6_291_456, "Event": 1_048_576}
RETRY_SECONDS = (60.0, 120.0)
"""Waits before the two retries of an asynchronous invocation (AWS Lambda developer guide, "Error handling")."""

MAX_EVENT_AGE_SECONDS = 21_600.0
_log = logging.getLogger(__name__)


class Functions:
    """Lambda of one engine. `endpoint` is where functions find the engine; `python` runs them."""

    def __init__(
        self,
        clients: Clients,
        clock: Clock,
        identity: Identity,
        *,
        work_dir: Path,
        endpoint: str,
        python: str | None = None,
    ) -> None:
        self._clients = clients
        self._clock = clock
        self._registry = Registry(Packages(work_dir / "packages"), clock)
        launcher = Launcher(self._registry, identity, endpoint, python or default_python())
        self._pool = Pool(launcher, clock, work_dir / "workers")
        self._output = Output(clients)
        self._stopped = threading.Event()
        self._attachments = Attachments(self._registry, self._fetch)
        self._pool.start()

    def operations(self) -> Operations:
        """Return the intercepts: all of Lambda that the product and its deployment call."""
        return {
            **Control(self._registry, self._fetch).operations(),
            **Versions(self._registry).operations(),
            **self._attachments.operations(),
            ("lambda", "Invoke"): self._invoke,
        }

    def invoke(self, function_arn: str, payload: bytes) -> Invocation:
        """Run a function (name or ARN, with or without qualifier) and wait for its answer.

        Raises
        ------
        ApiError
            what the Invoke API would answer: no such function, not yet active, throttled, payload too large or no JSON.
        """
        release = self._release(function_arn, None)
        _check_payload(payload, "RequestResponse")
        return self._run(release, function_arn, payload, str(uuid.uuid4()))

    def invoke_async(self, function_arn: str, payload: bytes) -> None:
        """Take an event for a function; it is retried twice when it fails, then dropped with a warning."""
        self._release(function_arn, None)
        _check_payload(payload, "Event")
        arguments = (function_arn, payload)
        threading.Thread(target=self._run_event, args=arguments, name="async-invoke", daemon=True).start()

    def warm(self, function_arn: str) -> None:
        """Start a worker of a function, so that its next invocation finds one."""
        with self._pool.worker(self._release(function_arn, None)) as worker:
            worker.prepare()

    def allows(self, function_arn: str, service: str, source_arn: str) -> bool:
        """Return whether a function's resource policy lets `service` invoke it on behalf of `source_arn`."""
        return self._attachments.allows(function_arn, service, source_arn)

    def tagged(self) -> dict[str, dict[str, str]]:
        """Return the tags of every function by ARN."""
        with self._registry.lock:
            return {f.latest.arn: dict(f.tags) for f in self._registry.functions.values() if f.tags}

    def close(self) -> None:
        """End all workers and deliver what they printed."""
        self._stopped.set()
        self._pool.close()
        self._output.close()

    def _fetch(self, source: Parameters) -> bytes:
        if "ZipFile" in source:
            return bytes(source["ZipFile"])
        asked = {"Bucket": source["S3Bucket"], "Key": source["S3Key"]}
        if "S3ObjectVersion" in source:
            asked["VersionId"] = source["S3ObjectVersion"]
        try:
            return bytes(self._clients.client("s3").get_object(**asked)["Body"].read())
        except ClientError as error:
            raise ApiError(
                "InvalidParameterValueException",
                f"Error occurred while GetObject of s3://{asked['Bucket']}/{asked['Key']}. "
                f"S3 Error Code: {error.response['Error']['Code']}.",
            ) from error

    def _release(self, name: str, qualifier: str | None) -> Release:
        with self._registry.lock:
            asked = {"FunctionName": name} | ({"Qualifier": qualifier} if qualifier else {})
            release = self._registry.release(*self._registry.asked(asked), route=True)
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
        target = function_arn(name, qualifier or parameters.get("Qualifier"))
        kind = parameters.get("InvocationType", "RequestResponse")
        payload = bytes(parameters.get("Payload") or b"")
        if kind == "Event":
            self.invoke_async(target, payload)
            return {"StatusCode": 202, "Payload": b""}
        if kind != "RequestResponse":
            raise ApiError(
                "InvalidParameterValueException",
                f"InvocationType {kind}: the laptop engine has Event, RequestResponse.",
            )
        done = self.invoke(target, payload)
        answer: dict[str, Any] = {"StatusCode": 200, "Payload": done.payload, "ExecutedVersion": done.version}
        if done.error:
            answer["FunctionError"] = done.error
        if parameters.get("LogType") == "Tail":
            answer["LogResult"] = done.log
        return answer

    def _run(self, release: Release, invoked_arn: str, payload: bytes, request_id: str) -> Invocation:
        with self._clock.busy(), self._pool.worker(release) as worker:
            cold = worker.cold
            deadline = self._clock.now() + release.configuration.timeout
            delivery = Delivery(
                request_id=request_id,
                function_arn=invoked_arn if ":" in invoked_arn else function_arn(invoked_arn),
                deadline_ms=int(deadline * 1000),
                payload=payload or b"{}",
            )
            outcome = worker.invoke(delivery, self._clock.offset)
            init = worker.init_seconds if cold else None
            lines = lines_of(request_id, release, worker.output(), outcome, init)
            self._write(worker, release, lines)
        return Invocation(
            payload=outcome.payload,
            error="Unhandled" if outcome.error_type else None,
            version=release.version,
            log=tail_of(lines),
        )

    def _write(self, worker: Worker, release: Release, lines: tuple[str, ...]) -> None:
        now = self._clock.now()
        worker.log_stream = worker.log_stream or stream_name(release, now)
        self._output.put(
            Written(group=release.log_group, function=release.function, stream=worker.log_stream, at=now, lines=lines)
        )

    def _run_event(self, name: str, payload: bytes) -> None:
        """Run an event until it succeeds, has failed three times, or is too old; throttling is no failure."""
        request_id, accepted, failures, throttled = str(uuid.uuid4()), self._clock.now(), 0, 0
        while self._clock.now() - accepted < MAX_EVENT_AGE_SECONDS:
            try:
                done = self._run(self._release(name, None), name, payload, request_id)
            except ApiError as error:
                if error.status == 404:
                    return _log.warning("event for %s dropped: %s", name, error)
                throttled += 1
                wait = min(2.0**throttled, 300.0)
            else:
                if done.error is None:
                    return None
                failures += 1
                if failures > len(RETRY_SECONDS):
                    kind = json.loads(done.payload).get("errorType")
                    return _log.warning("event for %s dropped after %d failures: %s", name, failures, kind)
                wait = RETRY_SECONDS[failures - 1]
            if self._clock.sleep(wait, self._stopped):
                return None
        return _log.warning("event for %s dropped: older than %d seconds", name, MAX_EVENT_AGE_SECONDS)


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
