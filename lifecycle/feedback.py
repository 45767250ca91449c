"""Labels that arrived + what is stored and logged -> one status per item, and what to write.

The order of items in one document decides nothing, and taking a document again changes nothing.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from lifecycle.feedback_items import Item, Wrong
from lifecycle.feedback_label import Change, Label, Value, hour_of
from lifecycle.feedback_verdict import Status, Verdict
from lifecycle.prediction_id import time_of

LATENESS_SECONDS: Final = 900.0  # a line is in the log by then: a minute of buffer, and room for a slow delivery
AHEAD_SECONDS: Final = 60.0  # how far clocks of two machines may differ
HISTORY: Final = 20  # corrections that are kept; an item of the table must stay small
SHOWN_CLASSES: Final = 12
DAY: Final = 86_400.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """What the log says: classes of each prediction found (empty unless it names them), hours that were not read."""

    found: Mapping[str, Collection[str]]
    unread: frozenset[int] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Taking:
    """How labels are taken: `now` in epoch seconds, `source` of the document, `days` a label may be late.

    `classes` are those of contract and live model; empty when nobody knows them, or for numbers.
    """

    now: float
    source: str
    days: float
    classes: frozenset[str] = frozenset()

    def hours(self, items: Iterable[Item], stored: Mapping[str, Label]) -> dict[int, set[str]]:
        """Return the ids to look for in the log by hour (since the epoch) of their prediction."""
        found: dict[int, set[str]] = defaultdict(set)
        for item in items:
            known = stored.get(item.prediction_id)
            at = time_of(item.prediction_id)
            if at is not None and not (known and known.found) and self._is_looked_for(at):
                found[hour_of(at)].add(item.prediction_id)
        return dict(found)

    def _is_looked_for(self, at: float) -> bool:
        return LATENESS_SECONDS < self.now - at <= self.days * DAY

    def decide(
        self, items: Sequence[Item], stored: Mapping[str, Label], looked: Looked
    ) -> tuple[list[Verdict], list[Change]]:
        """Return one verdict per item, in no order, and what to store for them."""
        groups: dict[str, list[Item]] = defaultdict(list)
        for item in items:
            groups[item.prediction_id].append(item)
        verdicts: list[Verdict] = []
        changes = []
        for identity, group in groups.items():
            found, change = self._group(identity, group, stored.get(identity), looked)
            verdicts += found
            changes += [change] if change else []
        return verdicts, changes

    def _group(
        self, identity: str, items: list[Item], stored: Label | None, looked: Looked
    ) -> tuple[list[Verdict], Change | None]:
        fresh, why = self._fresh(identity, stored, looked)
        if fresh is Status.UNKNOWN:
            return [_verdict(item, fresh, why) for item in items], None
        allowed = self.classes.union(looked.found.get(identity, ())) if self.classes else frozenset()
        fitting = [item for item in items if not allowed or item.label in allowed]
        message = f"must be one of {_listed(allowed)}"
        verdicts = [_verdict(i, Status.INVALID, f"{message}, got {i.label!r}") for i in items if i not in fitting]
        if not fitting:
            return verdicts, None
        kept = _kept(fitting, stored)
        first = min((i for i in fitting if i.label == kept), key=_rank, default=None)
        new = stored is None or stored.label != kept or stored.source == self.source
        for item in fitting:
            if item.label != kept:
                verdicts.append(_contradiction(item, kept))
            elif new and item is first:
                verdicts.append(_verdict(item, fresh, why))
            else:
                verdicts.append(_verdict(item, Status.DUPLICATE))
        if first is None or (stored is not None and stored.label == kept):
            return verdicts, None
        return verdicts, Change(before=stored, after=self._label(first, stored, fresh))

    def _fresh(self, identity: str, stored: Label | None, looked: Looked) -> tuple[Status, str]:
        """What becomes of a new label for this prediction."""
        at = time_of(identity)
        if at is None or at > self.now + AHEAD_SECONDS:
            why = "is no prediction id" if at is None else f"names the time {_moment(at)}, which is in the future"
            return Status.UNKNOWN, f"{why}: ids are given with the predictions"
        if identity in looked.found or (stored and stored.found):
            return Status.RECORDED, ""
        if self.now - at > self.days * DAY:
            return Status.LATE, f"the prediction is older than {self.days:g} days (serving.feedback_days)"
        if self.now - at <= LATENESS_SECONDS:
            return Status.PENDING, "the prediction is too young to be in the log; the label is joined with it later"
        if hour_of(at) in looked.unread:
            return Status.PENDING, "too much of the log would have to be read; the label is joined with it later"
        return Status.UNKNOWN, "no prediction of this model with this id is in the log"

    def _label(self, item: Item, stored: Label | None, fresh: Status) -> Label:
        history: tuple[Mapping[str, Any], ...] = ()
        if stored is not None:
            replaced = {"label": stored.label, "recorded_at": stored.recorded_at, "source": stored.source}
            history = (*stored.history, replaced)[-HISTORY:]
        return Label(
            prediction_id=item.prediction_id,
            label=item.label,
            recorded_at=self.now,
            source=self.source,
            time=item.time,
            found=fresh is Status.RECORDED,
            history=history,
        )


def invalid(wrong: Wrong) -> Verdict:
    """Return the verdict on what is no item."""
    identity = wrong.prediction_id
    return Verdict(place=wrong.place, prediction_id=identity, status=Status.INVALID, message=wrong.message)


def _kept(items: Sequence[Item], stored: Label | None) -> Value | None:
    """The label that counts from now on; None when the document names several and none is stored."""
    corrections = {item.label for item in items if item.correct}
    if stored is not None and len(corrections) != 1:
        return stored.label
    wanted = corrections or {item.label for item in items}
    return next(iter(wanted)) if len(wanted) == 1 else None


def _rank(item: Item) -> tuple[bool, bool, float, int]:
    return not item.correct, item.time is None, item.time or 0.0, item.place


def _contradiction(item: Item, kept: Value | None) -> Verdict:
    if kept is None:
        return _verdict(item, Status.CONTRADICTS, "the document names several labels for this prediction; none counts")
    why = 'another label is stored, and stays. To replace it, send this one with "correct": true'
    return replace(_verdict(item, Status.CONTRADICTS, why), stored=kept)


def _verdict(item: Item, status: Status, message: str = "") -> Verdict:
    return Verdict(place=item.place, prediction_id=item.prediction_id, status=status, message=message)


def _listed(classes: Collection[str]) -> str:
    return ", ".join(sorted(classes)) if len(classes) <= SHOWN_CLASSES else f"{len(classes)} known classes"


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"
