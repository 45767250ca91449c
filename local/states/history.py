"""An execution's history: numbered events as GetExecutionHistory returns them."""

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from local.keeping import NOWHERE, Keep
from local.states.allowed import HISTORY_EVENTS

_DETAILS = {
    "StateEntered": "stateEnteredEventDetails",
    "StateExited": "stateExitedEventDetails",
    "MapIterationStarted": "mapIterationStartedEventDetails",
    "MapIterationSucceeded": "mapIterationSucceededEventDetails",
    "MapIterationFailed": "mapIterationFailedEventDetails",
    "MapIterationAborted": "mapIterationAbortedEventDetails",
}


class HistoryFull(Exception):
    """The execution reached the number of events that one history may hold."""


class History:
    """All events of one execution, appended by several branches at once."""

    def __init__(self, now: Callable[[], float], arn: str = "", keep: Keep = NOWHERE) -> None:
        self._now = now
        self._keep = keep
        self._part = f"history of {arn}"
        self._lock = threading.Lock()
        self._found: list[dict[str, Any]] | None = None

    @property
    def _events(self) -> list[dict[str, Any]]:
        # read when they are asked for: most executions of an earlier engine are never looked at again
        if self._found is None:
            self._found = list(self._keep.rows(self._part).values())
        return self._found

    def add(self, kind: str, previous: int, details: Mapping[str, Any] | None, *, closing: bool) -> int:
        """Append an event and return its id. Raises HistoryFull, but not for one that closes something."""
        with self._lock:
            number = len(self._events) + 1
            if number >= HISTORY_EVENTS and not closing:
                raise HistoryFull
            at = datetime.fromtimestamp(self._now(), UTC)
            event: dict[str, Any] = {"timestamp": at, "type": kind, "id": number, "previousEventId": previous}
            if details is not None:
                suffix = next((key for key in ("StateEntered", "StateExited") if kind.endswith(key)), kind)
                event[_DETAILS.get(suffix, kind[0].lower() + kind[1:] + "EventDetails")] = dict(details)
            self._events.append(event)
            self._keep.put(self._part, str(number), event)
            return number

    def events(self) -> list[dict[str, Any]]:
        """Return the events so far, oldest first."""
        with self._lock:
            return list(self._events)


class Trail:
    """One branch's way through the history: each event follows the branch's own last one."""

    def __init__(self, history: History, last: int = 0) -> None:
        self._history = history
        self.last = last

    def add(self, kind: str, **details: Any) -> None:
        """Append an event to the branch; None values are left out, no value at all means no details."""
        self._append(kind, details, closing=False)

    def close(self, kind: str, **details: Any) -> None:
        """Append the event that ends the branch or the execution, even to a full history."""
        self._append(kind, details, closing=True)

    def _append(self, kind: str, details: dict[str, Any], *, closing: bool) -> None:
        shown = {key: value for key, value in details.items() if value is not None}
        self.last = self._history.add(kind, self.last, shown if details else None, closing=closing)

    def branch(self) -> "Trail":
        """Return a trail that starts from this one's last event."""
        return Trail(self._history, self.last)
