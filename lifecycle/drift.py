"""Two profiles -> how far each column moved (PSI, `lifecycle.distance`): what a data version's report notes."""

from itertools import pairwise
from typing import Final

from lifecycle.distance import psi
from lifecycle.profile import ColumnProfile, Profile
from lifecycle.sketch import Quantiles

BINS: Final = 10
SHIFTED: Final = 0.25
NULLS_MOVED: Final = 0.1


def of_column(before: ColumnProfile, after: ColumnProfile) -> float | None:
    """Return the PSI of a column, or None when it has no distribution (texts, ids, private columns)."""
    if before.quantiles is not None and after.quantiles is not None:
        return _of_numbers(before.quantiles, after.quantiles)
    if before.categories is None or after.categories is None:
        return None
    if not (before.categories.complete and after.categories.complete):
        return psi(before.categories.buckets, after.categories.buckets)
    values = sorted({*before.categories.counts, *after.categories.counts})
    counts = [[part.counts.get(value, 0) for value in values] for part in (before.categories, after.categories)]
    return psi(*counts)


def _of_numbers(before: Quantiles, after: Quantiles) -> float:
    edges = sorted({before.quantile(step / BINS) for step in range(1, BINS)})
    if not before.total or not after.total:
        return 0.0

    def histogram(part: Quantiles) -> list[float]:
        ranks = [0.0, *(part.below(edge) for edge in edges), 1.0]
        return [(high - low) * part.total for low, high in pairwise(ranks)]

    return psi(histogram(before), histogram(after))


def notes(baseline: Profile, profile: Profile) -> list[tuple[str, str]]:
    """Return (column, what moved) for columns that differ clearly from the live model's training data."""
    found = []
    for name, after in profile.columns.items():
        before = baseline.columns.get(name)
        if before is None or not before.rows or not after.rows:
            continue
        index = of_column(before, after)
        if index is not None and index >= SHIFTED:
            found.append((name, f"moved since the live model was trained: PSI {index:.2f} (0.25 and more is a shift)"))
        empty = (after.missing / after.rows) - (before.missing / before.rows)
        if abs(empty) >= NULLS_MOVED:
            found.append((name, f"missing values went from {before.missing / before.rows:.1%} by {empty:+.1%}"))
    return found
