"""References and windows for tests of drift: columns in bins, and seeded rows counted in them."""

import random
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import replace

from lifecycle.reference import ColumnReference, Reference, category_reference, number_reference
from lifecycle.tally import ColumnTally, Tally

QUALITY = {"metric": "log_loss", "value": 0.40, "low": 0.38, "high": 0.42, "rows": 4000}
Column = Sequence[float | str | None]


def numbers(values: Column, bins: int = 100) -> ColumnReference:
    present = sorted(float(value) for value in values if value is not None)
    if not present:
        return number_reference((), (0,), 0)
    edges = sorted({present[len(present) * step // bins] for step in range(1, bins)} | {present[-1]})
    return number_reference(edges, (0,) * (len(edges) + 1), 0)


def column(values: Column) -> ColumnReference:
    """Return a column's reference: numbers in about a hundred bins, or categories."""
    if any(isinstance(value, str) for value in values):
        counts = {str(value): values.count(value) for value in set(values) if value is not None}
        return category_reference(counts, values.count(None))
    bins = numbers(values)
    counted = count(bins, values)
    return number_reference(bins.edges, counted.counts, counted.missing)


def count(reference: ColumnReference, values: Column) -> ColumnTally:
    """Return a column's rows in the bins of its reference."""
    counts, places = [0] * len(reference.counts), {value: place for place, value in enumerate(reference.values)}
    for value in values:
        if isinstance(value, str):
            counts[places.get(value, -1)] += 1
        elif value is not None:
            counts[bisect_left(reference.edges, value)] += 1
    return ColumnTally(counts=tuple(counts), missing=values.count(None))


def reference(table: Mapping[str, Column], importance: Mapping[str, float] | None = None) -> Reference:
    """Return the reference of a table whose column "score" holds the scores; features are equally important."""
    names = [name for name in table if name != "score"]
    shares = importance or dict.fromkeys(names, 1 / len(names))
    columns = {name: replace(column(table[name]), importance=shares[name]) for name in names}
    return Reference(rows=len(table["score"]), columns=columns, scores=column(table["score"]), quality=QUALITY)


def tally(against: Reference, table: Mapping[str, Column]) -> Tally:
    """Return a window's rows in the bins of a reference."""
    columns = {name: count(each, table[name]) for name, each in against.columns.items()}
    return Tally(rows=len(table["score"]), columns=columns, scores=count(against.scores, table["score"]))


def rows(draw: random.Random, number: int, features: int = 6) -> dict[str, list[float | str | None]]:
    """Return seeded rows: numbers n0.. (a tenth missing in n1), categories c0.., and a score."""
    table: dict[str, list[float | str | None]] = {}
    for place in range(features // 2):
        table[f"n{place}"] = [draw.gauss(0, 1) for _ in range(number)]
        letters = draw.choices("abcdefgh", weights=[30, 25, 20, 10, 8, 4, 2, 1], k=number)
        table[f"c{place}"] = list(letters)
    table["n1"] = [value if draw.random() > 0.1 else None for value in table["n1"]]
    table["score"] = [draw.betavariate(2, 5) for _ in range(number)]
    return table
