"""Tallies add up exactly, in any order and grouping, and only within one reference."""

import json
import random
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.reference import Reference, category_reference, number_reference
from lifecycle.tally import ColumnTally, Tally, total

REFERENCE = Reference(
    rows=6,
    columns={"age": number_reference((1.0, 2.0), (1, 2, 3), 0), "town": category_reference({"Bonn": 6}, 0)},
    scores=number_reference((0.5,), (3, 3), 0),
)


def column(bins: int) -> st.SearchStrategy[ColumnTally]:
    counts = st.lists(st.integers(0, 2**60), min_size=bins, max_size=bins).map(tuple)
    return st.builds(ColumnTally, counts=counts, missing=st.integers(0, 9))


tallies = st.builds(
    Tally,
    rows=st.integers(0, 2**60),
    columns=st.fixed_dictionaries({"age": column(3), "town": column(2)}),
    scores=column(2),
)


@given(st.lists(tallies, max_size=6), st.randoms())
def test_parts_add_up_to_the_same_in_any_order_and_grouping(parts: list[Tally], chance: random.Random) -> None:
    expected = total(REFERENCE, parts)
    chance.shuffle(parts)
    cut = chance.randint(0, len(parts))
    assert total(REFERENCE, parts[:cut]).merge(total(REFERENCE, parts[cut:])) == expected
    assert reduce(lambda one, two: two.merge(one), parts, Tally.empty(REFERENCE)) == expected


@given(tallies)
def test_a_tally_comes_back_from_its_file(tally: Tally) -> None:
    assert Tally.from_plain(json.loads(json.dumps(tally.to_plain()))) == tally


def test_an_empty_tally_is_small_in_a_file() -> None:
    wide = Tally(rows=0, columns={"age": ColumnTally(counts=(0,) * 1024)}, scores=ColumnTally(counts=(0,)))
    assert len(json.dumps(wide.to_plain())) < 250


def test_tallies_of_different_references_do_not_add() -> None:
    other = Reference(rows=0, columns={}, scores=REFERENCE.scores)
    with pytest.raises(ValueError, match="different references"):
        Tally.empty(REFERENCE).merge(Tally.empty(other))
    finer = Reference(rows=0, columns=REFERENCE.columns, scores=number_reference((0.2, 0.5), (1, 1, 1), 0))
    with pytest.raises(ValueError, match="bins differ"):
        Tally.empty(REFERENCE).merge(Tally.empty(finer))


def test_a_column_knows_its_rows() -> None:
    assert ColumnTally(counts=(1, 2), missing=3).rows == 6
    assert ColumnTally.empty(REFERENCE.columns["age"]).counts == (0, 0, 0)
