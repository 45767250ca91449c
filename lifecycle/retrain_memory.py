"""What retraining remembers of a model between two decisions (`monitoring/<model>/retraining.json`)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import floor
from typing import Any, Final

from lifecycle.retrain_decision import Past, month_of

SCHEMA: Final = 1
PENDING_SECONDS: Final = 86_400.0
"""A harvest becomes a data version within minutes; what did not within a day never will."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """A run that is to be started: execution `name`, the `detail` of its input, and the ARN of a person who asked."""

    name: str
    detail: Mapping[str, Any]
    by: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pending:
    """Harvested rows on their way to a data version, whose run then says `reason` and `trigger`.

    `at` is when that was decided (epoch seconds), `version` the dataset's newest one then, `by` the ARN of a person who
    asked; `uploaded` says that the rows are in the bucket.
    """

    at: float
    reason: str
    trigger: str
    version: str | None = None
    by: str = ""
    uploaded: bool = False

    def is_due(self, now: float) -> bool:
        """Tell whether the version may still come."""
        return now < self.at + PENDING_SECONDS

    def led_to(self, run: Past) -> bool:
        """Tell whether a run was started for it; times in records may leave out fractions of a second."""
        return run.started >= floor(self.at) and run.trigger == self.trigger


@dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """`starts` are times (epoch seconds) of runs that the loop started; `order` one that may not have been started.

    `owed`: the schedule, which asks once, had to wait; looks ask in its name until its run starts or is refused.
    """

    starts: tuple[float, ...] = ()
    order: Order | None = None
    pending: Pending | None = None
    owed: bool = False

    def starting(self, at: float, *, order: Order | None = None, pending: Pending | None = None) -> "Memory":
        """Return what to remember before a run is started or harvested rows become a version; last month is dropped."""
        begin, _ = month_of(at)
        kept = tuple(start for start in self.starts if start >= begin - 31 * 86_400)
        return Memory(starts=(*kept, at), order=order, pending=pending)

    def started(self) -> "Memory":
        """Return what to remember once the order is carried out."""
        return replace(self, order=None)

    def to_plain(self) -> dict[str, Any]:
        """Return the file's content."""
        order, pending = self.order, self.pending
        return {
            "schema": SCHEMA,
            "starts": list(self.starts),
            "order": None if order is None else {"name": order.name, "detail": dict(order.detail), "by": order.by},
            "pending": None
            if pending is None
            else {name: getattr(pending, name) for name in ("at", "reason", "trigger", "version", "by", "uploaded")},
            "owed": self.owed,
        }

    @classmethod
    def from_plain(cls, raw: Mapping[str, Any] | None) -> "Memory":
        """Read the file's content; no file is no memory."""
        if raw is None:
            return cls()
        return cls(
            starts=tuple(raw["starts"]),
            order=None if raw["order"] is None else Order(**raw["order"]),
            pending=None if raw["pending"] is None else Pending(**raw["pending"]),
            owed=raw.get("owed", False),
        )
