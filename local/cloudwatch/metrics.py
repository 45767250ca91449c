"""Values -> one aggregate per metric and minute of engine time, as CloudWatch keeps metrics of standard resolution.

What CloudWatch refuses is refused: values older than two weeks, or more than two hours ahead (PutMetricData in the API
reference). Minutes older than 15 days are dropped, as CloudWatch drops data points of one minute, so memory is bounded
by the number of metrics.
"""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass

from local.clock import Clock
from local.keeping import NOWHERE, Keep

_PART = "metrics"
MINUTE = 60
OLDEST_SECONDS = 14 * 86_400
NEWEST_SECONDS = 2 * 3_600
KEPT_SECONDS = 15 * 86_400


class NotTakenError(ValueError):
    """CloudWatch would not take this value, or not with this timestamp."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What CloudWatch tells metrics apart by."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]] = frozenset()


@dataclass(slots=True)
class Aggregate:
    """A set of values: their sum and number, the least and the greatest of them."""

    total: float = 0.0
    count: int = 0
    least: float = math.inf
    most: float = -math.inf

    def add(self, other: "Aggregate") -> None:
        """Take the values of another set in."""
        self.total += other.total
        self.count += other.count
        self.least = min(self.least, other.least)
        self.most = max(self.most, other.most)

    def statistic(self, name: str) -> float:
        """Return one of `STATISTICS` of a set that is not empty."""
        return _OF[name](self)


_OF: dict[str, Callable[[Aggregate], float]] = {
    "Sum": lambda values: values.total,
    "SampleCount": lambda values: float(values.count),
    "Average": lambda values: values.total / values.count,
    "Minimum": lambda values: values.least,
    "Maximum": lambda values: values.most,
}
STATISTICS = frozenset(_OF)


class Metrics:
    """All metrics of the account."""

    def __init__(self, clock: Clock, keep: Keep = NOWHERE) -> None:
        self._clock = clock
        self._keep = keep
        self._unsaved: set[Metric] = set()
        self._lock = threading.Lock()
        self._minutes: dict[Metric, dict[int, Aggregate]] = dict(keep.rows(_PART).values())
        self._listeners: list[Callable[[Metric], None]] = []

    def listen(self, listener: Callable[[Metric], None]) -> None:
        """Tell `listener` of every metric that got a value, in the thread that put it."""
        self._listeners.append(listener)

    def save(self) -> None:
        """Keep what came since the last time; called now and then, since a row for each value would be too many."""
        with self._lock:
            unsaved, self._unsaved = self._unsaved, set()
            for metric in unsaved:
                name = repr((metric.namespace, metric.name, sorted(metric.dimensions)))
                self._keep.put(_PART, name, (metric, self._minutes[metric]))

    def put(self, metric: Metric, value: float, at: float) -> None:
        """Take one value of engine time `at`. Raises NotTakenError."""
        self.take(metric, Aggregate(value, 1, value, value), at)

    def take(self, metric: Metric, values: Aggregate, at: float | None = None) -> None:
        """Take values of engine time `at`, None for now. Raises NotTakenError."""
        now = self._clock.now()
        at = now if at is None else at
        if not math.isfinite(values.total):
            raise NotTakenError(f"{metric.namespace} {metric.name}: CloudWatch takes no {values.total}")
        if not now - OLDEST_SECONDS <= at <= now + NEWEST_SECONDS:
            raise NotTakenError(
                f"{metric.namespace} {metric.name}: its timestamp is {(at - now) / 3600:.1f} hours from now; "
                "CloudWatch takes values up to two weeks old and up to two hours ahead"
            )
        minute = int(at) // MINUTE * MINUTE
        with self._lock:
            minutes = self._minutes.setdefault(metric, {})
            if minute not in minutes:
                for old in [one for one in minutes if one < now - KEPT_SECONDS]:
                    del minutes[old]
                minutes[minute] = Aggregate()
            minutes[minute].add(values)
            self._unsaved.add(metric)
        for listener in self._listeners:
            listener(metric)

    def values(self, metric: Metric, start: int, end: int) -> Aggregate | None:
        """Return all values of the minutes from `start` (a minute) up to `end`, None when there is none."""
        found = Aggregate()
        with self._lock:
            minutes = self._minutes.get(metric, {})
            for minute in range(start, end, MINUTE):
                if minute in minutes:
                    found.add(minutes[minute])
        return found if found.count else None

    def since(self, metric: Metric, start: int) -> list[int]:
        """Return the minutes from `start` on that have values."""
        with self._lock:
            return [minute for minute in self._minutes.get(metric, ()) if minute >= start]
