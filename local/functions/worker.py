"""One execution environment: a process that runs one release, one invocation at a time.

The process is a group of its own in the engine's session, stopped (SIGSTOP) while it has no work, as Lambda freezes an
environment after the answer. In that arrangement the kernel ends stopped workers when the engine dies (POSIX: a newly
orphaned group with stopped members gets SIGHUP and SIGCONT), so none is left behind.
"""

import os
import queue
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from local.clock import Clock
from local.functions.bootstrap import OFFSET
from local.functions.outcome import Outcome, failed, out_of_memory, stopped, timed_out, too_large
from local.functions.runtime_api import Delivery, RuntimeApi, Told

INIT_SECONDS = 10.0
"""Lambda's limit of the init phase; what init takes beyond it counts as the first invocation's time."""

RESPONSE_BYTES = 6_291_556
SAMPLE_SECONDS = 0.05
_LOG_KEPT_BYTES = 16_777_216
_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How to start a worker: `environment` lacks only what is the worker's own; `limits` of one invocation."""

    python: str
    handler: str
    task_root: Path
    environment: Mapping[str, str]
    memory_mb: int
    timeout_seconds: int


class Worker:
    """A started worker. Not for use by two threads at once."""

    def __init__(self, launch: Launch, folder: Path, clock: Clock) -> None:
        self._clock = clock
        self._launch = launch
        self._folder = folder
        (folder / "tmp").mkdir(parents=True)
        self._told: queue.SimpleQueue[Told] = queue.SimpleQueue()
        self._offset = os.open(folder / "offset", os.O_CREAT | os.O_WRONLY, 0o600)
        os.pwrite(self._offset, OFFSET.pack(clock.offset), 0)
        self._log = os.open(folder / "log", os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600)
        self._read_to = 0
        self._began = time.perf_counter()
        self._ready = False
        self.dead = False
        self.idle_since = 0.0
        self.warm_until = 0.0
        self.log_stream = ""
        self.init_seconds: float | None = None
        self._started = threading.Event()
        self._api = RuntimeApi(self._told.put, self._freeze)
        self._process = self._start()
        self._started.set()
        threading.Thread(target=self._reap, name="worker-exit", daemon=True).start()

    @property
    def cold(self) -> bool:
        """Whether it has not yet run its init phase to the end."""
        return not self._ready

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def invoke(self, request_id: str, function_arn: str, payload: bytes) -> Outcome:
        """Run one invocation and wait for its end; the worker is dead afterwards when the outcome says so."""
        if (init := self.prepare()) is not None:
            return self._ended(init, request_id, self._began)
        os.pwrite(self._offset, OFFSET.pack(self._clock.offset), 0)
        delivery = Delivery(
            request_id=request_id,
            function_arn=function_arn,
            deadline_ms=int((self._clock.now() + self._launch.timeout_seconds) * 1000),
            payload=payload,
        )
        started = time.perf_counter()
        # work first: whoever freezes looks again for work after stopping, so no order of the two leaves it stopped
        self._api.work.put(delivery)
        self._signal(signal.SIGCONT)
        return self._ended(self._wait(request_id, started + self._launch.timeout_seconds), request_id, started)

    def prepare(self) -> Outcome | None:
        """Wait until the runtime asks for work; return how its start failed, None when it is ready."""
        if self._ready:
            return None
        outcome = self._wait("", self._began + INIT_SECONDS + self._launch.timeout_seconds)
        if outcome.error_type is None:
            self._ready = True
            self.init_seconds = time.perf_counter() - self._began
            return None
        return outcome

    def output(self) -> str:
        """Return what the process wrote since the last call."""
        size = os.fstat(self._log).st_size
        text = os.pread(self._log, size - self._read_to, self._read_to).decode(errors="replace")
        self._read_to = size
        if size > _LOG_KEPT_BYTES:
            os.ftruncate(self._log, 0)
            self._read_to = 0
        return text

    def kill(self) -> None:
        """Kill the process group; what it was doing ends as a crash."""
        self._signal(signal.SIGKILL)

    def close(self) -> None:
        """Kill the process group and remove the worker's folder."""
        self.kill()
        self._process.wait()
        self._api.close()
        for descriptor in (self._offset, self._log):
            os.close(descriptor)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> subprocess.Popen[bytes]:
        own = {"AWS_LAMBDA_RUNTIME_API": self._api.address, "TMPDIR": str(self._folder / "tmp")}
        offset = str(self._folder / "offset")
        return subprocess.Popen(
            # -P: the folder of the bootstrap file stays off the path
            [self._launch.python, "-P", str(_BOOTSTRAP), self._launch.handler, offset],
            cwd=self._launch.task_root,
            env={**self._launch.environment, **own},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            process_group=0,
        )

    def _reap(self) -> None:
        self._process.wait()
        self._told.put(Told("exit"))

    def _freeze(self) -> None:
        # called from the Runtime API when the runtime asks for work; work that is already there needs no stop.
        # On a busy machine it may ask before we know which process it is
        self._started.wait()
        if self._api.work.empty():
            self._signal(signal.SIGSTOP)
            if not self._api.work.empty():
                self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _wait(self, request_id: str, until: float) -> Outcome:
        """Wait for the answer to `request_id`, or for the first request for work when that is empty."""
        while (left := until - time.perf_counter()) > 0:
            try:
                told = self._told.get(timeout=min(left, SAMPLE_SECONDS))
            except queue.Empty:
                if (used := self._memory_mb()) > self._launch.memory_mb:
                    return out_of_memory(request_id, used)
                continue
            if (outcome := self._outcome(told, request_id)) is not None:
                return outcome
        return timed_out(request_id, self._launch.timeout_seconds)

    def _outcome(self, told: Told, request_id: str) -> Outcome | None:
        """Return what `told` means for the wait for `request_id`; None when it does not concern it."""
        if told.kind == "init":
            return failed(told.body, died=True)
        if told.kind == "exit":
            return stopped(request_id, self._process.returncode)
        if told.kind == "ready":
            return None if request_id else Outcome(b"")
        if told.request_id != request_id:
            return None
        if told.kind == "error":
            return failed(told.body)
        return Outcome(told.body) if len(told.body) <= RESPONSE_BYTES else too_large(len(told.body))

    def _ended(self, outcome: Outcome, request_id: str, started: float) -> Outcome:
        """Complete an outcome with what it took; a process that is too large by now would not have answered."""
        used = max(outcome.memory_mb, self._memory_mb())
        if used > self._launch.memory_mb and not outcome.died:
            outcome = out_of_memory(request_id, used)
            self.kill()
        self.dead = outcome.died
        return outcome.taking(time.perf_counter() - started, used)

    def _memory_mb(self) -> int:
        """Return the resident memory that cannot be given back (anonymous), in MiB; 0 where there is no procfs.

        Lambda's limit is that of a control group, which can drop clean file pages, so mapped libraries do not count
        here either. The process is looked at twenty times a second: a shorter peak is not seen.
        """
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text()
        except OSError:
            return 0
        found = [line.split()[1] for line in status.splitlines() if line.startswith(("RssAnon:", "RssShmem:"))]
        return sum(int(kilobytes) for kilobytes in found) // 1024
