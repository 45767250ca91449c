"""The prediction log beside the labels that came back: hour by hour of the prediction, so that memory is bounded."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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

    def hours(self, first: int, last: int) -> list[int]:
        """Return the hours since the epoch, of days since the epoch, in which predictions may have been made.

        Lines arrive within the hour of their prediction or in the next one; those that come later are not looked for.
        """
        prefix, beyond = keys.predictions(self.model), (last + 1) * DAY_HOURS + LATE_HOURS
        arrivals = set()
        for key in self.data.keys(prefix, after=keys.predictions_of_hour(self.model, first * DAY_HOURS * HOUR)):
            at = keys.parse_predictions(key)
            if at is not None and hour_of(at) >= beyond:
                break
            if at is not None:
                arrivals.add(hour_of(at))
        made = arrivals | {hour - LATE_HOURS for hour in arrivals}
        return sorted(hour for hour in made if first <= hour // DAY_HOURS <= last)

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
