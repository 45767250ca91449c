"""Whether an execution, or a branch of it, may go on: waits that end early on abort and on time-outs."""

import threading
from enum import StrEnum

from local.clock import Clock, Hold

LOOK_SECONDS = 0.05  # of machine time: how often a wait compares engine time with its deadline


class Interrupted(Exception):
    """The branch must end now; `reason` tells why."""

    def __init__(self, reason: "Reason") -> None:
        super().__init__(reason)
        self.reason = reason


class Reason(StrEnum):
    """Why a branch ends before its time."""

    ABORTED = "aborted"
    TIMED_OUT = "timed out"
    SIBLING_FAILED = "another iteration failed"


class Control:
    """Stops a branch and the branches below it. `deadline` is the execution's, in epoch seconds of engine time."""

    def __init__(self, clock: Clock, deadline: float | None = None) -> None:
        self._clock = clock
        self._deadline = deadline
        self._lock = threading.Lock()
        self._children: list[Control] = []
        self._wake: set[threading.Event] = set()
        self._stop = threading.Event()
        self._reason: Reason | None = None

    def child(self) -> "Control":
        """Return the control of a branch, which ends with this one at the latest."""
        child = Control(self._clock, self._deadline)
        with self._lock:
            self._children.append(child)
        if self._reason is not None:
            child.end(self._reason)
        return child

    def end(self, reason: Reason) -> None:
        """Make the branch end; the first reason stays."""
        with self._lock:
            if self._reason is not None:
                return
            self._reason = reason
            self._stop.set()
            for event in self._wake:
                event.set()
            children = list(self._children)
        for child in children:
            child.end(reason)

    def check(self) -> None:
        """Raise Interrupted when the branch must end."""
        if self._reason is not None:
            raise Interrupted(self._reason)
        if self._deadline is not None and self._clock.now() >= self._deadline:
            raise Interrupted(Reason.TIMED_OUT)

    def sleep(self, seconds: float, hold: Hold) -> None:
        """Let engine time pass, and the branch's hold go meanwhile. Raises Interrupted."""
        until = self._clock.now() + seconds
        if self._deadline is not None:
            until = min(until, self._deadline)
        while (left := until - self._clock.now()) > 0:
            self.check()
            if self._clock.sleep(left, self._stop, hold):
                break
        self.check()
        if self._clock.now() < until:
            raise Interrupted(Reason.ABORTED)  # the clock was stopped: the engine ends

    def wait(self, done: threading.Event, until: float | None) -> bool:
        """Wait for `done`, this caller's own event; return False when engine time `until` came first.

        Raises Interrupted.
        """
        with self._lock:
            self._wake.add(done)
        try:
            while True:
                finished = done.wait(LOOK_SECONDS)
                self.check()
                if finished:
                    return True
                if until is not None and self._clock.now() >= until:
                    return False
        finally:
            with self._lock:
                self._wake.discard(done)
