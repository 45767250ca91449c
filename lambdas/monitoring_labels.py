"""Labels that came back + counted hours of the log -> losses of the labelled rows, of the window or from before it.

Labels lie by the hour of their prediction, rows by the hour of their arrival; the counts of an hour say which hours of
predictions it holds, so skewed clocks and late lines lose no label.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from cloud.labels import Labels
from lambdas.monitoring_hours import Found, Hours
from lifecycle.window_hours import LOOKBACK_HOURS, Window
from tabular import labelled_rows
from tabular.logged_rows import ID

ENOUGH: Final = 200_000
"""Labelled rows beyond which older hours are left unread: the interval is narrow then."""
REMEMBERED: Final = 4


@dataclass(frozen=True, slots=True)
class Labelled:
    """Losses of labelled rows.

    `rows` are those of the hours from `since` to the window's end, of which `seen` rows were answered; `in_window` of
    them are of the window itself.
    """

    rows: pl.DataFrame
    seen: int
    in_window: int
    since: int


@dataclass(slots=True)
class LabelSearch:
    """Finds labelled rows, newest hours first."""

    hours: Hours
    found: Found
    labels: Labels
    _known: dict[int, pl.DataFrame] = field(init=False, default_factory=dict)

    def search(self, window: Window, enough: int) -> Labelled:
        """Return the labelled rows of the window; with fewer than `enough`, of as many windows before it as it takes.

        So quality is known of predictions whose labels come late, too: of the newest ones that have labels.
        """
        width, oldest = window.until - window.first, window.until - LOOKBACK_HOURS
        found = mine = self._of_hours(window.first, window.until)
        first, asked = window.first, mine
        while asked.rows.height < enough and first > oldest:
            until, first = first, max(oldest, first - width)
            more = self._of_hours(first, until)
            rows = _once([asked.rows, more.rows])
            asked = Labelled(rows, asked.seen + more.seen, mine.rows.height, more.since)
            if more.rows.height:
                found = asked
        return found

    def _of_hours(self, first: int, until: int) -> Labelled:
        frames = [labelled_rows.no_losses(self.hours.judged)]
        seen = labelled = 0
        since = until
        while since > first and labelled < ENOUGH:
            since -= 1
            answered, rows = self._of_hour(since)
            seen += answered
            labelled += rows.height
            frames.append(rows)
        rows = _once(frames)
        return Labelled(rows, seen, rows.height, since)

    def _of_hour(self, hour: int) -> tuple[int, pl.DataFrame]:
        judged, stem = self.hours.judged, self.hours.stem(hour, self.found)
        if stem is None:
            return 0, labelled_rows.no_losses(judged)
        answered, events = self.hours.facts(stem)
        labels = pl.concat([labelled_rows.no_labels(), *(self._labels(event) for event in sorted(events))])
        if not labels.height:
            return answered, labelled_rows.no_losses(judged)
        return answered, labelled_rows.losses(judged, self.hours.answers(stem), labels)

    def _labels(self, hour: int) -> pl.DataFrame:
        """The labels of predictions made in an hour; the hours asked last are remembered."""
        found = self._known.pop(hour, None)
        if found is None:
            found = labelled_rows.label_frame(self.hours.judged, self.labels.of_hour(hour))
        self._known[hour] = found
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
        return found


def _once(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Rows of several hours; a copy that came more than an hour after its row is in both, and counts once."""
    return pl.concat(frames).unique(ID, keep="first", maintain_order=True)
