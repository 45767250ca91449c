"""Rows of a table -> their counts in the bins of a reference. Nothing that rows may hold makes it fail.

A value that is not of its column's kind counts as missing, as it did in training. So does every row of a column that
the table does not have.
"""

import polars as pl

from lifecycle.reference import ColumnReference, Reference
from lifecycle.schema import Contract, Kind
from lifecycle.tally import ColumnTally, Tally
from tabular.convert import typed
from tabular.look import kind_of, look


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
        columns[name] = column_tally(frame, name, kind_of(contract.by_name.get(name), bins), bins)
    scores = column_tally(frame, score or "", kind_of(None, reference.scores), reference.scores)
    return Tally(rows=frame.height, columns=columns, scores=scores)


def column_tally(frame: pl.DataFrame, name: str, kind: Kind, bins: ColumnReference) -> ColumnTally:
    """Return the counts of one column; `kind` fits the bins (`tabular.look.kind_of`)."""
    missing = ColumnTally(counts=(0,) * len(bins.counts), missing=frame.height)
    if name not in frame.columns:
        return missing
    return look(typed(frame[name], kind)[0], kind, bins).tally or missing
