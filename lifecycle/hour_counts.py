"""What monitoring keeps of an hour of the prediction log: counts that add up to those of a day and of a window.

An hour is one of *arrival*, so that skewed clocks of callers or servers move no row from one file to another. Its file
is named after what it was made with and from: the yardstick (model version, reference, objective) and the objects that
were read. So it is never made twice, and never taken for another.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import chain
from typing import Any, Final

from lifecycle import canonical
from lifecycle.reference import Reference
from lifecycle.tally import Tally

SCHEMA: Final = 1
DIGITS: Final = 16
Source = tuple[str, str]
"""Key and entity tag of an object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The objective's losses that the model itself expects of `rows`: their sum, and the sum of their squares."""

    rows: int = 0
    total: float = 0.0
    squares: float = 0.0

    def merge(self, other: "Expected") -> "Expected":
        """Return the sums of both parts."""
        return Expected(
            rows=self.rows + other.rows, total=self.total + other.total, squares=self.squares + other.squares
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HourCounts:
    """Counts of one or more hours.

    Attributes
    ----------
    tally
        Rows of the model version that is judged, in the bins of its reference.
    expected
        Losses that the model expects of them; none for regression.
    copies
        Records that had come before, in the same hour or the one before it, and count once.
    others
        Records of other versions of the model.
    cut
        Rows of this version that were too long for the log: they have an answer, but no values, and are not tallied.
    unreadable
        Lines and objects that are no record.
    events
        Rows by the hour of their prediction (hours since the epoch): where their labels are.
    """

    tally: Tally
    expected: Expected = Expected()
    copies: int = 0
    others: int = 0
    cut: int = 0
    unreadable: int = 0
    events: Mapping[int, int] = field(default_factory=dict)

    @property
    def answered(self) -> int:
        """Rows of this version that have an answer, tallied or cut."""
        return self.tally.rows + self.cut

    def merge(self, other: "HourCounts") -> "HourCounts":
        """Return the counts of both parts."""
        events: dict[int, int] = {}
        for hour, rows in chain(self.events.items(), other.events.items()):
            events[hour] = events.get(hour, 0) + rows
        return HourCounts(
            tally=self.tally.merge(other.tally),
            expected=self.expected.merge(other.expected),
            copies=self.copies + other.copies,
            others=self.others + other.others,
            cut=self.cut + other.cut,
            unreadable=self.unreadable + other.unreadable,
            events=events,
        )

    def to_plain(self) -> dict[str, Any]:
        """Return the file's content."""
        expected = {"rows": self.expected.rows, "total": self.expected.total, "squares": self.expected.squares}
        plain: dict[str, Any] = {"schema": SCHEMA, "tally": self.tally.to_plain(), "expected": expected}
        plain |= {"copies": self.copies, "others": self.others, "cut": self.cut, "unreadable": self.unreadable}
        return plain | {"events": {str(hour): rows for hour, rows in sorted(self.events.items())}}

    @classmethod
    def from_plain(cls, raw: Mapping[str, Any]) -> "HourCounts":
        """Read a file's content."""
        return cls(
            tally=Tally.from_plain(raw["tally"]),
            expected=Expected(**raw["expected"]),
            **{name: raw[name] for name in ("copies", "others", "cut", "unreadable")},
            events={int(hour): rows for hour, rows in raw["events"].items()},
        )


def total(reference: Reference, parts: Iterable[HourCounts]) -> HourCounts:
    """Return the sum of counts made with one yardstick; no rows when there are none."""
    return reduce(HourCounts.merge, parts, HourCounts(tally=Tally.empty(reference)))


def yardstick(reference: Reference, package_arn: str, measured: Sequence[Any]) -> str:
    """Return 16 hex digits of everything but rows that counts depend on."""
    made = [SCHEMA, reference.reference_id, package_arn, *measured]
    return canonical.digest(made)[:DIGITS]


def sources_id(objects: Iterable[Source]) -> str:
    """Return 16 hex digits of the objects that were read, in any order.

    >>> sources_id([("a", "1"), ("b", "2")]) == sources_id([("b", "2"), ("a", "1")])
    True
    """
    return canonical.digest(sorted([key, tag] for key, tag in objects))[:DIGITS]
