"""What of an execution is done: the outcome of each finished state by its place, so that a later engine goes on there.

A place is the way of a state through its execution: the number of the step, and of a Map the iteration's index and
the step in it. An execution that is taken up runs from its beginning again and finds the outcomes of what is done.
"""

from collections.abc import Callable
from typing import Any

from local.keeping import NOWHERE, Keep


def done_part(arn: str) -> str:
    """Return the part under which an execution's outcomes are kept until it is over."""
    return f"steps of {arn}"


class Done:
    """The outcomes of one execution, kept until it is over."""

    def __init__(self, arn: str, keep: Keep = NOWHERE) -> None:
        self._part = done_part(arn)
        self._keep = keep
        self._found = keep.rows(self._part)

    def recall(self, place: str) -> Any:
        """Return what an earlier engine kept for a place, None for nothing."""
        return self._found.get(place)

    def keep(self, place: str, outcome: object) -> None:
        """Keep what has come of a place."""
        self._keep.put(self._part, place, outcome)

    def once[T](self, place: str, make: Callable[[], T]) -> T:
        """Return what was kept for a place; make and keep it the first time."""
        found: T | None = self.recall(place)
        if found is None:
            found = make()
            self.keep(place, found)
        return found


class Steps:
    """The places of one branch, in order."""

    def __init__(self, done: Done, path: str = "") -> None:
        self.done = done
        self.place = path
        self._path = path
        self._number = 0

    def next(self) -> str:
        """Go to the next state and return its place."""
        self._number += 1
        self.place = f"{self._path}/{self._number}"
        return self.place

    def inside(self, index: int) -> "Steps":
        """Return the steps of an iteration of the Map state at the present place."""
        return Steps(self.done, f"{self.place}[{index}]")
