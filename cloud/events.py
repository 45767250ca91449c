"""The default event bus: our own announcements."""

import json
from collections.abc import Mapping
from typing import Any

from cloud.faults import translated
from lifecycle import names
from lifecycle.errors import Unavailable


class Events:
    """Announces what happened; delivery is at least once and in no order."""

    def __init__(self, events: Any) -> None:
        self._events = events

    def announce(self, kind: str, detail: Mapping[str, Any]) -> None:
        """Put one event. Raises Unavailable when the bus did not take it."""
        entry = {"Source": names.SOURCE, "DetailType": kind, "Detail": json.dumps(detail, allow_nan=False)}
        with translated(f"announce {kind}"):
            answer = self._events.put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            raise Unavailable(f"the event bus refused {kind!r}: {answer['Entries'][0].get('ErrorMessage')}")
