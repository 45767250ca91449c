"""Perennial: one pass over the file gives profile, the contract's checks and counts in the reference's bins."""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.peers.sides import profiling_turn as turn
from lifecycle import distance
from lifecycle.column_drift import compare
from lifecycle.reference import NUMBER, Reference
from lifecycle.schema import Column, Contract, Kind, Task
from tabular.one_pass import OnePass
from tabular.reference import column_reference, column_references

NUMBERS = tuple(
    Column(name=n, kind=Kind.NUMBER, min=turn.LOW, max=turn.HIGH, max_null_share=0.05) for n in turn.NUMBERS
)
WORDS = tuple(Column(name=n, kind=Kind.CATEGORY, categories=tuple(values)) for n, values in turn.WORDS.items())
LABEL = Column(name="label", kind=Kind.BOOLEAN)
CONTRACT = Contract(task=Task.BINARY, target="label", columns=(*NUMBERS, *WORDS, LABEL), positive="true")


def prepare(path: Path) -> Reference:
    frame = pl.read_parquet(path)
    scores = column_reference(frame["n00"], Kind.NUMBER)
    return Reference(rows=frame.height, columns=column_references(frame, CONTRACT), scores=scores)


def measure(path: Path, reference: Reference) -> dict[str, Any]:
    profile, tally = OnePass(path, path.name, CONTRACT, reference).count()
    assert tally is not None
    found: dict[str, Any] = {"psi": {}, "ks": {}, "chi2": {}, "bad_rows": profile.bad_rows}
    found["judged"] = {name: compare(column, tally.columns[name]).psi for name, column in reference.columns.items()}
    for name, column in reference.columns.items():
        counts = tally.columns[name].counts
        if column.kind == NUMBER:
            found["ks"][name] = distance.kolmogorov_smirnov(column.counts, counts).statistic
            found["psi"][name] = distance.psi(*deciles(column.counts, counts))
        else:
            found["chi2"][name] = distance.chi_square(column.counts, counts).statistic
            found["psi"][name] = distance.psi(column.counts, counts)
    found["error"] = max(column.gap_error for column in reference.columns.values())
    found["rows"] = profile.rows
    return found


def deciles(before: Sequence[int], after: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return fine bins added up between the edges that are nearest to the reference's deciles, as the others have."""
    ranks = list(accumulate(before))
    ends = [min(range(len(ranks)), key=lambda place: abs(ranks[place] - q * ranks[-1])) for q in turn.QUANTILES]
    places = [0, *(end + 1 for end in ends), len(before)]
    one, two = ([sum(side[low:high]) for low, high in pairwise(places)] for side in (before, after))
    return one, two


if __name__ == "__main__":
    turn.run(prepare, measure)
