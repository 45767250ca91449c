"""Rows of a table -> their counts in the bins of a reference. Nothing that rows may hold makes it fail.

A value that is not of its column's kind counts as missing, as it did in training. So does every row of a column that
the table does not have.
"""

import polars as pl

from lifecycle.reference import NUMBER, ColumnReference, Reference
from lifecycle.schema import Contract, Kind
from lifecycle.tally import ColumnTally, Tally
from tabular import counting, texts
from tabular.convert import typed


def tally_of(frame: pl.DataFrame, contract: Contract, reference: Reference, score: str | None = None) -> Tally:
    """Return the counts of a table's raw columns, as stored in a file or logged.

    Parameters
    ----------
    frame
        Rows; columns that the reference does not know are left alone.
    contract
        The kinds of the columns; it is the one that the model of the reference was trained under.
    reference
        The bins.
    score
        The column that holds the scores (probability of the positive class, decision, or value); None when there is
        none: then all rows miss a score.
    """
    columns = {}
    for name, bins in reference.columns.items():
        column = contract.by_name.get(name)
        kind = column.kind if column is not None else _kind(bins)
        columns[name] = column_tally(frame, name, kind, bins)
    scores = column_tally(frame, score or "", _kind(reference.scores), reference.scores)
    return Tally(rows=frame.height, columns=columns, scores=scores)


def column_tally(frame: pl.DataFrame, name: str, kind: Kind, bins: ColumnReference) -> ColumnTally:
    """Return the counts of one column."""
    if name not in frame.columns:
        return ColumnTally(counts=(0,) * len(bins.counts), missing=frame.height)
    return typed_tally(typed(frame[name], kind)[0], bins)


def typed_tally(values: pl.Series, bins: ColumnReference) -> ColumnTally:
    """Return the counts of a column that `tabular.convert.typed` returned."""
    missing = values.null_count()
    if bins.kind == NUMBER:
        counted = counting.BinCounts(bins.edges, len(values))
        for block in counting.blocks(values):
            counted.add(block)
        return ColumnTally(counts=counted.counts, missing=missing)
    counts = categories(values)
    mine = [counts.get(value, 0) for value in bins.values]
    others = len(values) - missing - sum(mine)
    return ColumnTally(counts=(*mine, others), missing=missing)


def categories(values: pl.Series) -> dict[str, int]:
    """Return the counts of a category, boolean or datetime column by what stands for a value in a reference."""
    if values.dtype == pl.Datetime:
        return texts.by_hour(values)
    return texts.by_value(values.cast(pl.String) if values.dtype == pl.Boolean else values)


def _kind(bins: ColumnReference) -> Kind:
    return Kind.NUMBER if bins.kind == NUMBER else Kind.CATEGORY
