"""What was harvested so far, day by day -> which days to join again, and how many rows a model has not learned from.

Joining reads the log, so a day is joined again only when it may come out differently: its labels changed, the contract
did, or log lines could have come late.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from typing import Any, Final

from lifecycle.feedback_label import Value
from lifecycle.harvest import DAY

SCHEMA: Final = 1
SETTLED_SECONDS: Final = 3 * 3600.0  # after a day: its last log lines have arrived as late as they are looked for
REMEMBERED: Final = 100  # contents of a day's file whose number of rows is known


@dataclass(frozen=True, kw_only=True, slots=True)
class Joined:
    """A day as it was joined last: with which contract and labels, when (epoch seconds), and what came out.

    `sha256` is of the file, None without rows. `unknown` labels have no logged prediction; `left_out` counts rows by
    reason. `uploaded` is the SHA-256 of what was uploaded last; `rows_of` gives the rows of each content by SHA-256.
    """

    contract: str
    labels: str
    joined_at: float
    rows: int
    sha256: str | None
    unknown: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    uploaded: str | None = None
    rows_of: Mapping[str, int] = field(default_factory=dict)

    def is_current(self, day: int, contract: str, labels: str) -> bool:
        """Tell whether joining the day again would give the same."""
        settled = self.unknown == 0 or self.joined_at >= (day + 1) * DAY + SETTLED_SECONDS
        return settled and (self.contract, self.labels) == (contract, labels)

    @property
    def is_pending(self) -> bool:
        """Whether what came out is not what was uploaded."""
        return self.uploaded != self.sha256

    def after(self, before: "Joined | None") -> "Joined":
        """Return this join with what is known of the ones before it."""
        known = dict(before.rows_of) if before else {}
        if self.sha256 is not None:
            known.pop(self.sha256, None)
            known[self.sha256] = self.rows
        kept = dict(list(known.items())[-REMEMBERED:])
        return replace(self, uploaded=before.uploaded if before else None, rows_of=kept)


@dataclass(kw_only=True, slots=True)
class Index:
    """All days that were joined. `begin` is the day with which the next harvest begins: the last one got that far."""

    days: dict[int, Joined] = field(default_factory=dict)
    begin: int | None = None

    def fresh(self, learned: Mapping[int, str]) -> int:
        """Return how many labelled rows a model has not learned from.

        `learned` gives, by day, the SHA-256 of the harvested file in the data that it was trained on. A corrected label
        is no new row.
        """
        known = {day: joined.rows_of.get(learned.get(day, ""), 0) for day, joined in self.days.items()}
        return sum(max(0, joined.rows - known[day]) for day, joined in self.days.items())

    def in_turn[T](self, days: Iterable[tuple[int, T]]) -> list[tuple[int, T]]:
        """Return the days to look at, those first that the last harvest did not reach: none waits for ever."""
        listed = list(days)
        return sorted(listed, key=lambda one: (self.begin is not None and one[0] < self.begin, one[0]))

    def stopped_at(self, day: int | None) -> "Index":
        """Return the index as it is to be kept; `day` was not reached, None: all were."""
        self.begin = day
        return self

    def to_plain(self) -> dict[str, Any]:
        """Return JSON values."""
        days = {str(day): asdict(joined) for day, joined in sorted(self.days.items())}
        return {"schema": SCHEMA, "days": days, "begin": self.begin}

    @classmethod
    def from_plain(cls, raw: Mapping[str, Any] | None) -> "Index":
        """Read an index; of another schema version, or none, nothing is known."""
        if raw is None or raw.get("schema") != SCHEMA:
            return cls()
        days = {int(day): Joined(**joined) for day, joined in raw["days"].items()}
        return cls(days=days, begin=raw["begin"])


class Fingerprint:
    """The content of a day's labels (by hour, then by id, in their order), without keeping them.

    `hours` counts them by hour; those without any are left out.
    """

    def __init__(self, labels: Iterable[tuple[int, Mapping[str, Value]]]) -> None:
        digest = sha256()
        self.hours: dict[int, int] = {}
        for hour, found in labels:
            for identity, label in found.items():
                digest.update(f"{identity}={label!r}\n".encode("utf-8", "surrogatepass"))
            if found:
                self.hours[hour] = len(found)
        self.text = digest.hexdigest()
