"""PSI, KS and chi-square from tallies agree with scipy's on the rows themselves."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from scipy.stats import chi2_contingency, ks_2samp

from lifecycle import distance
from lifecycle.reference import ColumnReference
from lifecycle.schema import Kind
from tabular.look import look
from tabular.reference import column_reference

Floats = npt.NDArray[np.float64]
CHANCE = np.random.default_rng(11)
CASES: dict[str, tuple[Floats, Floats]] = {
    "nothing moved": (CHANCE.normal(0, 1, 60_000), CHANCE.normal(0, 1, 50_000)),
    "mean moved": (CHANCE.normal(1000, 1, 60_000), CHANCE.normal(1000.1, 1, 50_000)),
    "spread grew": (CHANCE.lognormal(1, 1, 60_000), CHANCE.lognormal(1, 1.3, 50_000)),
    "another unit": (CHANCE.lognormal(1, 1, 60_000), 1000 * CHANCE.lognormal(1, 1, 50_000)),
    "whole numbers": (CHANCE.poisson(4, 60_000).astype(float), CHANCE.poisson(5, 50_000).astype(float)),
    "many zeros": (
        np.where(CHANCE.random(60_000) < 0.6, 0, CHANCE.gamma(2, size=60_000)),
        np.where(CHANCE.random(50_000) < 0.5, 0, CHANCE.gamma(2, size=50_000)),
    ),
    "few rows": (CHANCE.normal(0, 1, 900), CHANCE.normal(0.5, 1, 300)),
    "one value": (np.full(1000, 3.0), np.full(700, 3.0001)),
}


def counted(before: Floats, after: Floats) -> tuple[ColumnReference, Sequence[int]]:
    reference = column_reference(pl.Series(before), Kind.NUMBER)
    tally = look(pl.Series(after), Kind.NUMBER, reference).tally
    assert tally is not None
    return reference, tally.counts


@pytest.mark.parametrize("name", list(CASES))
def test_the_gap_between_distributions_is_scipys_within_the_stated_error(name: str) -> None:
    before, after = CASES[name]
    reference, counts = counted(before, after)
    found = distance.kolmogorov_smirnov(reference.counts, counts).statistic
    exact = ks_2samp(before, after, method="asymp").statistic
    assert found <= exact + 1e-12
    assert exact - found <= reference.gap_error + 1e-12
    assert reference.gap_error <= max(1e-3, 1 / len(before))


@pytest.mark.parametrize("name", ["mean moved", "spread grew", "whole numbers", "many zeros"])
def test_psi_between_the_same_edges_is_that_of_the_rows(name: str) -> None:
    before, after = CASES[name]
    reference, counts = counted(before, after)
    ranks = np.array(list(accumulate(reference.counts)))
    ends = sorted({int(np.abs(ranks[:-1] - share * ranks[-1]).argmin()) for share in np.arange(0.1, 1, 0.1)})
    edges = [reference.edges[end] for end in ends]
    places = [0, *(end + 1 for end in ends), len(counts)]
    mine = [[sum(side[low:high]) for low, high in pairwise(places)] for side in (reference.counts, counts)]
    theirs = [np.bincount(np.searchsorted(edges, rows), minlength=len(edges) + 1).tolist() for rows in (before, after)]
    assert mine == theirs
    assert distance.psi(*mine) == distance.psi(*theirs)


def test_chi_square_of_categories_is_scipys_on_the_values() -> None:
    names = np.array(["EWR", "JFK", "LGA", "SWF"])
    before, after = (
        names[CHANCE.choice(4, rows, p=p)] for rows, p in ((9000, [0.4, 0.3, 0.2, 0.1]), (4000, [0.25] * 4))
    )
    reference = column_reference(pl.Series(before), Kind.CATEGORY)
    tally = look(pl.Series(after), Kind.CATEGORY, reference).tally
    assert tally is not None
    values = list(reference.values)
    table = np.array([[int((side == value).sum()) for value in values] for side in (before, after)])
    expected = chi2_contingency(table, correction=False)
    found = distance.chi_square(reference.counts, tally.counts)
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-12)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-9, abs=1e-300)
