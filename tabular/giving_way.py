"""Rows that came by feedback give way to uploaded rows, and to earlier rows of feedback, that have the same id.

The same event may come twice: its prediction was labelled, and later its row was uploaded; or several predictions were
made for it. Uploaded rows are never touched: among them a repeated id refuses the data version.
"""

from collections.abc import Iterable, Sequence

import polars as pl

from lifecycle.harvest import is_harvested
from lifecycle.profile import EXAMPLES, Examples
from lifecycle.spec import Contract
from tabular.profile import unique_columns

_PLACE = "\x00place"


def joined(parts: Sequence[tuple[str, pl.DataFrame]], contract: Contract) -> pl.DataFrame:
    """Return the rows of objects given as (name, typed table), in their order, without those that give way.

    An uploaded row without a label makes no row give way: it is no training row itself.
    """
    frame = pl.concat([part for _, part in parts])
    if not any(is_harvested(name) for name, _ in parts):
        return frame
    came = pl.concat([pl.repeat(is_harvested(name), part.height, eager=True) for name, part in parts])
    labelled = frame[contract.target].is_not_null()
    rows = frame.with_row_index(_PLACE).with_columns(came.alias("\x00came"))
    for column in unique_columns(contract):
        counts = pl.concat([rows.filter(~came & labelled), rows.filter(came)])
        again = counts.filter(counts[column].is_not_null() & ~counts[column].is_first_distinct() & counts["\x00came"])
        gone = rows[_PLACE].is_in(again[_PLACE].implode())
        rows, came, labelled = rows.filter(~gone), came.filter(~gone), labelled.filter(~gone)
    return rows.drop(_PLACE, "\x00came")


def repeated(parts: Iterable[tuple[str, pl.DataFrame]], column: str) -> Examples:
    """Return the rows of feedback whose value of a unique column (its hash) an uploaded or earlier row has, too."""
    ordered = sorted(parts, key=lambda part: (is_harvested(part[0]), part[0]))
    tables = [
        part.select(pl.col(column).alias("hash"))
        .with_row_index("row", 1)
        .with_columns(pl.lit(name).alias("object"), pl.lit(is_harvested(name)).alias("came"))
        for name, part in ordered
        if column in part.columns
    ]
    if not tables:
        return Examples()
    rows = pl.concat(tables).drop_nulls("hash")
    again = rows.filter(~rows["hash"].is_first_distinct() & rows["came"])
    first = again.head(EXAMPLES).select("object", "row").rows()
    return Examples(count=again.height, first=tuple((name, row) for name, row in first))
