"""The prediction log beside the labels that came back: hour by hour of the prediction, so that memory is bounded."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from cloud.labels import READERS, Labels
from cloud.objects import Bucket
from cloud.prediction_hours import PredictionHours
from lifecycle.feedback_label import Value

HOUR: Final = 3600
DAY_HOURS: Final = 24
REMEMBERED_LABELS: Final = 200_000  # 50 MB


@dataclass(kw_only=True, slots=True)
class LabelledLog:
    """Log and labels of one model, for one invocation: the log is listed once, each hour of labels asked once.

    Labels are remembered, as many as there is `room` for, until they are forgotten; others are asked again.
    """

    model: str
    data: Bucket
    labels: Labels
    room: int = REMEMBERED_LABELS
    _log: PredictionHours = field(init=False)
    _known: dict[int, Mapping[str, Value]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Begin to remember what was listed."""
        self._log = PredictionHours(self.data, self.model)

    def hours(self, first: int, last: int) -> list[int]:
        """Return the hours since the epoch, of days since the epoch, in which predictions may have been made."""
        return self._log.made(first * DAY_HOURS, (last + 1) * DAY_HOURS - 1)

    def load(self, hours: Iterable[int]) -> None:
        """Ask for the labels of hours that will be looked at, some at a time, and remember them."""
        unknown = [hour for hour in hours if hour not in self._known]
        if self.room > 0:
            with ThreadPoolExecutor(READERS) as pool:
                for hour, found in zip(unknown, pool.map(self._asked, unknown), strict=True):
                    self._remember(hour, found)

    def labels_of(self, hour: int) -> Mapping[str, Value]:
        """Return the labels of predictions made in an hour since the epoch, by their ids and in the order of these."""
        known = self._known.get(hour)
        return self._remember(hour, self._asked(hour)) if known is None else known

    def _asked(self, hour: int) -> Mapping[str, Value]:
        return dict(self.labels.of_hour(hour))

    def _remember(self, hour: int, found: Mapping[str, Value]) -> Mapping[str, Value]:
        if len(found) <= self.room:
            self._known[hour] = found
            self.room -= len(found)
        return found

    def forget(self, hours: Iterable[int]) -> None:
        """Forget the labels of hours."""
        for hour in hours:
            self.room += len(self._known.pop(hour, ()))

    def labelled(self, hour: int, labels: Mapping[str, Value]) -> Iterator[tuple[dict[str, Any], Value]]:
        """Yield each logged prediction of an hour that has one of `labels` (by id), with it, in order of arrival.

        The log is read no further than to the last of them.
        """
        left = len(labels)
        if not left:
            return
        for record in self._log.records(hour):
            found = labels.get(record["prediction_id"])
            if found is not None:
                yield record, found
                left -= 1
                if not left:
                    return
