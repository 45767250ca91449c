"""Warm workers by release: one invocation per worker at a time, more workers when all are busy, up to a limit."""

import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from local.api import ApiError
from local.clock import Clock
from local.functions.model import Release
from local.functions.worker import Launch, Worker

CONCURRENCY = 20
"""Workers of one function at a time. AWS's quota is 1,000 for an account (a new one may start with 10); a laptop has
fewer cores."""

LOOK_SECONDS = 5.0
"""Machine time between two looks for workers that are kept no longer."""

KEPT_SECONDS = 900.0
"""Engine time for which an idle worker is kept; Lambda promises nothing and keeps them for minutes."""

WARM_SECONDS = 60.0
"""Machine time for which it is kept at least: where idle time is passed over, a day may be over in a second."""

Key = tuple[str, str, str]
"""Function, version and revision."""


class Pool:
    """All workers of the engine."""

    def __init__(
        self,
        launch: Callable[[Release], Launch],
        current: Callable[[Key], bool],
        clock: Clock,
        folder: Path,
        concurrency: int = CONCURRENCY,
    ) -> None:
        self._concurrency = concurrency
        self._launch = launch
        self._current = current
        self._clock = clock
        self._folder = folder
        # what an engine that was killed left behind
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self._lock = threading.Lock()
        self._idle: dict[Key, list[Worker]] = {}
        self._busy: dict[str, int] = {}
        self._lent: set[Worker] = set()
        self._closed = threading.Event()
        self._look = threading.Event()

    def start(self) -> None:
        """Begin to end workers that have been idle for long, or whose release was changed, deleted or left."""
        threading.Thread(target=self._run, name="worker-reaper", daemon=True).start()

    @contextmanager
    def worker(self, release: Release) -> Iterator[Worker]:
        """Lend a worker of `release`; one that died meanwhile is replaced next time.

        Raises
        ------
        ApiError
            TooManyRequestsException when the function already has as many busy workers as it may have.
        """
        key = (release.function, release.version, release.revision)
        worker = self._take(key)
        try:
            if worker is None:
                worker = Worker(self._launch(release), self._folder / uuid.uuid4().hex[:12], self._clock)
            with self._lock:
                self._lent.add(worker)
            yield worker
        except BaseException:
            if worker is not None:
                with self._lock:
                    self._lent.discard(worker)
                worker.close()
            worker = None
            raise
        finally:
            self._give_back(key, worker)

    def close(self) -> None:
        """End all workers; what busy ones were doing ends as a crash."""
        with self._lock:
            self._closed.set()
            self._look.set()
            lent = list(self._lent)
        for worker in lent:
            worker.kill()
        self._end(lambda _, __: True)

    def _take(self, key: Key) -> Worker | None:
        with self._lock:
            if self._closed.is_set():
                raise ApiError("ServiceException", "The laptop engine is stopping.", 500)
            busy = self._busy.get(key[0], 0)
            if busy >= self._concurrency:
                raise ApiError("TooManyRequestsException", "Rate Exceeded.", 429)
            self._busy[key[0]] = busy + 1
            idle = self._idle.get(key, [])
            dead = [worker for worker in idle if not worker.alive]
            idle[:] = [worker for worker in idle if worker.alive]
            found = idle.pop() if idle else None
        for worker in dead:
            worker.close()
        return found

    def _give_back(self, key: Key, worker: Worker | None) -> None:
        with self._lock:
            self._busy[key[0]] -= 1
            if worker is not None:
                self._lent.discard(worker)
            if worker is not None and not worker.dead and not self._closed.is_set():
                worker.idle_since, worker.warm_until = self._clock.now(), time.perf_counter() + WARM_SECONDS
                self._idle.setdefault(key, []).append(worker)
                worker = None
        if worker is not None:
            worker.close()
        elif not self._current(key):
            # under load every move of an alias leaves a worker per client behind: not five seconds' worth of them
            self._look.set()

    def _run(self) -> None:
        while not self._closed.is_set():
            self._look.wait(LOOK_SECONDS)
            self._look.clear()
            self._end(self._is_old)

    def _is_old(self, key: Key, worker: Worker) -> bool:
        old = worker.idle_since < self._clock.now() - KEPT_SECONDS and worker.warm_until < time.perf_counter()
        return old or not self._current(key)

    def _end(self, which: Callable[[Key, Worker], bool]) -> None:
        ended = []
        with self._lock:
            for key, idle in list(self._idle.items()):
                # asked once of each: meanwhile the answer may change, and a worker be neither kept nor ended, or both
                asked = [(worker, which(key, worker)) for worker in idle]
                ended += [worker for worker, ends in asked if ends]
                idle[:] = [worker for worker, ends in asked if not ends]
            self._idle = {key: idle for key, idle in self._idle.items() if idle}
        for worker in ended:
            worker.close()
