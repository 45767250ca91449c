"""The tests by which two versions are told apart: exact for counts, right on known values, rarely wrong."""

import random
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.significance import Sample, chance_of_more, of_classes, of_numbers

counts = st.integers(0, 40).flatmap(lambda tried: st.tuples(st.integers(0, tried), st.just(tried)))
numbers = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60)


def sample(values: list[float] | list[str]) -> Sample:
    return Sample(values=tuple(values), weights=(1.0,) * len(values))


@given(counts, counts)
def test_the_chance_is_that_of_drawing_without_putting_back(one: tuple[int, int], other: tuple[int, int]) -> None:
    (bad, tried), (other_bad, other_tried) = one, other
    all_bad, everything = bad + other_bad, tried + other_tried
    ways = sum(comb(tried, k) * comb(other_tried, all_bad - k) for k in range(bad, min(tried, all_bad) + 1))
    assert chance_of_more(bad, tried, other_bad, other_tried) == pytest.approx(ways / comb(everything, all_bad))


@given(counts, counts)
def test_one_more_failure_is_never_less_suspicious(one: tuple[int, int], other: tuple[int, int]) -> None:
    bad, tried = one
    if bad < tried:
        assert chance_of_more(bad + 1, tried, *other) <= chance_of_more(bad, tried, *other) + 1e-12


def test_many_requests_are_as_quick_and_as_right_as_few() -> None:
    assert chance_of_more(50_000, 1_000_000, 50_000, 1_000_000) == pytest.approx(0.5, abs=0.01)
    assert chance_of_more(60_000, 1_000_000, 50_000, 1_000_000) < 1e-100
    assert chance_of_more(0, 10**6, 10**4, 10**6) == 1.0


def test_counts_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="5 of 3"):
        chance_of_more(5, 3, 0, 1)


@given(numbers)
def test_equal_samples_do_not_differ(values: list[float]) -> None:
    found = of_numbers(sample(values), sample(list(reversed(values))))
    assert found.distance == pytest.approx(0, abs=1e-9)
    assert found.p == 1.0


@given(numbers, numbers)
def test_a_gap_is_a_share_and_does_not_depend_on_who_is_asked_first(one: list[float], other: list[float]) -> None:
    found, turned = of_numbers(sample(one), sample(other)), of_numbers(sample(other), sample(one))
    assert 0 <= found.distance <= 1
    assert 0 <= found.p <= 1
    assert (found.distance, found.p) == pytest.approx((turned.distance, turned.p))


def test_the_gap_is_the_largest_one_between_the_two_distributions() -> None:
    assert of_numbers(sample([1, 2, 3, 4]), sample([3, 4, 5, 6])).distance == pytest.approx(0.5)
    assert of_numbers(sample([1, 2]), sample([3, 4])).distance == pytest.approx(1.0)


def test_the_chance_of_a_gap_is_the_published_one() -> None:
    # Kolmogorov's distribution at 1.36 is the 5 % point of every table
    size = 5000
    effective = (size * size / (2 * size)) ** 0.5
    gap = 1.36 / (effective + 0.12 + 0.11 / effective)
    one = [n / size for n in range(size)]
    other = [value + gap for value in one]
    assert of_numbers(sample(one), sample(other)).p == pytest.approx(0.05, abs=0.003)


def test_false_alarms_are_as_rare_as_they_say() -> None:
    chance = random.Random(7)
    alarms = sum(
        of_numbers(
            sample([chance.random() for _ in range(80)]), sample([chance.random() for _ in range(120)])
        ).p < 0.05
        for _ in range(400)
    )  # fmt: skip
    assert alarms <= 0.05 * 400 * 1.6


def test_rows_of_one_request_count_once() -> None:
    rows = Sample(values=(0.9,) * 1000, weights=(0.001,) * 1000)
    found = of_numbers(rows, sample([n / 50 for n in range(50)]))
    assert found.sizes == (pytest.approx(1.0), 50)
    assert found.distance > 0.8
    assert found.p > 0.05, "a thousand rows that one client sent say little of all clients"


def test_nothing_is_said_of_an_empty_sample() -> None:
    assert of_numbers(Sample(), sample([1.0])).p == 1.0
    assert of_classes(Sample(), sample(["a"])).p == 1.0


def test_a_class_that_one_version_never_answers_is_seen() -> None:
    found = of_classes(sample(["a"] * 100), sample(["a"] * 50 + ["b"] * 50))
    assert found.distance == pytest.approx(0.5)
    assert found.p < 1e-12
    assert of_classes(sample(["a", "b"] * 50), sample(["b", "a"] * 50)).p == 1.0
