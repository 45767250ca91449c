"""Bad or good, window after window -> alerts that begin and end only when they mean it.

An alert begins after `confirm` bad windows in a row and ends after `clear` good ones. A window is known by the time at
which it ends: judged again, because a run was repeated or late rows arrived, it takes the place of its first judgement
and counts once; a window older than the newest one judged changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Streak:
    """Whether an alert is `on`, and how many windows in a row have contradicted that."""

    on: bool = False
    against: int = 0

    def after(self, bad: bool, confirm: int, clear: int) -> "Streak":
        """Return what one more window makes of it.

        >>> Streak().after(True, confirm=2, clear=1)
        Streak(on=False, against=1)
        >>> Streak(against=1).after(True, confirm=2, clear=1)
        Streak(on=True, against=0)
        """
        if bad == self.on:
            return Streak(self.on)
        if self.against + 1 >= (confirm if bad else clear):
            return Streak(bad)
        return Streak(self.on, self.against + 1)


QUIET = Streak()


@dataclass(frozen=True, slots=True, kw_only=True)
class Streaks:
    """Streaks by name after the window that ended at `until` (ISO 8601, UTC), and `before` it; quiet ones left out."""

    until: str = ""
    now: Mapping[str, Streak] = field(default_factory=dict)
    before: Mapping[str, Streak] = field(default_factory=dict)

    @property
    def on(self) -> frozenset[str]:
        """Names whose alert is on."""
        return frozenset(name for name, streak in self.now.items() if streak.on)

    def after(self, bad: Mapping[str, bool], until: str, *, confirm: int, clear: int) -> "Streaks":
        """Return the streaks after a window. Names that were not judged in it stay as they are."""
        if until < self.until:
            return self
        before = self.before if until == self.until else self.now
        now = {**before}
        for name, is_bad in bad.items():
            now[name] = before.get(name, QUIET).after(is_bad, confirm, clear)
        return Streaks(until=until, now={name: now[name] for name in sorted(now) if now[name] != QUIET}, before=before)

    def to_plain(self) -> dict[str, Any]:
        """Return JSON values."""
        now, before = ({name: [one.on, one.against] for name, one in part.items()} for part in (self.now, self.before))
        return {"until": self.until, "now": now, "before": before}

    @classmethod
    def from_plain(cls, raw: Mapping[str, Any]) -> "Streaks":
        """Read JSON values."""
        now, before = ({name: Streak(*one) for name, one in raw[part].items()} for part in ("now", "before"))
        return cls(until=raw["until"], now=now, before=before)
