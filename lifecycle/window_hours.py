"""Time of a look -> which hours of arrival it judges, and which of them are kept as whole days.

Hours are counted since the epoch. An hour is closed ten minutes after its end: the log's buffer holds lines for a
minute. A day is settled when nothing can be delivered into it any more, however often AWS had to try: then it becomes
one file, so that a long window costs few reads.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from lifecycle.logged import COPIES_HOURS

HOUR: Final = 3600
DAY_HOURS: Final = 24
CLOSED_SECONDS: Final = 600
LOOKBACK_HOURS: Final = 31 * DAY_HOURS
"""How far back labels are looked for when those of the window do not suffice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The hours from `first` up to, not including, `until`; those before `settled` get no more objects."""

    first: int
    until: int
    settled: int

    @classmethod
    def at(cls, now: float, hours: int) -> "Window":
        """Return the newest window of `hours` closed hours at `now` (epoch seconds)."""
        until = int(now - CLOSED_SECONDS) // HOUR
        return cls(first=until - hours, until=until, settled=until - COPIES_HOURS)

    @property
    def days(self) -> range:
        """The settled days (since the epoch) that lie in the window as a whole."""
        return range(-(-self.first // DAY_HOURS), max(self.settled, self.first) // DAY_HOURS)

    def hours_without(self, days: Iterable[int]) -> list[int]:
        """Return the window's hours but those of `days`."""
        known = {hour for day in days for hour in hours_of(day)}
        return [hour for hour in range(self.first, self.until) if hour not in known]


def hours_of(day: int) -> range:
    """Return the hours of a day since the epoch."""
    return range(day * DAY_HOURS, (day + 1) * DAY_HOURS)


def hour_text(hour: int) -> str:
    """Return an hour as keys spell it.

    >>> hour_text(498677)
    '2026-11-21T05'
    """
    return f"{datetime.fromtimestamp(hour * HOUR, UTC):%Y-%m-%dT%H}"


def hour_of_text(text: str) -> int | None:
    """Return the hour that `hour_text` spelled; None for any other text.

    >>> hour_of_text("2026-11-21T05"), hour_of_text("notes")
    (498677, None)
    """
    try:
        at = datetime.strptime(text, "%Y-%m-%dT%H").replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(at.timestamp()) // HOUR


def day_text(day: int) -> str:
    """Return a day as keys spell it.

    >>> day_text(20778)
    '2026-11-21'
    """
    return f"{datetime.fromtimestamp(day * DAY_HOURS * HOUR, UTC):%Y-%m-%d}"
