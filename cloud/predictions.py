"""The prediction log in the data bucket, read back: gzip NDJSON by arrival hour -> records, each once."""

import gzip
import io
import zlib
from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from typing import Any, Final

from cloud.objects import Bucket
from lifecycle import keys
from lifecycle.logged import Reading, parsed
from lifecycle.prediction_log import PREDICTION

HOUR: Final = 3600.0
LATE_HOURS: Final = 1


class Predictions:
    """The log of one model. `unreadable` counts the lines and objects that could not be read so far."""

    def __init__(self, bucket: Bucket, model: str) -> None:
        self._bucket = bucket
        self._model = model
        self.unreadable = 0

    def records(
        self,
        since: float,
        until: float,
        kinds: Collection[str] = (PREDICTION,),
        *,
        late_hours: int = LATE_HOURS,
    ) -> Iterator[dict[str, Any]]:
        """Yield the records whose own time is in [since, until), in order of arrival; copies of one are dropped.

        Parameters
        ----------
        since, until
            epoch seconds.
        kinds
            of `lifecycle.prediction_log`: "prediction", "failure".
        late_hours
            how many hours after `until` are read for records that arrived late: one covers the buffer of a minute;
            deliveries that AWS had to repeat may take up to 48.

        Raises
        ------
        Throttled, Unavailable
            when S3 does not answer.
        """
        reading = Reading(since, until, kinds)
        for key, arrival in self._objects(since, until + late_hours * HOUR):
            reading.hour(arrival)
            before = reading.unreadable
            yield from reading.records(self._lines(key))
            self.unreadable += reading.unreadable - before

    def of_objects(self, listed: Iterable[str]) -> Iterator[dict[str, Any]]:
        """Yield the predictions in some objects as they lie there, whatever their time, copies included.

        What follows the place where an object is damaged or cut off is lost; what stands before it is not.
        """
        for key in listed:
            for record in chain.from_iterable(map(parsed, self._lines(key))):
                if record is None:
                    self.unreadable += 1
                elif record["kind"] == PREDICTION:
                    yield record

    def _objects(self, since: float, until: float) -> Iterator[tuple[str, float]]:
        """Keys and arrival hours (epoch seconds) from the hour of `since` to the one of `until`, oldest first."""
        first = keys.predictions_of_hour(self._model, since)
        for key in self._bucket.keys(keys.predictions(self._model), after=first):
            arrival = keys.parse_predictions(key)
            if arrival is None:
                continue  # nothing of ours; Firehose writes below an hour only
            if arrival > until:
                return
            yield key, arrival

    def _lines(self, key: str) -> Iterator[bytes]:
        body = self._bucket.read(key)
        if body is None:  # deleted after it was listed
            return
        try:
            with gzip.open(io.BytesIO(body)) as lines:
                yield from lines
        except (OSError, EOFError, zlib.error):
            self.unreadable += 1
