"""A job's output -> its CloudWatch Logs stream, in batches, with the job's own permissions."""

import logging
import threading
from typing import Any

from botocore.exceptions import ClientError

from local.clock import Clock

FLUSH_SECONDS = 0.5  # of machine time
LINES = 1000
LINE_LENGTH = 200_000  # an event holds 256 KB
_LOG = logging.getLogger(__name__)


class JobLog:
    """Collects lines and sends them in the background; a role that may not write leaves a job without a log."""

    def __init__(self, client: Any, group: str, stream: str, clock: Clock) -> None:
        self._client = client
        self._group = group
        self._stream = stream
        self._clock = clock
        self._lines: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"log-{stream}", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Add a line; an empty one is not an event."""
        if line:
            with self._lock:
                self._lines.append({"timestamp": int(self._clock.now() * 1000), "message": line[:LINE_LENGTH]})

    def close(self) -> None:
        """Send what is left."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._open()
            while not self._ended.wait(FLUSH_SECONDS):
                self._flush()
            self._flush()
        except ClientError as error:
            _LOG.warning("no log for %s: %s", self._stream, error)

    def _open(self) -> None:
        for create, names in (
            (self._client.create_log_group, {"logGroupName": self._group}),
            (self._client.create_log_stream, {"logGroupName": self._group, "logStreamName": self._stream}),
        ):
            try:
                create(**names)
            except self._client.exceptions.ResourceAlreadyExistsException:
                continue

    def _flush(self) -> None:
        with self._lock:
            lines, self._lines = self._lines, []
        for start in range(0, len(lines), LINES):
            batch = lines[start : start + LINES]
            self._client.put_log_events(logGroupName=self._group, logStreamName=self._stream, logEvents=batch)
