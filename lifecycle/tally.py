"""Rows counted in the bins of a reference: the whole of what monitoring keeps of them.

Adding is exact, associative and commutative, so a window is the sum of its hours and no row is read twice.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from itertools import accumulate, pairwise
from operator import add
from typing import Any, Final

from lifecycle.reference import ColumnReference, Reference

SCHEMA: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnTally:
    """Rows by bin, and rows without a readable value."""

    counts: tuple[int, ...]
    missing: int = 0

    @property
    def rows(self) -> int:
        """How many rows were counted."""
        return sum(self.counts) + self.missing

    def merge(self, other: "ColumnTally") -> "ColumnTally":
        """Return the counts of both parts. Raises ValueError when they have different bins."""
        if len(self.counts) != len(other.counts):
            raise ValueError("tallies of different references cannot be added: their bins differ")
        counts = tuple(map(add, self.counts, other.counts))
        return ColumnTally(counts=counts, missing=self.missing + other.missing)

    @classmethod
    def empty(cls, reference: ColumnReference) -> "ColumnTally":
        """Return no rows in the bins of a reference."""
        return cls(counts=(0,) * len(reference.counts))

    def to_plain(self) -> dict[str, Any]:
        """Return JSON values: the bins that hold rows as the first place and then the steps between them."""
        places = [place for place, count in enumerate(self.counts) if count]
        steps = [two - one for one, two in pairwise([0, *places])]
        counts = [self.counts[place] for place in places]
        return {"bins": len(self.counts), "missing": self.missing, "steps": steps, "counts": counts}

    @classmethod
    def from_plain(cls, raw: Mapping[str, Any]) -> "ColumnTally":
        """Read JSON values."""
        counts = [0] * raw["bins"]
        for place, count in zip(accumulate(raw["steps"]), raw["counts"], strict=True):
            counts[place] = count
        return cls(counts=tuple(counts), missing=raw["missing"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Rows counted in the bins of one reference: its columns, and the scores that the rows got."""

    rows: int
    columns: Mapping[str, ColumnTally] = field(default_factory=dict)
    scores: ColumnTally

    def merge(self, other: "Tally") -> "Tally":
        """Return the counts of both parts. Raises ValueError when they were made in bins of different references."""
        if self.columns.keys() != other.columns.keys():
            raise ValueError("tallies of different references cannot be added: their columns differ")
        return Tally(
            rows=self.rows + other.rows,
            columns={name: column.merge(other.columns[name]) for name, column in self.columns.items()},
            scores=self.scores.merge(other.scores),
        )

    @classmethod
    def empty(cls, reference: Reference) -> "Tally":
        """Return no rows in the bins of a reference: what merging begins with."""
        columns = {name: ColumnTally.empty(column) for name, column in reference.columns.items()}
        return cls(rows=0, columns=columns, scores=ColumnTally.empty(reference.scores))

    def to_plain(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "schema": SCHEMA,
            "rows": self.rows,
            "columns": {name: column.to_plain() for name, column in self.columns.items()},
            "scores": self.scores.to_plain(),
        }

    @classmethod
    def from_plain(cls, raw: Mapping[str, Any]) -> "Tally":
        """Read JSON values."""
        columns = {name: ColumnTally.from_plain(column) for name, column in raw["columns"].items()}
        return cls(rows=raw["rows"], columns=columns, scores=ColumnTally.from_plain(raw["scores"]))


def total(reference: Reference, tallies: Iterable[Tally]) -> Tally:
    """Return the sum of tallies made in the bins of `reference`; no rows when there are none."""
    return reduce(Tally.merge, tallies, Tally.empty(reference))
