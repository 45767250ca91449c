"""What functions print -> CloudWatch Logs, in the background: an answer never waits for its log lines."""

import logging
import queue
import threading
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError, ClientError

from local.clients import Clients
from local.functions.model import Release
from local.functions.outcome import Outcome
from local.keeping import NOWHERE, Keep

_EVENT_BYTES = 262_144
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One invocation's lines, all stamped with its end, because the process's output is read then.

    `role` is the function's, with which Lambda writes; None for lines of the engine's other parts.
    """

    group: str
    function: str
    role: str | None
    stream: str
    at: float
    lines: tuple[str, ...]


_PART = "output of functions"


class Output:
    """Delivers lines to log groups, which must exist: every function of the stacks has one of its own."""

    def __init__(self, clients: Clients, keep: Keep = NOWHERE) -> None:
        self._clients = clients
        self._keep = keep
        self._queue: queue.SimpleQueue[tuple[str, Written] | None] = queue.SimpleQueue()
        self._streams: set[tuple[str, str]] = set()
        self._thread = threading.Thread(target=self._run, name="function-output", daemon=True)
        self._thread.start()

    def put(self, written: Written) -> None:
        """Take lines for delivery."""
        name = uuid.uuid4().hex
        self._keep.put(_PART, name, written)
        self._queue.put((name, written))

    def resume(self) -> None:
        """Deliver the lines that an earlier engine had taken."""
        for kept in self._keep.rows(_PART).items():
            self._queue.put(kept)

    def close(self) -> None:
        """Deliver what is left."""
        self._queue.put(None)
        self._thread.join(5)

    def _run(self) -> None:
        while (taken := self._queue.get()) is not None:
            name, written = taken
            try:
                self._deliver(written)
                self._keep.remove(_PART, name)
            except (ClientError, BotoCoreError) as error:
                _log.warning("output of %s is lost: log group %s: %s", written.function, written.group, error)

    def _deliver(self, written: Written) -> None:
        logs = self._clients("logs", written.role)
        place = {"logGroupName": written.group, "logStreamName": written.stream}
        if (written.group, written.stream) not in self._streams:
            with suppress(logs.exceptions.ResourceAlreadyExistsException):  # an earlier engine's
                logs.create_log_stream(**place)
            self._streams.add((written.group, written.stream))
        stamp = int(written.at * 1000)
        # as on AWS, a function's message ends with its line feed
        events = [{"timestamp": stamp, "message": f"{line[:_EVENT_BYTES]}\n"} for line in written.lines if line]
        for first in range(0, len(events), 1000):
            logs.put_log_events(**place, logEvents=events[first : first + 1000])


def stream_name(release: Release, at: float) -> str:
    """Return the name of a log stream of `release`, as Lambda makes them."""
    return f"{datetime.fromtimestamp(at, UTC):%Y/%m/%d}/[{release.version}]{uuid.uuid4().hex}"


def lines_of(request_id: str, release: Release, output: str, outcome: Outcome, init: float | None) -> tuple[str, ...]:
    """Return an invocation's lines from START to REPORT; inside one, the runtime writes a line feed as CR."""
    memory = release.configuration.memory_size
    report = (
        f"REPORT RequestId: {request_id}\tDuration: {outcome.seconds * 1000:.2f} ms\t"
        f"Billed Duration: {int(outcome.seconds * 1000) + 1} ms\tMemory Size: {memory} MB\t"
        f"Max Memory Used: {outcome.memory_mb} MB"
    )
    if init is not None:
        report += f"\tInit Duration: {init * 1000:.2f} ms"
    printed = [line.replace("\r", "\n") for line in output.split("\n") if line]
    start = f"START RequestId: {request_id} Version: {release.version}"
    if outcome.error_type == "Sandbox.Timedout":
        report += "\tStatus: timeout"
    return (start, *printed, f"END RequestId: {request_id}", report)
