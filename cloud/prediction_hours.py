"""The prediction log of one model, listed once -> the records of any hour, however many hours are asked, in any order.

Lines arrive in the hour of their prediction or in the next one; those that come later are not looked for.
"""

from collections.abc import Iterator
from typing import Any, Final

from cloud.objects import Bucket
from cloud.predictions import LATE_HOURS, Predictions
from lifecycle import keys
from lifecycle.feedback_label import hour_of

HOUR: Final = 3600
HALF_MILLISECOND: Final = 0.0005
REMEMBERED_KEYS: Final = 100_000  # 20 MB; hours beyond have so many objects that listing them once more is little
KEPT_BYTES: Final = 32 << 20  # two hours of some hundred thousand rows each


class PredictionHours:
    """Hours are numbers since the epoch. What arrives after a span was listed is not seen.

    Memory is bounded by the keys that are remembered and by the bytes of objects that are kept as they lie in S3.
    """

    def __init__(
        self, bucket: Bucket, model: str, *, remembered_keys: int = REMEMBERED_KEYS, kept_bytes: int = KEPT_BYTES
    ) -> None:
        self._bucket = bucket
        self._model = model
        self._remembered_keys = remembered_keys
        self._log = Predictions(bucket, model, kept_bytes=kept_bytes)
        self._listed: dict[int, list[str] | None] = {}  # None: too many to be remembered

    def made(self, first: int, last: int) -> list[int]:
        """Return the hours, `first` to `last`, in which predictions may have been made; raises as `records` does."""
        span = range(first, last + LATE_HOURS + 1)
        if not all(hour in self._listed for hour in span):
            self._list(span)
        return [hour for hour in span[: last - first + 1] if any(self._listed[at] != [] for at in _arrivals(hour))]

    def records(self, hour: int) -> Iterator[dict[str, Any]]:
        """Yield the predictions made in an hour, in order of arrival; copies of one are dropped.

        Raises Throttled or Unavailable when S3 does not answer.
        """
        listed = ((key, float(at * HOUR)) for at in _arrivals(hour) for key in self._keys(at))
        return self._log.within(listed, *span_of(hour))

    def _list(self, span: range) -> None:
        """Remember the keys of the hours of arrival in `span`, as long as they are not too many."""
        found: dict[int, list[str] | None] = {hour: [] for hour in span}
        room = self._remembered_keys - sum(len(listed or ()) for listed in self._listed.values())
        prefix = keys.predictions(self._model)
        for key in self._bucket.keys(prefix, after=keys.predictions_of_hour(self._model, span.start * HOUR)):
            at = keys.parse_predictions(key)
            hour = span.start - 1 if at is None else hour_of(at)
            if hour >= span.stop:
                break
            mine = found.get(hour)
            if mine is None:
                continue  # nothing of ours, or too many
            mine.append(key)
            room -= 1
            if room < 0:
                found[hour], room = None, room + len(mine)
        self._listed |= found

    def _keys(self, hour: int) -> Iterator[str]:
        listed = self._listed.get(hour)
        if listed is None:
            return self._bucket.keys(keys.predictions_of_hour(self._model, hour * HOUR))
        return iter(listed)


def span_of(hour: int) -> tuple[float, float]:
    """Return begin and end of an hour in epoch seconds; readers of a span would take the next hour along at its end."""
    return hour * HOUR, (hour + 1) * HOUR - HALF_MILLISECOND


def _arrivals(hour: int) -> range:
    """The hours in which predictions of an hour arrive."""
    return range(hour, hour + LATE_HOURS + 1)
