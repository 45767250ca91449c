"""One look at a column's values -> all that profile and tally need of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from lifecycle.profile import Moments
from lifecycle.reference import NUMBER, ColumnReference
from lifecycle.schema import Column, Kind
from lifecycle.tally import ColumnTally
from tabular import texts
from tabular.counting import BLOCK, BinCounts, blocks, moments

NUMBERS: Final = frozenset({Kind.NUMBER, Kind.INTEGER})
MEASURED: Final = NUMBERS | {Kind.DATETIME}
WORDS: Final = frozenset({Kind.CATEGORY, Kind.BOOLEAN})


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of a column.

    `numbers` are the moments of numbers and times; `counts` the rows by value of categories and booleans; `tally` the
    counts in the bins that were asked for.
    """

    numbers: Moments | None = None
    counts: Mapping[str, int] | None = None
    tally: ColumnTally | None = None


def look(values: pl.Series, kind: Kind, bins: ColumnReference | None = None) -> Look:
    """Look at a column that `tabular.convert.typed` returned for `kind`; `bins` fit that kind (`kind_of`)."""
    if kind in WORDS:
        counts = texts.by_value(values.cast(pl.String) if kind is Kind.BOOLEAN else values)
        return Look(counts=counts, tally=_of_words(values, counts, bins))
    if kind not in MEASURED:
        return Look()
    counted = BinCounts(bins.edges, len(values)) if bins is not None and bins.kind == NUMBER else None
    numbers, space = Moments(), np.empty(min(BLOCK, len(values)))
    for block in blocks(values):
        numbers = numbers.merge(moments(block, space))
        if counted is not None:
            counted.add(block)
    if counted is not None:
        return Look(numbers=numbers, tally=ColumnTally(counts=counted.counts, missing=values.null_count()))
    return Look(numbers=numbers, tally=_of_words(values, texts.by_hour(values), bins) if bins is not None else None)


def kind_of(column: Column | None, bins: ColumnReference | None) -> Kind:
    """Return how a column is read: as the contract says, unless its bins need something else."""
    if bins is None:
        return column.kind if column is not None else Kind.TEXT
    fitting = NUMBERS if bins.kind == NUMBER else WORDS | {Kind.DATETIME}
    if column is not None and column.kind in fitting:
        return column.kind
    return Kind.NUMBER if bins.kind == NUMBER else Kind.CATEGORY


def _of_words(values: pl.Series, counts: Mapping[str, int], bins: ColumnReference | None) -> ColumnTally | None:
    if bins is None:
        return None
    mine = [counts.get(value, 0) for value in bins.values]
    missing = values.null_count()
    return ColumnTally(counts=(*mine, len(values) - missing - sum(mine)), missing=missing)
