"""Sketches merge to the same result in any order and grouping, and say how wrong they can be."""

import json
import math
import random
from functools import reduce
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle import sketch
from lifecycle.sketch import BINS, KEPT, Categories, Quantiles, bits_of, number_of

finite = st.floats(allow_nan=False, allow_infinity=False)


def quantiles(numbers: list[float]) -> Quantiles:
    counts: dict[int, int] = {}
    for number in numbers:
        counts[bits_of(number)] = counts.get(bits_of(number), 0) + 1
    return sketch.coarsened(0, counts)


@given(finite, finite)
def test_ordered_bits_are_ordered_as_the_numbers_and_come_back(one: float, two: float) -> None:
    assert (one < two) == (bits_of(one) < bits_of(two))
    assert number_of(bits_of(one)) == one


@given(st.lists(st.lists(finite, max_size=30), min_size=1, max_size=5), st.randoms())
def test_small_sketches_merge_exactly_in_any_order(parts: list[list[float]], chance: random.Random) -> None:
    whole = quantiles([number for part in parts for number in part])
    chance.shuffle(parts)
    assert reduce(Quantiles.merge, map(quantiles, parts), Quantiles()) == whole


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1.0, 1e-6, 1e9]), st.sampled_from([0.0, 2013.0, 1.7e9]))
def test_large_sketches_merge_exactly_in_any_grouping(seed: int, scale: float, centre: float) -> None:
    chance = random.Random(seed)
    numbers = [centre + scale * chance.gauss(0, 1) for _ in range(6000)]
    cuts = [0, *sorted(chance.sample(range(6000), 3)), 6000]
    parts = [quantiles(numbers[low:high]) for low, high in pairwise(cuts)]
    whole = quantiles(numbers)
    left = reduce(Quantiles.merge, parts)
    right = parts[0].merge(parts[1].merge(parts[2].merge(parts[3])))
    assert left == right == whole
    assert len(whole.counts) <= BINS
    assert Quantiles.from_plain(json.loads(json.dumps(whole.to_plain()))) == whole


def test_ranks_and_quantiles_are_within_a_thousandth_or_a_bin() -> None:
    chance = random.Random(7)
    for make in (
        lambda: chance.gauss(0, 1),
        lambda: 1013 + chance.gauss(0, 8),
        lambda: chance.expovariate(1 / 300),
        lambda: 1.7e9 + chance.uniform(0, 1e7),
    ):
        numbers = sorted(make() for _ in range(20_000))
        made = quantiles(numbers)
        largest = max(made.counts.values()) / len(numbers)
        for share in (0.01, 0.1, 0.25, 0.5, 0.9, 0.99):
            exact = numbers[int(share * len(numbers))]
            assert abs(made.below(exact) - share) < max(0.001, largest / 2)
            assert abs(made.below(made.quantile(share)) - share) < 0.002


def test_an_empty_sketch_knows_nothing() -> None:
    assert math.isnan(Quantiles().quantile(0.5))
    assert Quantiles().below(1.0) == 0.0


counted = st.dictionaries(st.text(max_size=3), st.integers(1, 9), max_size=20)


@given(st.lists(counted, min_size=1, max_size=4), st.randoms())
def test_category_counts_merge_in_any_order(parts: list[dict[str, int]], chance: random.Random) -> None:
    made = [sketch.categories(part) for part in parts]
    first = reduce(Categories.merge, made)
    chance.shuffle(made)
    assert reduce(Categories.merge, made) == first
    assert first.distinct == len({value for part in parts for value in part})
    assert sum(first.buckets) == sum(sum(part.values()) for part in parts)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_many_categories_keep_exact_counts_of_the_same_values_in_any_grouping(seed: int) -> None:
    chance = random.Random(seed)
    rows = [f"v{chance.randrange(5000)}" for _ in range(20_000)]

    def counts(part: list[str]) -> Categories:
        found: dict[str, int] = {}
        for value in part:
            found[value] = found.get(value, 0) + 1
        return sketch.categories(found)

    whole = counts(rows)
    cut = chance.randrange(len(rows))
    assert counts(rows[:cut]).merge(counts(rows[cut:])) == whole
    assert len(whole.counts) == KEPT
    assert not whole.complete
    assert all(count == rows.count(value) for value, count in list(whole.counts.items())[:5])
    assert abs(whole.distinct - len(set(rows))) < 0.15 * len(set(rows))
    assert Categories.from_plain(json.loads(json.dumps(whole.to_plain()))) == whole
