"""The iterations of one Map state, as many at once as it allows; the first failure ends the others."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from local.states.branch import Branch
from local.states.control import Interrupted, Reason

Iterate = Callable[[int, Branch], Any]


class Iterations:
    """Runs `iterate(index, branch)` for each item; `results` and the first `failure` are there after `work`."""

    def __init__(self, name: str, branch: Branch, items: Sequence[Any], iterate: Iterate) -> None:
        self._name = name
        self._branch = branch
        self._control = branch.control.child()
        self._items = items
        self._iterate = iterate
        self._waiting = iter(range(len(items)))
        self._lock = threading.Lock()
        self.results: list[Any] = [None] * len(items)
        self.failure: Exception | None = None

    def work(self, concurrency: int) -> None:
        """Run all iterations and return when none runs any more. Raises Interrupted."""
        count = min(len(self._items), concurrency)
        threads = [threading.Thread(target=self._worker, name=f"{self._name}-{n}", daemon=True) for n in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._branch.control.check()

    def _worker(self) -> None:
        while self.failure is None:
            with self._lock:
                index = next(self._waiting, None)
            if index is None or not self._iteration(index):
                return

    def _iteration(self, index: int) -> bool:
        trail = self._branch.trail.branch()
        context = {**self._branch.context, "Map": {"Item": {"Index": index, "Value": self._items[index]}}}
        ended = "Succeeded"
        try:
            trail.add("MapIterationStarted", name=self._name, index=index)
            self.results[index] = self._iterate(index, Branch(context, self._control, trail))
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
