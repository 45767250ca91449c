"""Lines of the prediction log, as they arrived -> the records of a time span, each once.

Delivery is at least once: CloudWatch Logs and Firehose both try again for up to a day each, so the same line may come
twice, in another object and another hour. Ids are remembered for as long as a copy can still come, not for ever.
"""

import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final

from lifecycle.prediction_log import PREDICTION, SCHEMA

COPIES_HOURS: Final = 49  # 24 hours of retries by the subscription, 24 by Firehose, and the hour they began in
CONTROL: Final = b"CWL CONTROL MESSAGE"  # CloudWatch Logs sends one when a subscription is made
_DECODER: Final = json.JSONDecoder()
_HOUR: Final = 3600.0

Record = dict[str, Any]


class Reading:
    """One pass over the log: `kinds` of records whose own time is in [since, until), both epoch seconds.

    `unreadable` counts the lines that are no record of this schema: damaged, or cut on their way.
    """

    def __init__(self, since: float, until: float, kinds: Collection[str] = (PREDICTION,)) -> None:
        self._since = since
        self._until = until
        self._kinds = frozenset(kinds)
        self._seen: dict[int, set[bytes | str]] = {}
        self.unreadable = 0

    def hour(self, arrival: float) -> None:
        """Say that the lines to come arrived in the hour of `arrival`: ids too old to come again are forgotten."""
        first = int(arrival // _HOUR) - COPIES_HOURS
        for passed in [hour for hour in self._seen if hour < first]:
            del self._seen[passed]

    def records(self, lines: Iterable[bytes]) -> Iterator[Record]:
        """Yield the records among `lines` that are asked for and were not seen before."""
        for line in lines:
            for record in parsed(line):
                if record is None:
                    self.unreadable += 1
                elif record["kind"] in self._kinds and self._is_new(record, line):
                    yield record

    def _is_new(self, record: Record, line: bytes) -> bool:
        seconds = record["time"] / 1000
        if not self._since <= seconds < self._until:
            return False
        seen = self._seen.setdefault(int(seconds // _HOUR), set())
        identity = record.get("prediction_id") or record.get("request_id") or line
        known = len(seen)
        seen.add(identity)
        return len(seen) > known


def parsed(line: bytes) -> Iterator[Record | None]:
    """The records of a line; None stands for what is none. Firehose does not promise a line feed between messages."""
    stripped = line.strip()
    if stripped.startswith(CONTROL):
        return
    try:
        text = stripped.decode()
    except UnicodeDecodeError:
        yield None
        return
    at = 0
    while at < len(text):
        try:
            found, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            yield None
            return
        yield _checked(found)
        at += len(text[at:]) - len(text[at:].lstrip())


def _checked(found: Any) -> Record | None:
    if not isinstance(found, dict) or found.get("schema") != SCHEMA or not isinstance(found.get("kind"), str):
        return None
    time_ms, identity = found.get("time"), found.get("prediction_id")
    if time_ms.__class__ not in (int, float):
        return None
    wanted = identity.__class__ is str or found["kind"] != PREDICTION
    return found if wanted else None
