"""Ids of predictions -> which of them the prediction log holds, and the classes that their records name.

Ids tell their hour, so an hour of the log is read once for all ids of it. How much is read at a time is bounded; hours
beyond that are named, not guessed at. A warm function remembers the hours that it read lately.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from cloud.objects import Bucket
from cloud.predictions import LATE_HOURS, Predictions
from lifecycle import keys
from lifecycle.feedback import LATENESS_SECONDS, Looked
from lifecycle.feedback_label import hour_of
from lifecycle.prediction_id import time_of

HOUR: Final = 3600
FRESH_SECONDS: Final = 300.0  # how long an id that was not there counts as not there: lines may be late
REMEMBERED_IDS: Final = 500_000  # about 100 MB
REMEMBERED: Final = 2_000
HALF_MILLISECOND: Final = 0.0005


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """How much one search may read: stored `size` in bytes (unpacked, about ten times that) and number of hours."""

    size: int
    hours: int


@dataclass(frozen=True, slots=True)
class _Hour:
    """All ids of an hour, with the classes that each record names, as they were at `read_at`."""

    ids: Mapping[bytes, tuple[str, ...]]
    read_at: float


class PredictionIndex:
    """Finds predictions of one model in its log."""

    def __init__(self, bucket: Bucket, model: str, now: Callable[[], float]) -> None:
        self._bucket = bucket
        self._model = model
        self._now = now
        self._hours: dict[int, _Hour] = {}

    def find(self, wanted: Mapping[int, set[str]], bounds: Bounds) -> Looked:
        """Look for ids, given by the hour since the epoch of their predictions; the newest hours first.

        Raises Throttled or Unavailable when S3 does not answer.
        """
        missing = sorted(hour for hour in wanted if not self._remembers(hour, wanted[hour]))
        chosen = self._chosen(missing, bounds)
        found = self._among(wanted, set(wanted) - set(missing))
        for first, last in _runs(chosen):
            self._read(first, last)
            found |= self._among(wanted, range(first, last + 1))
            self._forget()
        return Looked(found=found, unread=frozenset(missing).difference(chosen))

    def _among(self, wanted: Mapping[int, set[str]], hours: Iterable[int]) -> dict[str, tuple[str, ...]]:
        return {
            identity: self._hours[hour].ids[_packed(identity)]
            for hour in hours
            for identity in wanted[hour]
            if _packed(identity) in self._hours[hour].ids
        }

    def _chosen(self, hours: Sequence[int], bounds: Bounds) -> list[int]:
        """The hours that may be read, in order; records of an hour arrive in it and in the next."""
        chosen: list[int] = []
        sizes: dict[int, int] = {}
        for hour in reversed(hours[-bounds.hours :]):
            for arrival in range(hour, hour + LATE_HOURS + 1):
                if arrival not in sizes:
                    sizes[arrival] = sum(self._bucket.sizes(keys.predictions_of_hour(self._model, arrival * HOUR)))
            if sum(sizes.values()) > bounds.size:
                break
            chosen.append(hour)
        return chosen[::-1]

    def _remembers(self, hour: int, wanted: set[str]) -> bool:
        known = self._hours.get(hour)
        if known is None:
            return False
        missing = [identity for identity in wanted if _packed(identity) not in known.ids]
        old_enough = all((time_of(identity) or 0) + LATENESS_SECONDS <= known.read_at for identity in missing)
        return not missing or (old_enough and self._now() - known.read_at < FRESH_SECONDS)

    def _read(self, first: int, last: int) -> None:
        read_at = self._now()
        ids: dict[int, dict[bytes, tuple[str, ...]]] = {hour: {} for hour in range(first, last + 1)}
        shared: dict[tuple[str, ...], tuple[str, ...]] = {}  # the classes are the same in nearly all records
        # not up to the last moment: the log's reader would take one more hour of arrivals along
        span = (first * HOUR, (last + 1) * HOUR - HALF_MILLISECOND)
        for record in Predictions(self._bucket, self._model).records(*span):
            at = time_of(record["prediction_id"])
            if at is not None and hour_of(at) in ids:
                classes = tuple(record.get("probabilities") or ())
                ids[hour_of(at)][_packed(record["prediction_id"])] = shared.setdefault(classes, classes)
        for hour, found in ids.items():
            self._hours.pop(hour, None)
            self._hours[hour] = _Hour(found, read_at)

    def _forget(self) -> None:
        """Keep the hours read last, up to a number of ids."""
        while sum(len(kept.ids) for kept in self._hours.values()) > REMEMBERED_IDS or len(self._hours) > REMEMBERED:
            del self._hours[next(iter(self._hours))]


def _runs(hours: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield first and last of each row of consecutive hours."""
    for _, group in groupby(enumerate(hours), lambda numbered: numbered[1] - numbered[0]):
        run = [hour for _, hour in group]
        yield run[0], run[-1]


def _packed(identity: str) -> bytes:
    """The 16 bytes of an id: a third of the memory of its text."""
    return bytes.fromhex(identity.replace("-", ""))
