"""Counts of the training rows, window by window -> how far windows of a column are from the whole anyway.

Rows of one window are no independent draws: they share a day's weather, a weekday, a campaign. Tests of independence
call every such window a shift. What a column did in the time that the model was trained on is no drift; and one that
only ever rises or falls with time, such as a month or a running number, moves on by nature.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from math import sqrt
from statistics import fmean, variance
from typing import Final

from lifecycle import column_drift
from lifecycle.reference import NUMBER, ColumnReference
from lifecycle.tally import ColumnTally

COMPARED: Final = 40
"""Windows that are compared at most, evenly spread: a few tenths of a second for a wide table."""
ORDERED: Final = 5
"""Fewer windows than this are in order by chance too often to say that a column moves on."""
OUTSIDE: Final = 0.1
"""Share of a window's rows on either side that may lie anywhere when windows are put in order."""


def with_swing(reference: ColumnReference, windows: Sequence[ColumnTally]) -> ColumnReference:
    """Return the reference with the swing of its windows.

    Parameters
    ----------
    reference
        A column of the training rows (or the scores of the holdout).
    windows
        In order of time; together, they are (most of) the reference's rows.
    """
    chosen = windows[:: -(-len(windows) // COMPARED) or 1]
    seen = column_drift.swings(reference, chosen)
    onward = reference.kind == NUMBER and moves_on(chosen)
    return replace(
        reference,
        swing=1.0 if onward else max((far for far, _ in seen), default=0.0),
        missing_swing=max((rise for _, rise in seen), default=0.0),
    )


def deviation(values: Sequence[float], errors: Sequence[float]) -> float:
    """Return by how much the value of one more window deviates from the mean of all, beyond chance.

    Parameters
    ----------
    values
        A figure, such as the mean loss, in several windows.
    errors
        The standard error that each value has by chance, its window's rows being independent.

    >>> round(deviation([1.0, 3.0, 2.0, 2.0], [0.0, 0.0, 0.0, 0.0]), 6)
    0.912871
    >>> deviation([1.0, 3.0], [2.0, 2.0])
    0.0
    """
    if len(values) < 2:
        return 0.0
    by_chance = fmean(error * error for error in errors)
    return sqrt(max(0.0, variance(values) - by_chance) * (1 + 1 / len(values)))


def moves_on(windows: Sequence[ColumnTally]) -> bool:
    """Return whether each window of a number begins where the one before ended: upwards all the way, or downwards."""
    spans = [_span(window.counts) for window in windows if any(window.counts)]
    if len(spans) < ORDERED or spans[0] == spans[-1]:
        return False
    return all(one[1] <= two[0] for one, two in pairwise(spans)) or all(
        one[0] >= two[1] for one, two in pairwise(spans)
    )


def _span(counts: Sequence[int]) -> tuple[int, int]:
    """The bins between which most rows lie."""
    sums = list(accumulate(counts))
    return bisect_left(sums, sums[-1] * OUTSIDE), bisect_left(sums, sums[-1] * (1 - OUTSIDE))
