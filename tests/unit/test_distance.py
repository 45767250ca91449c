"""Distances between histograms and their chances agree with scipy."""

import math
import random
from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats
from scipy.spatial import distance as scipy_distance

from lifecycle import distance, drift
from lifecycle.significance import kolmogorov

histograms = st.integers(2, 30).flatmap(
    lambda bins: st.tuples(*[st.lists(st.integers(0, 500), min_size=bins, max_size=bins)] * 2)
)
both = histograms.filter(lambda pair: sum(pair[0]) > 0 and sum(pair[1]) > 0)


@given(st.floats(0.5, 500), st.floats(0, 2000))
def test_the_incomplete_gamma_function_is_scipys(shape: float, x: float) -> None:
    assert distance.upper_gamma(shape, x) == pytest.approx(special.gammaincc(shape, x), rel=1e-8, abs=1e-12)


@pytest.mark.parametrize(("shape", "x"), [(0.0, 1.0), (-1.0, 1.0), (1.0, -0.1)])
def test_the_incomplete_gamma_function_refuses_what_it_is_not_defined_for(shape: float, x: float) -> None:
    with pytest.raises(ValueError, match="shape > 0 and x >= 0"):
        distance.upper_gamma(shape, x)


@given(both)
def test_chi_square_is_scipys(pair: tuple[list[int], list[int]]) -> None:
    filled = [(a, b) for a, b in zip(*pair, strict=True) if a or b]
    found = distance.chi_square(*pair)
    if len(filled) < 2:
        assert found == distance.Chance()
        return
    expected = stats.chi2_contingency(list(zip(*filled, strict=True)), correction=False)
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-9, abs=1e-9)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-7, abs=1e-12)


@given(st.floats(0, 6))
def test_the_limit_of_the_largest_gap_is_scipys(scaled: float) -> None:
    assert kolmogorov(scaled) == pytest.approx(special.kolmogorov(scaled), rel=1e-9, abs=1e-12)


@given(both)
def test_the_rank_sum_is_scipys(pair: tuple[list[int], list[int]]) -> None:
    before, after = ([place for place, count in enumerate(part) for _ in range(count)] for part in pair)
    found = distance.rank_sum(*pair)
    if len({*before, *after}) < 2:
        assert found == distance.Chance()
        return
    expected = stats.mannwhitneyu(after, before, use_continuity=False, method="asymptotic")
    assert found.p == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)
    assert (found.statistic > 0) == (expected.statistic > len(before) * len(after) / 2)


@pytest.mark.parametrize("shift", [0.0, 0.05, 0.1, 0.2])
@pytest.mark.parametrize("rows", [200, 2000])
def test_the_largest_gap_between_samples_is_scipys(shift: float, rows: int) -> None:
    draw = random.Random(7)
    before, after = [[draw.gauss(mean, 1) for _ in range(rows)] for mean in (0.0, shift)]
    edges = sorted({*before, *after})
    places = {value: place for place, value in enumerate(edges)}
    counts = [[0] * len(edges), [0] * len(edges)]
    for side, values in zip(counts, (before, after), strict=True):
        for value in values:
            side[places[value]] += 1
    found, expected = distance.kolmogorov_smirnov(*counts), stats.ks_2samp(before, after, method="asymp")
    assert found.statistic == pytest.approx(expected.statistic, abs=1e-12)
    assert found.p == pytest.approx(expected.pvalue, rel=0.02, abs=1e-4)


def test_bins_of_a_thousandth_hide_at_most_a_thousandth_of_the_gap() -> None:
    draw = random.Random(3)
    before, after = [sorted(draw.gauss(mean, 1) for _ in range(4000)) for mean in (0.0, 0.1)]
    edges = before[3::4]
    counts = [[0] * (len(edges) + 1) for _ in range(2)]
    for side, values in zip(counts, (before, after), strict=True):
        for value in values:
            side[bisect_left(edges, value)] += 1
    exact = stats.ks_2samp(before, after).statistic
    assert exact - 1e-3 <= distance.kolmogorov_smirnov(*counts).statistic <= exact


@given(both)
def test_distances_are_bounded_and_zero_between_equals(pair: tuple[list[int], list[int]]) -> None:
    before, after = pair
    assert 0 <= distance.half_l1(before, after) <= 1
    assert 0 <= distance.kolmogorov_smirnov(before, after).statistic <= 1
    assert 0 <= distance.kolmogorov_smirnov(before, after).p <= 1
    assert 0 <= distance.psi(before, after) < math.inf
    for measure in (distance.half_l1, distance.psi):
        assert measure(before, before) == pytest.approx(0, abs=1e-12)
    assert distance.kolmogorov_smirnov(before, before) == distance.Chance(0.0, 1.0)
    assert distance.chi_square(before, before).p == pytest.approx(1.0)


@given(both)
def test_the_psi_is_the_symmetric_divergence_of_shares(pair: tuple[list[int], list[int]]) -> None:
    before, after = ([max(1, count) for count in part] for part in pair)
    one, two = ([count / sum(part) for count in part] for part in (before, after))
    expected = stats.entropy(one, two) + stats.entropy(two, one)
    assert distance.psi(before, after) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert distance.half_l1(before, after) == pytest.approx(scipy_distance.cityblock(one, two) / 2)


def test_there_is_one_definition_of_the_psi() -> None:
    assert drift.psi is distance.psi


@pytest.mark.parametrize(("before", "after"), [([], []), ([0, 0], [3, 4]), ([3, 4], [0, 0]), ([5], [7])])
def test_nothing_to_compare_is_no_difference(before: list[int], after: list[int]) -> None:
    assert distance.psi(before, after) == 0
    assert distance.half_l1(before, after) == 0
    assert distance.kolmogorov_smirnov(before, after).p == 1
    assert distance.rank_sum(before, after) == distance.Chance()
    assert distance.chi_square(before, after) == distance.Chance()
