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
    """The log of one model. `unreadable` counts the lines and objects that could not be read so far.

    Objects read last are kept as they lie in S3, up to `kept_bytes` of them together, for who reads them again.
    """

    def __init__(self, bucket: Bucket, model: str, *, kept_bytes: int = 0) -> None:
        self._bucket = bucket
        self._model = model
        self._kept_bytes = kept_bytes
        self._kept: dict[str, bytes] = {}
        self._bytes = 0
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
        yield from self.within(self._objects(since, until + late_hours * HOUR), since, until, kinds)

    def within(
        self,
        listed: Iterable[tuple[str, float]],
        since: float,
        until: float,
        kinds: Collection[str] = (PREDICTION,),
    ) -> Iterator[dict[str, Any]]:
        """Yield from some objects what `records` yields; they are listed with their arrival hours, oldest first."""
        reading = Reading(since, until, kinds)
        for key, arrival in listed:
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
        body = self._body(key)
        if body is None:  # deleted after it was listed
            return
        try:
            with gzip.open(io.BytesIO(body)) as lines:
                yield from lines
        except (OSError, EOFError, zlib.error):
            self.unreadable += 1

    def _body(self, key: str) -> bytes | None:
        body = self._kept.get(key)
        if body is not None:
            return body
        body = self._bucket.read(key)
        if body is not None and len(body) <= self._kept_bytes:
            self._kept[key] = body
            self._bytes += len(body)
            while self._bytes > self._kept_bytes:
                self._bytes -= len(self._kept.pop(next(iter(self._kept))))
        return body
