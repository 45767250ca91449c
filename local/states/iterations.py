"""The iterations of one Map state, as many at once as it allows; the first failure ends the others."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from local.clock import NEVER, NOW, Clock, Hold
from local.states.branch import Branch
from local.states.control import Interrupted, Reason

Iterate = Callable[[int, Branch], Any]


class Iterations:
    """Runs `iterate(index, branch)` for each item; `results` and the first `failure` are there after `work`."""

    def __init__(self, name: str, branch: Branch, items: Sequence[Any], iterate: Iterate, clock: Clock) -> None:
        self._name = name
        self._branch = branch
        self._control = branch.control.child()
        self._items = items
        self._iterate = iterate
        self._clock = clock
        self._waiting = iter(range(len(items)))
        self._running = 0
        self._lock = threading.Lock()
        self.results: list[Any] = [None] * len(items)
        self.failure: Exception | None = None

    def work(self, concurrency: int) -> None:
        """Run all iterations and return when none runs any more. Raises Interrupted."""
        self._running = count = min(len(self._items), concurrency)
        holds = [self._clock.hold() for _ in range(count)]
        if count:
            self._branch.hold.at = NEVER
        threads = [
            threading.Thread(target=self._worker, args=(hold,), name=f"{self._name}-{n}", daemon=True)
            for n, hold in enumerate(holds)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._branch.control.check()

    def _worker(self, hold: Hold) -> None:
        while self.failure is None:
            with self._lock:
                index = next(self._waiting, None)
            if index is None or not self._iteration(index, hold):
                break
        with self._lock:
            self._running -= 1
            if not self._running:
                # the last one hands the clock back, so that no time slips by before the Map goes on
                self._branch.hold.at = NOW
            hold.release()

    def _iteration(self, index: int, hold: Hold) -> bool:
        trail, steps = self._branch.trail.branch(), self._branch.steps.inside(index)
        if (known := steps.done.recall(steps.place)) is not None:
            (self.results[index],) = known
            return True
        context = {**self._branch.context, "Map": {"Item": {"Index": index, "Value": self._items[index]}}}
        ended, place = "Succeeded", steps.place
        try:
            trail.add("MapIterationStarted", name=self._name, index=index)
            self.results[index] = self._iterate(index, Branch(context, self._control, trail, hold, steps))
            self._branch.steps.done.keep(place, (self.results[index],))
        except Interrupted:
            ended = "Aborted"
        except Exception as error:  # noqa: BLE001 - the root of this thread; raised again in the Map's own
            ended = "Failed"
            with self._lock:
                self.failure = self.failure or error
            self._control.end(Reason.SIBLING_FAILED)
        trail.close(f"MapIteration{ended}", name=self._name, index=index)
        with self._lock:
            self._branch.trail.last = trail.last
        return ended == "Succeeded"
