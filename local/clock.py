"""The engine's one clock: stored timestamps, waits, windows, schedules, time-outs and alarms all read it.

Engine time is the machine's time plus an offset. While any work runs (`busy`) it passes at the machine's speed, so that
time-outs mean what they say; while nothing runs it may pass `idle_speed` times faster: a settle time of a minute is run
down in full, only sooner. The offset reaches moto and every library of this process through time-machine, and the
children (functions, jobs) by `offset` at each invocation.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import time_machine

TICK_SECONDS = 0.02


class Clock:
    """Engine time for all threads of the engine."""

    def __init__(self, idle_speed: float = 1.0) -> None:
        self._changed = threading.Condition()
        self._offset = 0.0
        self._busy = 0
        self._idle_speed = idle_speed
        self._stopped = threading.Event()
        self._traveller: time_machine.Traveller | None = None
        self._travel: time_machine.travel | None = None

    @property
    def offset(self) -> float:
        """Seconds by which engine time is ahead of the machine's."""
        return self._offset

    def now(self) -> float:
        """Engine time, epoch seconds."""
        return _machine_time() + self._offset

    def start(self) -> None:
        """Begin to let idle time pass at `idle_speed`."""
        threading.Thread(target=self._run, name="clock", daemon=True).start()

    def stop(self) -> None:
        """Stop accelerating and give the process its own time back."""
        self._stopped.set()
        with self._changed:
            if self._travel is not None:
                self._travel.stop()
                self._travel = self._traveller = None
            self._changed.notify_all()

    def set_idle_speed(self, speed: float) -> None:
        """Let idle time pass `speed` times as fast from now on (1 = the machine's speed)."""
        self._idle_speed = speed

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Hold engine time at the machine's speed while work runs."""
        with self._changed:
            self._busy += 1
        try:
            yield
        finally:
            with self._changed:
                self._busy -= 1

    def sleep(self, seconds: float, stop: threading.Event | None = None) -> bool:
        """Wait `seconds` of engine time; return True when `stop` was set (or the clock stopped) before they passed."""
        until = self.now() + seconds
        while (left := until - self.now()) > 0:
            if self._stopped.is_set() or (stop is not None and stop.is_set()):
                return True
            with self._changed:
                # `stop` may be set by anyone, so look at it at least ten times a second of machine time
                self._changed.wait(min(left, 0.1))
        return stop is not None and stop.is_set()

    def advance(self, seconds: float) -> None:
        """Move engine time forward at once and wake everyone who waits."""
        with self._changed:
            self._offset += seconds
            if self._travel is None:
                self._travel = time_machine.travel(_machine_time() + self._offset, tick=True)
                self._traveller = self._travel.start()
            elif self._traveller is not None:
                self._traveller.move_to(_machine_time() + self._offset, tick=True)
            self._changed.notify_all()

    def _run(self) -> None:
        while not self._stopped.wait(TICK_SECONDS):
            if self._idle_speed > 1 and self._busy == 0:
                self.advance(TICK_SECONDS * (self._idle_speed - 1))


_EPOCH_AT_ZERO = time.time() - time.perf_counter()


def _machine_time() -> float:
    """The machine's own time; the performance counter is the one that time-machine leaves alone."""
    return _EPOCH_AT_ZERO + time.perf_counter()
