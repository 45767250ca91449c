"""The prediction log beside the labels that came back: hour by hour of the prediction, so that memory is bounded."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from cloud.labels import Labels
from cloud.objects import Bucket
from cloud.predictions import LATE_HOURS, Predictions
from lifecycle import keys
from lifecycle.feedback_label import Label, hour_of

HOUR: Final = 3600
DAY_HOURS: Final = 24
LEVELS: Final = 4  # of folders of the log: year, month, day, hour
HALF_MILLISECOND: Final = 0.0005


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelledLog:
    """Log and labels of one model."""

    model: str
    data: Bucket
    labels: Labels

    def hours(self, first: int, last: int) -> list[int]:
        """Return the hours since the epoch, of days since the epoch, in which predictions may have been made.

        Lines arrive within the hour of their prediction or in the next one; those that come later are not looked for.
        """
        span = _date(first), _date(last + 1)
        arrivals = {hour_of(at) for at in self._arrivals(keys.predictions(self.model), span) if at is not None}
        made = arrivals | {hour - LATE_HOURS for hour in arrivals}
        return sorted(hour for hour in made if first <= hour // DAY_HOURS <= last)

    def _arrivals(self, prefix: str, span: tuple[str, str]) -> Iterator[float | None]:
        """Walk down years, months, days and hours, where there are any, within the days of `span`."""
        for folder in self.data.folders(prefix):
            part = folder.removeprefix(keys.predictions(self.model)).rstrip("/")
            if not span[0][: len(part)] <= part[: len(span[0])] <= span[1][: len(part)]:
                continue
            if part.count("/") == LEVELS - 1:
                yield keys.parse_predictions(folder)
            else:
                yield from self._arrivals(folder, span)

    def labels_of(self, hour: int) -> Iterator[Label]:
        """Yield the labels of predictions made in an hour since the epoch, in order of their ids."""
        return self.labels.of_hours(*_span(hour))

    def labelled(self, hour: int, labels: Mapping[str, Label]) -> Iterator[tuple[dict[str, Any], Label]]:
        """Yield each logged prediction of an hour that has one of `labels` (by id), with it, in order of arrival."""
        for record in Predictions(self.data, self.model).records(*_span(hour)):
            found = labels.get(record["prediction_id"])
            if found is not None:
                yield record, found


def _date(day: int) -> str:
    return f"{datetime.fromtimestamp(day * DAY_HOURS * HOUR, UTC):%Y/%m/%d}"


def _span(hour: int) -> tuple[float, float]:
    # not up to the last moment: readers would take one more hour along
    return hour * HOUR, (hour + 1) * HOUR - HALF_MILLISECOND
