"""What a model was trained on, in bins: the yardstick that monitoring holds live rows against (`reference.json`).

Counts of numbers lie between fixed edges, so that counts of live rows add up exactly, whoever counted them and in
whatever order. The largest gap between two distributions (Kolmogorov-Smirnov) is read off at the edges; it can be
larger than what is read by no more than `ColumnReference.gap_error`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

from lifecycle import canonical
from lifecycle.bins import BINS
from lifecycle.errors import ModelRejected
from lifecycle.grid import Grid

SCHEMA: Final = 1
NUMBER: Final = "number"
CATEGORY: Final = "category"
KEPT: Final = 200
"""Categories that have a count of their own; all others share one."""


@dataclass(frozen=True, kw_only=True)
class ColumnReference:
    """One column (or the score) of the rows that a model was trained on (scores: of its holdout).

    Attributes
    ----------
    kind
        NUMBER or CATEGORY. Booleans are categories "false" and "true"; a time is the category of its hour of the day
        in UTC ("00" to "23"), since its date moves on by nature.
    edges
        Of a number: upper-inclusive edges, ascending; `counts` has one more, for what lies beyond the last.
    values
        Of a category: the most frequent values, most frequent first; `counts` has one more, for all others.
    missing
        Rows without a (readable) value, out of `rows`.
    importance
        Of a feature, 0 to 1: how much the score hangs on it. All columns together sum to 1; 0 for no feature.
    swing, missing_swing
        How far single windows of these very rows were from the whole at most (`lifecycle.swing`): PSI beyond chance,
        and rise of the share of missing values, each as a share of the farthest that it can be. 0 where rows have no
        time.
    """

    kind: str
    edges: tuple[float, ...] = ()
    values: tuple[str, ...] = ()
    counts: tuple[int, ...] = (0,)
    missing: int = 0
    rows: int = 0
    importance: float = 0.0
    swing: float = 0.0
    missing_swing: float = 0.0

    @property
    def present(self) -> int:
        """How many rows held a value."""
        return self.rows - self.missing

    @cached_property
    def gap_error(self) -> float:
        """By how much the largest gap between distributions may exceed the largest one at the edges, at most.

        It is the largest share of rows in a bin of more than one cell (`lifecycle.grid`): inside a cell, numbers agree
        to some digits and count as one value. 0 for categories.
        """
        if self.kind != NUMBER or not self.present:
            return 0.0
        grid = Grid.of_edges(self.edges)
        if grid is None:
            return max(self.counts) / self.present
        ends = [grid.index_before(edge) for edge in self.edges]
        wide = [True, *(two - one > 1 for one, two in pairwise(ends)), True]
        return max(count for count, is_wide in zip(self.counts, wide, strict=False) if is_wide) / self.present

    def to_plain(self) -> dict[str, Any]:
        """Return JSON values."""
        plain: dict[str, Any] = {"kind": self.kind, "missing": self.missing, "rows": self.rows}
        plain |= {"importance": self.importance, "counts": list(self.counts)}
        plain |= {"swing": self.swing, "missing_swing": self.missing_swing}
        return plain | ({"edges": list(self.edges)} if self.kind == NUMBER else {"values": list(self.values)})

    @classmethod
    def from_plain(cls, raw: Mapping[str, Any], name: str = "score") -> "ColumnReference":
        """Read JSON values. Raises ModelRejected, with the column's name, when they do not fit together."""
        found = cls(
            kind=raw["kind"],
            edges=tuple(map(float, raw.get("edges", ()))),
            values=tuple(raw.get("values", ())),
            counts=tuple(raw["counts"]),
            missing=raw["missing"],
            rows=raw["rows"],
            importance=raw["importance"],
            swing=raw["swing"],
            missing_swing=raw["missing_swing"],
        )
        bins = len(found.edges if found.kind == NUMBER else found.values) + 1
        if len(found.counts) != bins or bins > BINS or any(one >= two for one, two in pairwise(found.edges)):
            raise ModelRejected(
                f"reference column {name!r} has {len(found.counts)} counts for {bins} bins ({BINS} at most), or edges "
                "that do not ascend. Train the model again."
            )
        return found


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Columns of the training rows, scores and quality of the holdout.

    `quality` is {"metric", "value", "low", "high", "rows"} of the objective. Private columns are not among `columns`.
    """

    rows: int
    columns: Mapping[str, ColumnReference]
    scores: ColumnReference
    quality: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def reference_id(self) -> str:
        """SHA-256 (hex) of the canonical content: counts made in the bins of one reference never meet another's."""
        return canonical.digest(self.to_plain())

    def to_plain(self) -> dict[str, Any]:
        """Return the content of `reference.json`."""
        return {
            "schema": SCHEMA,
            "rows": self.rows,
            "columns": {name: column.to_plain() for name, column in self.columns.items()},
            "scores": self.scores.to_plain(),
            "quality": dict(self.quality),
        }

    @classmethod
    def from_plain(cls, raw: Mapping[str, Any]) -> "Reference":
        """Read the content of `reference.json`.

        Raises ModelRejected when it is of another schema, or contradicts itself.
        """
        if raw.get("schema") != SCHEMA:
            raise ModelRejected(
                f"the reference has schema {raw.get('schema')!r}; this code reads {SCHEMA}. Train again."
            )
        columns = {name: ColumnReference.from_plain(column, name) for name, column in raw["columns"].items()}
        scores = ColumnReference.from_plain(raw["scores"])
        return cls(rows=raw["rows"], columns=columns, scores=scores, quality=dict(raw["quality"]))


def number_reference(edges: Sequence[float], counts: Sequence[int], missing: int) -> ColumnReference:
    """Return the reference of a number from counts by bin."""
    rows = sum(counts) + missing
    return ColumnReference(kind=NUMBER, edges=tuple(edges), counts=tuple(counts), missing=missing, rows=rows)


def category_reference(counts: Mapping[str, int], missing: int) -> ColumnReference:
    """Return the reference of a category from the counts of all its values; of equally many, the first in order."""
    kept = sorted(counts, key=lambda value: (-counts[value], value))[:KEPT]
    present = sum(counts.values())
    mine = [counts[value] for value in kept]
    others = present - sum(mine)
    return ColumnReference(
        kind=CATEGORY, values=tuple(kept), counts=(*mine, others), missing=missing, rows=present + missing
    )
