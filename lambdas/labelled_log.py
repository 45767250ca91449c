"""The prediction log beside the labels that came back: hour by hour of the prediction, so that memory is bounded."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from cloud.labels import Labels
from cloud.objects import Bucket
from cloud.predictions import LATE_HOURS, Predictions
from lifecycle import keys
from lifecycle.feedback_label import Label, hour_of

HOUR: Final = 3600
DAY_HOURS: Final = 24
HALF_MILLISECOND: Final = 0.0005


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelledLog:
    """Log and labels of one model."""

    model: str
    data: Bucket
    labels: Labels

    def hours(self, day: int) -> list[int]:
        """Return the hours since the epoch, of a day since the epoch, in which predictions may have been made.

        Lines arrive within the hour of their prediction or in the next one; those that come later are not looked for.
        """
        days = (keys.predictions_of_day(self.model, at * DAY_HOURS * HOUR) for at in (day, day + 1))
        arrivals = chain.from_iterable(map(self.data.folders, days))
        known = {hour_of(at) for at in map(keys.parse_predictions, arrivals) if at is not None}
        first = day * DAY_HOURS
        return [hour for hour in range(first, first + DAY_HOURS) if hour in known or hour + LATE_HOURS in known]

    def labels_of(self, hour: int) -> Iterator[Label]:
        """Yield the labels of predictions made in an hour since the epoch, in order of their ids."""
        return self.labels.of_hours(*_span(hour))

    def labelled(self, hour: int, labels: Mapping[str, Label]) -> Iterator[tuple[dict[str, Any], Label]]:
        """Yield each logged prediction of an hour that has one of `labels` (by id), with it, in order of arrival."""
        for record in Predictions(self.data, self.model).records(*_span(hour)):
            found = labels.get(record["prediction_id"])
            if found is not None:
                yield record, found


def _span(hour: int) -> tuple[float, float]:
    # not up to the last moment: readers would take one more hour along
    return hour * HOUR, (hour + 1) * HOUR - HALF_MILLISECOND
