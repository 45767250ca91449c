"""The sketch of many numbers, made from tables of cells, is the one that the definition gives."""

from collections import Counter
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle import sketch
from lifecycle.profile import Moments
from lifecycle.sketch import Quantiles, bits_of
from tabular import texts
from tabular.counting import BLOCK, FEW, blocks
from tabular.counting import moments as of_block
from tabular.sketching import ordered, quantiles

MANY = 40_000
Floats = npt.NDArray[Any]


def moments(values: pl.Series) -> Moments:
    return reduce(Moments.merge, map(of_block, blocks(values)), Moments())


def defined(numbers: Floats) -> Quantiles:
    return sketch.coarsened(0, Counter(bits_of(number) for number in numbers.tolist()))


MAKERS: dict[str, Callable[[np.random.Generator], Floats]] = {
    "around a thousand": lambda chance: chance.normal(1000, 1, MANY),
    "around zero": lambda chance: chance.normal(0, 1, MANY),
    "around a million": lambda chance: chance.normal(1e6, 1, MANY),
    "times": lambda chance: 1.7e9 + np.round(chance.random(MANY) * 86_400, 3),
    "long tail": lambda chance: chance.lognormal(1, 4, MANY),
    "half of it zero": lambda chance: np.where(chance.random(MANY) < 0.5, 0.0, chance.lognormal(1, 1, MANY)),
    "zeros of both signs": lambda chance: np.where(chance.random(MANY) < 0.5, 0.0, -0.0),
    "two thousand whole numbers": lambda chance: chance.integers(-1000, 1000, MANY).astype(float),
    "twelve whole numbers": lambda chance: chance.integers(1, 13, MANY).astype(float),
    "one number": lambda _: np.full(MANY, -7.25),
    "two clumps": lambda chance: np.concatenate([chance.normal(-1e9, 1e-3, MANY), chance.normal(1e-9, 1e-14, MANY)]),
    "both ends": lambda chance: np.concatenate([chance.random(MANY), [1.7e308, -1.7e308, 5e-324, -5e-324]]),
}


@pytest.mark.parametrize("name", list(MAKERS))
def test_tables_of_cells_give_the_sketch_of_the_definition(name: str) -> None:
    numbers = MAKERS[name](np.random.default_rng(5))
    values = pl.Series(numbers)
    found = quantiles(values, moments(values))
    assert found == defined(numbers)
    assert found.total == len(numbers)


@settings(max_examples=40)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=50))
def test_few_numbers_give_the_sketch_of_the_definition(numbers: list[float]) -> None:
    values = pl.Series(numbers, dtype=pl.Float64)
    assert quantiles(values, moments(values)) == defined(np.array(numbers))
    assert ordered(np.array(numbers, dtype=np.float64)).tolist() == [bits_of(number) for number in numbers]


def test_missing_values_and_chunks_change_nothing() -> None:
    numbers = np.random.default_rng(6).normal(3, 1, FEW * 3)
    parts = [pl.Series(part) for part in np.array_split(numbers, 7)]
    values = pl.concat([*parts[:3], pl.Series([None] * 100, dtype=pl.Float64), *parts[3:]], rechunk=False)
    assert values.n_chunks() > 1
    assert quantiles(values, moments(values)) == defined(numbers)


@pytest.mark.parametrize("strangers", [0, 1, 5000])
def test_texts_are_counted_exactly_whether_looked_up_or_grouped(strangers: int) -> None:
    chance = np.random.default_rng(7)
    often = [f"gate {number}" for number in chance.integers(0, 200, 2 * BLOCK + 1)]
    rare = [None, "", *(f"late comer {number % 4000}" for number in range(strangers))]
    found = texts.by_value(pl.Series(often + rare, dtype=pl.String))
    expected = Counter(often) + Counter(value for value in rare if value is not None)
    assert found == dict(expected)


def test_texts_of_many_values_are_counted_too() -> None:
    names = [f"name {number}" for number in range(2 * BLOCK + 10)]
    assert texts.by_value(pl.Series([*names, *names])) == dict.fromkeys(names, 2)


@settings(max_examples=40)
@given(st.lists(st.none() | st.text(max_size=9), max_size=20))
def test_texts_have_the_hash_that_stays(values: list[str | None]) -> None:
    found = texts.hashed(pl.Series(values, dtype=pl.String))
    assert found.dtype == pl.UInt64
    assert found.to_list() == [None if value is None else sketch.hash_of(value) for value in values]
