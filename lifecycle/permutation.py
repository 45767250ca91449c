"""Sampled rows + the model's answers -> how much the score hangs on a feature, in this window's rows.

The feature's values are dealt out anew among the rows, everything else staying, and the scores are compared: a feature
that drifted but does not move any score is less urgent than one that does.
"""

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from random import Random
from typing import Any

Row = Mapping[str, Any]
Score = Callable[[Row], Sequence[float] | None]
"""Outputs of a row: one number, or the probabilities by class; None for a row that cannot be scored."""


def score_changes(rows: Sequence[Row], score: Score, features: Sequence[str], seed: int) -> dict[str, float]:
    """Return the mean change of the score by feature; nothing when no row can be scored.

    The change of a row is the absolute difference of its output, or half the sum of the differences of its
    probabilities; one that no number can hold does not count. The same `seed` deals the same way.
    """
    scored = [(row, outputs) for row in rows if (outputs := score(row)) is not None]
    found = {}
    for name in features:
        values = [row.get(name) for row, _ in scored]
        Random(f"{seed}/{name}").shuffle(values)  # noqa: S311 - nothing here is secret
        changes = []
        for (row, before), value in zip(scored, values, strict=True):
            after = before if value == row.get(name) else score({**row, name: value})
            change = None if after is None else _difference(before, after)
            if change is not None and isfinite(change):
                changes.append(change)
        if changes:
            found[name] = sum(change / len(changes) for change in changes)
    return found


def _difference(before: Sequence[float], after: Sequence[float]) -> float:
    total = sum(abs(one - two) for one, two in zip(before, after, strict=True))
    return total if len(before) == 1 else total / 2
