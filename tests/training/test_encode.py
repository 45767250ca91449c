"""Whole columns and single rows must become the same numbers."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from lifecycle.encoding import ORDINAL, STANDARD, Encoder
from lifecycle.spec import Kind, Task
from training import encode, predict

FEATURES = (("n", Kind.NUMBER), ("i", Kind.INTEGER), ("b", Kind.BOOLEAN), ("t", Kind.DATETIME), ("c", Kind.CATEGORY))
SCHEMA = {"n": pl.Float64, "i": pl.Int64, "b": pl.Boolean, "t": pl.Datetime("us", "UTC"), "c": pl.String}

a_row = st.fixed_dictionaries(
    {
        "n": st.none() | st.floats(),
        "i": st.none() | st.integers(-(2**63), 2**63 - 1),
        "b": st.none() | st.booleans(),
        "t": st.none() | st.datetimes(datetime(1677, 9, 22), datetime(2262, 4, 1), timezones=st.just(UTC)),
        "c": st.none() | st.sampled_from(["a", "b", "ü", ""]) | st.text(max_size=3),
    }
)


@given(
    st.lists(a_row, min_size=1, max_size=30),
    st.lists(a_row, min_size=1, max_size=10),
    st.sampled_from([ORDINAL, STANDARD]),
)
def test_columns_and_rows_are_encoded_to_the_same_bits(
    training: list[dict[str, Any]], rows: list[dict[str, Any]], layout: str
) -> None:
    frame = pl.DataFrame(training, schema=SCHEMA)
    target = np.arange(len(training)) % 2
    plain = encode.fit(frame, FEATURES, layout, target.astype(float))
    encoder = Encoder(plain)
    found = pl.DataFrame(rows, schema=SCHEMA)
    by_row = [encoder.encode(row) for row in rows]
    np.testing.assert_array_equal(encode.compact(found, plain), np.array(by_row))
    np.testing.assert_array_equal(encode.dense(found, plain), np.array([encoder.expand(row) for row in by_row]))
    if layout == STANDARD:
        np.testing.assert_array_equal(encode.spread(found, plain).toarray(), encode.dense(found, plain))


def test_logistic_regression_learns_the_same_from_a_sparse_matrix() -> None:
    frame = pl.DataFrame({"n": [i % 13 for i in range(400)], "c": [f"v{i * i % 37}" for i in range(400)]})
    labels = np.array([(i % 13 > 6) ^ (i * i % 37 > 15) for i in range(400)])
    plain = encode.fit(frame, (("n", Kind.NUMBER), ("c", Kind.CATEGORY)), STANDARD, labels.astype(float))
    estimator = LogisticRegression()
    assert encode.is_mostly_zero(plain)
    matrix = predict.inputs(frame, plain, estimator)
    assert sparse.issparse(matrix)
    by_sparse = predict.outputs(estimator.fit(matrix, labels), matrix, Task.BINARY, 2)
    dense = encode.dense(frame, plain)
    np.testing.assert_allclose(
        by_sparse, predict.outputs(estimator.fit(dense, labels), dense, Task.BINARY, 2), rtol=1e-4
    )


def test_categories_are_ordered_by_their_smoothed_mean_and_unlearned_ones_lie_at_the_overall_mean() -> None:
    values = ["low"] * 100 + ["high"] * 100 + ["rare"]
    target = np.array([0.0] * 100 + [1.0] * 100 + [1.0])
    entry = encode.fit(pl.DataFrame({"c": values}), (("c", Kind.CATEGORY),), ORDINAL, target)["inputs"][0]
    assert entry["categories"] == ["low", "rare", "high"]
    assert entry["missing"] == 0.5


def test_only_the_most_frequent_categories_are_kept() -> None:
    values = [f"v{i:03}" for i in range(400)] + ["v399", "v398"]
    entry = encode.fit(pl.DataFrame({"c": values}), (("c", Kind.CATEGORY),), STANDARD, np.zeros(402))["inputs"][0]
    assert len(entry["categories"]) == encode.MAX_CATEGORIES
    assert {"v398", "v399"} <= set(entry["categories"])


@pytest.mark.parametrize("values", [[None, None], [7.0, 7.0], [1e38, -1e38], [float("nan"), float("inf")]])
def test_columns_that_say_nothing_or_too_much_still_scale_to_finite_numbers(values: list[Any]) -> None:
    frame = pl.DataFrame({"n": values}, schema={"n": pl.Float64})
    plain = encode.fit(frame, (("n", Kind.NUMBER),), STANDARD, np.zeros(2))
    assert np.isfinite(encode.dense(frame, plain)).all()
    assert np.isfinite(Encoder(plain).encode({"n": 5.0})).all()
