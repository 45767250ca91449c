"""Frames are counted in the bins of a reference, whatever they hold."""

from bisect import bisect_left
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle.reference import CATEGORY, KEPT, NUMBER, ColumnReference, Reference, number_reference
from lifecycle.spec import Column, Contract, Kind, Task
from lifecycle.tally import ColumnTally
from tabular import counting
from tabular.reference import column_reference, column_references
from tabular.tally import tally_of

finite = st.floats(allow_nan=False, allow_infinity=False)
KINDS = {"size": Kind.NUMBER, "count": Kind.INTEGER, "member": Kind.BOOLEAN, "town": Kind.CATEGORY, "at": Kind.DATETIME}
CONTRACT = Contract(
    task=Task.BINARY,
    target="late",
    columns=(*(Column(name=name, kind=kind) for name, kind in KINDS.items()), Column(name="late", kind=Kind.BOOLEAN)),
    positive="true",
)
TRAINED = pl.DataFrame(
    {
        "size": [0.5 * n for n in range(200)],
        "count": [n % 7 for n in range(200)],
        "member": [n % 3 == 0 for n in range(200)],
        "town": ["Köln" if n % 4 else "Bonn" for n in range(200)],
        "at": [datetime(2024, 1, 1 + n % 28, n % 24, tzinfo=UTC) for n in range(200)],
    }
)
REFERENCE = Reference(
    rows=200,
    columns=column_references(TRAINED, CONTRACT),
    scores=column_reference(pl.Series([n / 200 for n in range(200)]), Kind.NUMBER),
)


def counted(frame: pl.DataFrame, column: str) -> ColumnTally:
    return tally_of(frame, CONTRACT, REFERENCE).columns[column]


def bin_of(column: ColumnReference, value: float) -> int:
    return bisect_left(column.edges, value)


@settings(max_examples=40)
@given(st.lists(finite, min_size=1, max_size=40), st.lists(finite, min_size=1, max_size=40))
def test_few_and_many_numbers_are_counted_as_by_comparison(trained: list[float], seen: list[float]) -> None:
    edges = column_reference(pl.Series(trained), Kind.NUMBER).edges
    many = -(-(counting.FEW + 1) // len(seen))
    by_comparison = Counter(bisect_left(edges, value) for value in seen)
    expected = tuple(by_comparison[place] for place in range(len(edges) + 1))
    assert counting.by_bin(np.array(seen), edges) == expected
    assert counting.by_bin(np.tile(np.array(seen), many), edges) == tuple(count * many for count in expected)


def test_edges_that_are_no_cells_are_counted_exactly_too() -> None:
    edges = (0.1, 1 / 3, 1e9)
    many = np.tile(np.array([0.1, 0.1000001, 0.5, 2e9]), counting.FEW)
    assert counting.by_bin(many, edges) == tuple(counting.FEW * count for count in (1, 1, 1, 1))


def test_the_rows_of_training_fill_the_bins_of_training() -> None:
    tally = tally_of(TRAINED.with_columns(p=pl.Series([n / 200 for n in range(200)])), CONTRACT, REFERENCE, score="p")
    assert {name: column.counts for name, column in tally.columns.items()} == {
        name: column.counts for name, column in REFERENCE.columns.items()
    }
    assert tally.scores.counts == REFERENCE.scores.counts
    assert (tally.rows, tally.scores.missing) == (200, 0)
    assert {name: column.kind for name, column in REFERENCE.columns.items()} == {
        "size": NUMBER,
        "count": NUMBER,
        "member": CATEGORY,
        "town": CATEGORY,
        "at": CATEGORY,
    }


def test_hours_summed_are_the_rows_counted_at_once() -> None:
    parts = [tally_of(TRAINED[start : start + 37], CONTRACT, REFERENCE) for start in range(0, 200, 37)]
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.merge(part)
    assert whole == tally_of(TRAINED, CONTRACT, REFERENCE)


def test_columns_that_are_absent_and_all_missing_are_missing_in_every_row() -> None:
    frame = pl.DataFrame({"size": [None] * 5, "town": ["", None, "", None, ""]}, schema_overrides={"town": pl.String})
    tally = tally_of(frame, CONTRACT, REFERENCE)
    assert {column.missing for column in tally.columns.values()} == {5}
    assert tally.scores.missing == 5
    assert sum(sum(column.counts) for column in tally.columns.values()) == 0


def test_no_rows_at_all_are_counted_as_none() -> None:
    assert tally_of(pl.DataFrame(), CONTRACT, REFERENCE).rows == 0
    assert tally_of(TRAINED.clear(), CONTRACT, REFERENCE).columns["size"].rows == 0


def test_what_is_no_number_counts_as_missing() -> None:
    seen = counted(pl.DataFrame({"size": [1.0, float("nan"), float("inf"), -float("inf"), None]}), "size")
    assert (sum(seen.counts), seen.missing) == (1, 4)
    texts = counted(pl.DataFrame({"size": ["1.0", "high", "", "NA", "inf"]}), "size")
    assert (sum(texts.counts), texts.missing) == (1, 4)
    nested = counted(pl.DataFrame({"size": [[1.0], [2.0]]}), "size")
    assert (sum(nested.counts), nested.missing) == (0, 2)


STORED = {
    "objects": pl.Series([{1}, None], dtype=pl.Object),
    "decimals": pl.Series([Decimal("1.5"), None]),
    "times of day": pl.Series([time(1), None]),
    "durations": pl.Series([timedelta(1), None]),
    "bytes": pl.Series([b"a", None]),
    "enumerated": pl.Series(["Köln", None], dtype=pl.Enum(["Köln"])),
    "coded": pl.Series(["Köln", None], dtype=pl.Categorical),
    "large": pl.Series([2**100, None], dtype=pl.Int128),
    "single": pl.Series([1.5, None], dtype=pl.Float32),
    "structures": pl.Series([{"a": 1}, None]),
    "arrays": pl.Series([[1, 2], None], dtype=pl.Array(pl.Int64, 2)),
    "days": pl.Series([date(2024, 1, 1), None]),
    "local times": pl.Series([datetime(2024, 1, 1, 5), None]).cast(pl.Datetime("ns", "Europe/Berlin")),
}


@pytest.mark.parametrize("stored", list(STORED))
@pytest.mark.parametrize("column", list(KINDS))
def test_every_stored_type_is_counted_or_missing(stored: str, column: str) -> None:
    seen = counted(pl.DataFrame({column: STORED[stored]}), column)
    assert seen.rows == 2
    assert seen.missing >= 1


@pytest.mark.parametrize(("value", "place"), [(-1e300, 0), (99_500.0, -1), (1e308, -1)])
def test_values_far_beyond_what_was_trained_on_fall_into_the_outer_bins(value: float, place: int) -> None:
    assert counted(pl.DataFrame({"size": [value] * 3}), "size").counts[place] == 3


def test_a_change_of_unit_leaves_every_bin_but_the_last() -> None:
    seen = counted(TRAINED.with_columns(pl.col("size") * 1000), "size")
    assert seen.counts[-1] >= 199


def test_a_constant_column_is_told_from_what_lies_beside_it() -> None:
    constant = column_reference(pl.Series([7.0] * 50), Kind.NUMBER)
    at = bin_of(constant, 7.0)
    assert constant.counts[at] == 50
    assert at not in (bin_of(constant, 6.99), bin_of(constant, 7.01))


def test_of_many_categories_those_beyond_the_most_frequent_share_one_count() -> None:
    values = [f"v{n}" for n in range(5000)] + ["often"] * 10
    wide = column_reference(pl.Series(values), Kind.CATEGORY)
    assert (len(wide.values), wide.values[0], wide.counts[0]) == (KEPT, "often", 10)
    assert wide.counts[-1] == 5000 - (KEPT - 1)
    assert wide.rows == 5010


def test_categories_that_training_never_saw_are_others() -> None:
    seen = counted(pl.DataFrame({"town": ["Köln", "Aachen", "Ulm", None]}), "town")
    assert seen == ColumnTally(counts=(1, 0, 2), missing=1)


def test_booleans_and_times_are_categories() -> None:
    member = REFERENCE.columns["member"]
    seen = counted(pl.DataFrame({"member": ["yes", "no", "0", "maybe"]}), "member")
    assert dict(zip(member.values, seen.counts, strict=False)) == {"true": 1, "false": 2}
    assert seen.missing == 1
    times = counted(pl.DataFrame({"at": ["2031-07-05T13:59:00Z", "2031-07-05 02:00", "soon"]}), "at")
    hours = dict(zip(REFERENCE.columns["at"].values, times.counts, strict=False))
    assert (hours["13"], hours["02"], times.missing) == (1, 1, 1)


@pytest.mark.parametrize(
    ("scores", "expected"), [([0.0, 0.5, 1.5], 3), ([None, 0.5], 1), (["0.5", "high"], 1), ([True, False], 2)]
)
def test_scores_are_counted_as_far_as_they_are_numbers(scores: list[Any], expected: int) -> None:
    tally = tally_of(pl.DataFrame({"score": scores}), CONTRACT, REFERENCE, score="score")
    assert sum(tally.scores.counts) == expected
    assert tally.scores.missing == len(scores) - expected


def test_a_column_that_the_contract_no_longer_has_is_still_counted() -> None:
    gone = Contract(task=Task.BINARY, target="late", columns=(Column(name="late", kind=Kind.BOOLEAN),))
    assert tally_of(TRAINED.select("size", "town"), gone, REFERENCE).columns["size"].rows == 200


@pytest.mark.parametrize("numbers", [[0.0] * 9, [-0.0, 0.0], [5e-324, -5e-324], [1e308, -1e308, 1e-308]])
def test_odd_numbers_make_bins_and_fill_them(numbers: list[float]) -> None:
    made = column_reference(pl.Series(numbers), Kind.NUMBER)
    assert sum(made.counts) == len(numbers)
    assert counting.by_bin(np.array(numbers), made.edges) == made.counts


def test_nothing_makes_one_empty_bin() -> None:
    empty = column_reference(pl.Series([None, None], dtype=pl.Float64), Kind.NUMBER)
    assert empty == number_reference((), (0,), 2)
    assert counting.by_bin(np.array([1.0, 2.0]), ()) == (2,)
