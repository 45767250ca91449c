"""Counts of a reference and of a window in a thousand bins -> at most twenty bars of shares, for people to look at."""

from collections.abc import Sequence
from typing import Any, Final

from lifecycle.charts import TOLD, shortened
from lifecycle.column_drift import groups
from lifecycle.reference import NUMBER, ColumnReference
from lifecycle.tally import ColumnTally

BARS: Final = 20
OTHERS: Final = "all others"
MISSING: Final = "(missing)"


def bars(reference: ColumnReference, tally: ColumnTally) -> dict[str, list[Any]]:
    """Return {"labels", "before", "now"}: shares of all rows, missing ones included where there are any.

    Numbers lie in groups of about a tenth of the training rows; of categories, the most frequent have their own bar.
    """
    room = BARS - 1
    labels, members = _numbers(reference, room) if reference.kind == NUMBER else _values(reference, tally, room)
    before, now = ([sum(counts[i] for i in group) for group in members] for counts in (reference.counts, tally.counts))
    if reference.missing or tally.missing:
        labels.append(MISSING)
        before.append(reference.missing)
        now.append(tally.missing)
    return {"labels": labels, "before": _shares(before, reference.rows), "now": _shares(now, tally.rows)}


def _numbers(reference: ColumnReference, room: int) -> tuple[list[str], list[list[int]]]:
    members = groups(reference.counts)
    while len(members) > room:
        sizes = [sum(reference.counts[i] for i in group) for group in members]
        place = min(range(len(members) - 1), key=lambda i: sizes[i] + sizes[i + 1])
        members[place : place + 2] = [members[place] + members[place + 1]]
    edges = reference.edges
    labels = [f"≤ {edges[group[-1]]:.4g}" if group[-1] < len(edges) else _beyond(edges) for group in members]
    return labels, members


def _beyond(edges: Sequence[float]) -> str:
    return f"> {edges[-1]:.4g}" if edges else "all values"


def _values(reference: ColumnReference, tally: ColumnTally, room: int) -> tuple[list[str], list[list[int]]]:
    """The values that are most frequent before or now, and one bar for the rest."""
    own = range(len(reference.values))
    weights = [_share(reference.counts[i], reference.rows) + _share(tally.counts[i], tally.rows) for i in own]
    shown = sorted(sorted(own, key=lambda i: (-weights[i], i))[: room - 1])
    rest = [i for i in range(len(reference.counts)) if i not in set(shown)]
    labels = [shortened(reference.values[i], TOLD) for i in shown]
    if any(reference.counts[i] or tally.counts[i] for i in rest):
        return [*labels, OTHERS], [*([i] for i in shown), rest]
    return labels, [[i] for i in shown]


def _shares(counts: Sequence[int], rows: int) -> list[float]:
    return [_share(count, rows) for count in counts]


def _share(count: int, rows: int) -> float:
    return count / rows if rows else 0.0
