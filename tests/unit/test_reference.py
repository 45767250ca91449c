"""Bins of a reference: fine enough, at most 1,024, found by shifting bits, and kept whole through a file."""

import json
import math
from bisect import bisect_left
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.bins import BINS, bins_over
from lifecycle.errors import ModelRejected
from lifecycle.grid import SMALLEST, WIDEST, Grid
from lifecycle.reference import KEPT, ColumnReference, Reference, category_reference, number_reference

finite = st.floats(allow_nan=False, allow_infinity=False)
columns = st.one_of(
    st.lists(finite, min_size=1, max_size=300),
    st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=300),
    st.lists(st.floats(1e9, 1.001e9), min_size=1, max_size=300),
)


def reference_of(numbers: list[float]) -> ColumnReference:
    sizes = [abs(number) for number in numbers if abs(number) >= SMALLEST] or [1.0]
    grid = Grid.over(min(sizes), max(sizes))
    counted = Counter(grid.index_of(number) for number in numbers)
    cells, counts = sorted(counted), [counted[cell] for cell in sorted(counted)]
    return number_reference(*bins_over(grid, cells, counts), missing=0)


@given(finite.filter(lambda x: abs(x) >= SMALLEST), finite, finite, finite)
def test_cells_are_in_the_order_of_the_numbers(smallest: float, largest: float, one: float, two: float) -> None:
    grid = Grid.over(abs(smallest), max(abs(smallest), abs(largest)))
    one, two = sorted((one, two))
    assert grid.index_of(one) <= grid.index_of(two)


@given(st.floats(1e-300, 1e300), st.floats(1.0, 1e6), st.data())
def test_an_edge_is_the_largest_number_of_its_cell(smallest: float, factor: float, data: st.DataObject) -> None:
    grid = Grid.over(smallest, smallest * factor)
    index = data.draw(st.integers(-grid.cells - 1, grid.cells))
    edge = grid.edge_after(index)
    assert grid.index_of(edge) == index
    assert grid.index_of(math.nextafter(edge, math.inf)) == index + 1
    assert grid.index_before(edge) == index


@given(columns)
def test_counts_by_shifting_bits_are_counts_by_comparison(numbers: list[float]) -> None:
    found = reference_of(numbers)
    expected = Counter(bisect_left(found.edges, number) for number in numbers)
    assert found.counts == tuple(expected[place] for place in range(len(found.edges) + 1))


@given(columns)
def test_the_grid_of_a_reference_is_found_again_from_its_edges(numbers: list[float]) -> None:
    edges = reference_of(numbers).edges
    grid = Grid.of_edges(edges)
    assert grid is not None
    assert [grid.edge_after(grid.index_before(edge)) for edge in edges] == list(edges)


def test_edges_that_lie_between_no_cells_have_no_grid() -> None:
    assert Grid.of_edges([0.1, 1 / 3, 1e9]) is None
    assert WIDEST < 2**52


@pytest.mark.parametrize("rows", [100, 999, 1_500, 42_000, 100_000])
def test_bins_are_fine_and_few(rows: int) -> None:
    found = reference_of([math.tan(3.1 * (row + 0.5) / rows - 1.55) for row in range(rows)])
    assert len(found.counts) <= BINS
    assert sum(found.counts) == rows
    assert found.gap_error <= max(0.001, 2 / rows)


def test_a_value_that_many_rows_share_is_told_from_its_neighbours() -> None:
    found = reference_of([5.0] * 900 + [6.0] * 100)
    below, at = bisect_left(found.edges, 4.999), bisect_left(found.edges, 5.0)
    assert (found.counts[below], found.counts[at], found.counts[-1]) == (0, 900, 0)
    assert found.gap_error == 0


def test_equal_values_and_no_values_make_bins_too() -> None:
    assert sum(reference_of([0.0] * 10).counts) == 10
    nothing = number_reference((), (0,), missing=7)
    assert (nothing.rows, nothing.present, nothing.gap_error) == (7, 0, 0.0)


@given(st.dictionaries(st.text(), st.integers(1, 50), max_size=KEPT + 50))
def test_the_most_frequent_categories_have_counts_and_all_others_share_one(counts: dict[str, int]) -> None:
    found = category_reference(counts, missing=3)
    assert found.rows == sum(counts.values()) + 3 == sum(found.counts) + 3
    assert len(found.values) == min(KEPT, len(counts)) == len(found.counts) - 1
    assert all(counts[value] == count for value, count in zip(found.values, found.counts, strict=False))


def whole() -> Reference:
    return Reference(
        rows=10,
        columns={"age": reference_of([1.0, 2.5, 2.5]), "town": category_reference({"Köln": 4, "Bonn": 6}, 0)},
        scores=reference_of([0.1, 0.9]),
        quality={"metric": "log_loss", "value": 0.4, "low": 0.3, "high": 0.5, "rows": 2},
    )


def test_a_reference_comes_back_from_its_file_and_keeps_its_id() -> None:
    read = Reference.from_plain(json.loads(json.dumps(whole().to_plain())))
    assert read == whole()
    assert read.reference_id == whole().reference_id
    assert len(read.reference_id) == 64


@pytest.mark.parametrize(
    ("member", "value"), [("counts", [1]), ("edges", [2.0, 1.0]), ("edges", [float(n) for n in range(BINS)])]
)
def test_a_reference_that_contradicts_itself_is_refused(member: str, value: list[float]) -> None:
    plain = whole().to_plain()
    plain["columns"]["age"][member] = value
    if len(value) == BINS:
        plain["columns"]["age"]["counts"] = [0] * (BINS + 1)
    with pytest.raises(ModelRejected, match="reference column 'age'"):
        Reference.from_plain(plain)


def test_a_reference_of_another_schema_is_refused() -> None:
    with pytest.raises(ModelRejected, match="schema 2"):
        Reference.from_plain(whole().to_plain() | {"schema": 2})
