"""The engine's one clock: stored timestamps, waits, windows, schedules, time-outs and alarms all read it.

Engine time is the machine's time plus an offset. While any work runs it passes at the machine's speed, so that time-
outs mean what they say; while nothing runs it may pass `idle_speed` times faster: a settle time of a minute is run
down in full, only sooner. Whoever works, or waits for a moment, holds the clock (`Hold`): time runs fast up to the
earliest moment that somebody waits for, and no further until that one has let go. So what is due finds the clock
where it belongs, however fast time ran before. `reach` lets idle time pass without any waiting, from one such moment
to the next, up to a named one. The offset reaches moto and every library of this process through time-machine, and the
children (functions, jobs) by `offset` at each invocation.
"""

import math
import threading
import time
from collections.abc import Callable
from typing import Self

import time_machine

TICK_SECONDS = 0.02
REACH_SECONDS = 0.002
"""Machine time for which nothing may begin to work before idle time is passed over: whoever is about to take a hold
must find the time to."""
NOW = 0.0
NEVER = math.inf


class Hold:
    """Keeps time from running fast beyond `at` (epoch seconds; `NOW`: at all) until it is released."""

    def __init__(self, holds: "set[Hold]", at: float) -> None:
        self.at = at
        self._holds = holds
        holds.add(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Let go; doing it twice is no error."""
        self._holds.discard(self)


class Clock:
    """Engine time for all threads of the engine."""

    def __init__(self, idle_speed: float = 1.0, begin: float | None = None) -> None:
        """`begin` is engine time at `start`, epoch seconds (default: the machine's time)."""
        self._changed = threading.Condition()
        self._offset = 0.0
        self._holds: set[Hold] = set()
        self._next: list[Callable[[], float]] = []
        self._idle_speed = idle_speed
        self._begin = begin
        self._goal = -math.inf
        self._woken = threading.Event()
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

    def start(self, earliest: float = 0.0) -> None:
        """Set engine time to where it begins, never before `earliest`, and begin to let idle time pass."""
        begin = max(self.now() if self._begin is None else self._begin, earliest)
        if self._begin is not None or begin > self.now():
            self.advance(begin - self.now())
        threading.Thread(target=self._run, name="clock", daemon=True).start()

    def stop(self) -> None:
        """Stop accelerating and give the process its own time back."""
        self._stopped.set()
        self._woken.set()
        with self._changed:
            if self._travel is not None:
                self._travel.stop()
                self._travel = self._traveller = None
            self._changed.notify_all()

    def set_idle_speed(self, speed: float) -> None:
        """Let idle time pass `speed` times as fast from now on (1 = the machine's speed)."""
        self._idle_speed = speed
        self._woken.set()

    def hold(self, at: float = NOW) -> Hold:
        """Keep time from running fast beyond `at` until the returned hold is released, whichever thread does it."""
        with self._changed:
            return Hold(self._holds, at)

    def heed(self, following: Callable[[], float]) -> None:
        """Ask `following` before time runs fast: it returns the next moment of interest, NEVER for none."""
        self._next.append(following)

    def sleep(self, seconds: float, stop: threading.Event | None = None, hold: Hold | None = None) -> bool:
        """Wait `seconds` of engine time; return True when `stop` was set (or the clock stopped) before they passed.

        `hold` is the caller's own: it lets go until the time has come, and is back when this returns.
        """
        until = self.now() + seconds
        own = hold or self.hold(until)
        own.at = until
        try:
            while (left := until - self.now()) > 0:
                if self._stopped.is_set() or (stop is not None and stop.is_set()):
                    return True
                with self._changed:
                    # `stop` may be set by anyone, so look at it at least ten times a second of machine time
                    self._changed.wait(min(left, 0.1))
            return stop is not None and stop.is_set()
        finally:
            own.at = NOW
            if hold is None:
                own.release()

    def advance(self, seconds: float) -> None:
        """Move engine time forward at once, whoever holds it, and wake everyone who waits."""
        with self._changed:
            self._advance(seconds)

    def reach(self, moment: float, seconds: float) -> bool:
        """Pass over all idle time up to `moment` (epoch seconds); return whether it came within `seconds`.

        `seconds` are the machine's. When they are over time is still on its way there: ask again to go on waiting.
        """
        until = time.perf_counter() + seconds
        with self._changed:
            self._goal = moment
            self._woken.set()
            while self.now() < moment and not self._stopped.is_set():
                if (left := until - time.perf_counter()) <= 0:
                    return False
                self._changed.wait(min(left, 0.1))
        return self.now() >= moment

    def _is_held(self) -> bool:
        """Whether somebody works, so that there is no need to ask what comes next."""
        with self._changed:
            return any(hold.at <= self.now() for hold in list(self._holds))

    def _advance(self, seconds: float) -> None:
        if self._stopped.is_set():
            return  # the process has its own time back
        self._offset += seconds
        if self._travel is None:
            self._travel = time_machine.travel(_machine_time() + self._offset, tick=True)
            self._traveller = self._travel.start()
        elif self._traveller is not None:
            self._traveller.move_to(_machine_time() + self._offset, tick=True)
        self._changed.notify_all()

    def _run(self) -> None:
        while not self._stopped.is_set():
            going = self.now() < self._goal
            self._woken.wait(REACH_SECONDS if going else TICK_SECONDS if self._idle_speed > 1 else None)
            self._woken.clear()
            if (going or self._idle_speed > 1) and not self._is_held():
                following = min((ask() for ask in self._next), default=NEVER)
                with self._changed:
                    limit = min(following, *(hold.at for hold in list(self._holds)), NEVER)
                    wanted = self._goal - self.now() if going else TICK_SECONDS * (self._idle_speed - 1)
                    step = min(wanted, limit - self.now())
                    if step > 0:
                        self._advance(step)


_EPOCH_AT_ZERO = time.time() - time.perf_counter()


def _machine_time() -> float:
    """The machine's own time; the performance counter is the one that time-machine leaves alone."""
    return _EPOCH_AT_ZERO + time.perf_counter()
