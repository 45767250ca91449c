"""polars alone, streaming: nulls, ranges, unlisted values, rows below each decile (PSI), rows by value (chi-square).

It has no gap between distributions (KS): that takes a thousand comparisons a row, or a sort.
"""

from pathlib import Path
from typing import Any

import polars as pl
import profiling_turn as turn

Ready = tuple[dict[str, list[float]], dict[str, list[float]]]


def prepare(path: Path) -> Ready:
    frame = pl.read_parquet(path)
    edges = {name: [frame[name].quantile(q) for q in turn.QUANTILES] for name in turn.NUMBERS}
    before = {}
    for name, between in edges.items():
        below = [int((frame[name] <= edge).sum()) for edge in between]
        before[name] = counts(below, frame.height - frame[name].null_count())
    for name, values in turn.WORDS.items():
        before[name] = [int((frame[name] == value).sum()) for value in values]
    return edges, before


def measure(path: Path, ready: Ready) -> dict[str, Any]:
    edges, before = ready
    asked = []
    for name, between in edges.items():
        column = pl.col(name)
        asked += [(column <= edge).sum().alias(f"{name} {place}") for place, edge in enumerate(between)]
        asked += [
            column.count().alias(f"{name} rows"),
            column.min().alias(f"{name} min"),
            column.max().alias(f"{name} max"),
        ]
    for name, values in turn.WORDS.items():
        asked += [(pl.col(name) == value).sum().alias(f"{name} {place}") for place, value in enumerate(values)]
        asked += [(~pl.col(name).is_in(values)).sum().alias(f"{name} unlisted")]
    [seen] = pl.scan_parquet(path).select(*asked, rows=pl.len()).collect(engine="streaming").to_dicts()
    found: dict[str, Any] = {"psi": {}, "chi2": {}, "rows": seen["rows"]}
    for name in turn.NUMBERS:
        after = counts([seen[f"{name} {place}"] for place in range(9)], seen[f"{name} rows"])
        found["psi"][name] = turn.psi(before[name], after)
    for name, values in turn.WORDS.items():
        after = [seen[f"{name} {place}"] for place in range(len(values))]
        found["psi"][name] = turn.psi(before[name], after)
        found["chi2"][name] = chi_square(before[name], after)
    return found


def counts(below: list[int], rows: int) -> list[float]:
    return [high - low for low, high in zip([0, *below], [*below, rows], strict=True)]


def chi_square(before: list[float], after: list[float]) -> float:
    one, two = sum(before), sum(after)
    return sum((a * two - b * one) ** 2 / (a + b) for a, b in zip(before, after, strict=True) if a + b) / (one * two)


if __name__ == "__main__":
    turn.run(prepare, measure)
