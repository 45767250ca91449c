"""Settings of scikit-learn's transformers, one by one: what each compiles to makes the same numbers, bit for bit."""

import contextlib
import warnings
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.decomposition import PCA
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

from lifecycle.errors import ModelRejected, RequestRejected
from tests.training import pipeline_world as world
from tests.training.test_pipeline_parity import encoder_of, wanted
from training import pandas_frame

NUMBERS = ["size", "odd", "count"]
TEXTS = ["place", "plan"]
NAMED = make_column_selector(dtype_include="number")


def texts(*steps: Any) -> ColumnTransformer:
    return ColumnTransformer([("c", make_pipeline(*steps), TEXTS)])


def numbers(*steps: Any) -> ColumnTransformer:
    return ColumnTransformer([("n", make_pipeline(*steps), NUMBERS)])


def hot(unknown: str = "ignore", **settings: Any) -> OneHotEncoder:
    return OneHotEncoder(handle_unknown=unknown, **settings)


def codes(**settings: Any) -> OrdinalEncoder:
    return OrdinalEncoder(handle_unknown="use_encoded_value", **{"unknown_value": -1, **settings})


def constant(value: Any) -> SimpleImputer:
    return SimpleImputer(strategy="constant", fill_value=value)


def as_pandas(*parts: Any) -> ColumnTransformer:
    made = ColumnTransformer(list(parts), remainder="passthrough", verbose_feature_names_out=False)
    return made.set_output(transform="pandas")


CASES = {
    "listed categories": ColumnTransformer([("c", hot(categories=[["c", "never", "a"]]), ["plan"])]),
    "listed categories and NaN": ColumnTransformer([("c", hot(categories=[["c", "never", np.nan]]), ["plan"])]),
    "first dropped": texts(hot(drop="first")),
    "first dropped, infrequent ones": texts(hot("infrequent_if_exist", drop="first", min_frequency=4)),
    "unknown warned of": texts(hot("warn")),
    "infrequent by share": texts(hot("infrequent_if_exist", min_frequency=0.2)),
    "one-hot numbers": ColumnTransformer([("c", hot(), ["count", "member"])]),
    "one-hot of numbers and texts": ColumnTransformer([("c", hot(), ["member", "plan"])]),
    "one-hot numbers, infrequent ones": numbers(hot("infrequent_if_exist", max_categories=3)),
    "columns by number": ColumnTransformer([("a", StandardScaler(), [0, 2]), ("b", hot(), [-1])]),
    "columns by slice": ColumnTransformer([("a", StandardScaler(), slice("size", "count"))]),
    "columns by function": ColumnTransformer([("a", StandardScaler(), lambda _: ["odd", "size"])]),
    "remainder scaled": ColumnTransformer([("c", hot(), TEXTS)], remainder=RobustScaler(unit_variance=True)),
    "data frames": as_pandas(("c", codes(), TEXTS)),
    "data frames of one-hot": as_pandas(("c", hot(sparse_output=False), ["plan"]), ("d", "drop", ["place"])),
    "data frames, then selected": make_pipeline(
        as_pandas(("c", codes(unknown_value=np.nan), TEXTS)),
        ColumnTransformer([("n", SimpleImputer(strategy="median", add_indicator=True), NAMED)]),
    ),
    "ordinal, infrequent ones": texts(codes(min_frequency=5)),
    "ordinal of whole numbers": texts(codes(encoded_missing_value=-2, dtype=np.int32)),
    "-1 is missing": numbers(constant(-1), SimpleImputer(missing_values=-1)),
    "0 is missing": numbers(constant(0.0), SimpleImputer(missing_values=0, strategy="median", add_indicator=True)),
    "? is missing": texts(constant("?"), SimpleImputer(missing_values="?", strategy="most_frequent"), hot()),
    "missing texts": texts(MissingIndicator(features="all")),
    "missing texts beside": texts(SimpleImputer(strategy="most_frequent", add_indicator=True), hot()),
    "target without smoothing": texts(TargetEncoder(smooth=0.0)),
    "target of several classes": texts(TargetEncoder(target_type="multiclass"), StandardScaler()),
    "target of numbers and texts": ColumnTransformer([("c", TargetEncoder(), ["count", "plan"])]),
    "ordinal, then one-hot": texts(codes(encoded_missing_value=-2), hot()),
    "sparse, then scaled": make_pipeline(
        ColumnTransformer([("c", hot(), TEXTS)], sparse_threshold=1.0),
        StandardScaler(with_mean=False),
        RobustScaler(with_centering=False),
    ),
    "clipped": numbers(MinMaxScaler(clip=True)),
    "a wide range": numbers(MinMaxScaler((-1e9, 1e9))),
    "columns of columns": ColumnTransformer(
        [("x", ColumnTransformer([("s", StandardScaler(), ["size"])], remainder="passthrough"), NUMBERS)]
    ),
    "union": FeatureUnion([("a", texts(hot())), ("b", "drop"), ("c", numbers("passthrough"))]),
}
EXTREMES = [
    {"place": "unseen", "plan": "zz", "size": None, "odd": None, "count": None, "member": None, "at": None},
    {"place": "", "plan": None, "count": 77, "size": 5e-324},
    {"count": 2**62, "size": 4.0},
    {"plan": "?", "place": "missing_value", "count": -1, "odd": -1.0},
]


def table(seed: int) -> list[dict[str, Any]]:
    """Rows without numbers whose square is infinite."""
    rows = world.training(seed)
    return [{**row, "odd": 3.0 if (row["odd"] or 0) > 1e100 else row["odd"]} for row in rows]


def fit(transformer: Any, rows: list[dict[str, Any]], classes: int) -> None:
    frame = pl.DataFrame(rows, schema=world.SCHEMA)
    transformer.fit(pandas_frame.of(frame, world.FEATURES, world.PARTS), np.arange(len(rows)) % classes)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("seed", [1, 7])
def test_a_transformer_with_a_setting_compiles_to_the_same_numbers(case: str, seed: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of unseen values and empty columns
        known = table(seed)
        fit(CASES[case], known, 3 if case == "target of several classes" else 2)
        rows = [*known, *({**known[0], **row} for row in EXTREMES)]
        theirs = wanted(CASES[case], rows)
        encoder = encoder_of(CASES[case])
    assert theirs is not None
    for row, line in zip(rows, theirs, strict=True):
        np.testing.assert_array_equal(encoder.expand(encoder.encode(row)), line)


REFUSING = {
    "one-hot": texts(OneHotEncoder()),
    "one-hot, first dropped": texts(OneHotEncoder(drop="first")),
    "one-hot, infrequent ones": texts(OneHotEncoder(min_frequency=4)),
    "filled": texts(SimpleImputer(strategy="most_frequent"), OneHotEncoder()),
    "filled with what is not learned": texts(constant("?"), OneHotEncoder()),
    "ordinal": texts(OrdinalEncoder(encoded_missing_value=-5), StandardScaler()),
    "ordinal, missing ones stay": texts(OrdinalEncoder()),
    "numbers": ColumnTransformer([("c", OneHotEncoder(), ["count", "member"])]),
    "numbers in order": numbers(OrdinalEncoder()),
}


@pytest.mark.parametrize("case", REFUSING)
@pytest.mark.parametrize("full", [True, False])
def test_an_encoder_that_refuses_rows_refuses_the_same_rows_compiled(case: str, full: bool) -> None:
    known = table(1)
    if full:
        known = [row for row in known if None not in row.values() and "" not in row.values()]
    learned, transformer = known[:25], REFUSING[case]
    outcomes = set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit(transformer, learned, 2)
        encoder = encoder_of(transformer)
        for row in [*table(1), *({**learned[0], **row} for row in EXTREMES)]:
            theirs = None
            with contextlib.suppress(ValueError):
                theirs = wanted(transformer, [row])
            outcomes.add(theirs is None)
            if theirs is None:
                with pytest.raises(RequestRejected, match=r"has not learned this value|is missing or unknown"):
                    encoder.encode(row)
            else:
                np.testing.assert_array_equal(encoder.expand(encoder.encode(row)), theirs[0])
    assert outcomes == {True, False}


@pytest.mark.parametrize(
    ("transformer", "named"),
    [
        (numbers(constant(0.0), PolynomialFeatures()), "PolynomialFeatures cannot be compiled"),
        (numbers(constant(0.0), PCA(2)), "PCA cannot be compiled"),
        (numbers(QuantileTransformer(n_quantiles=9)), "QuantileTransformer cannot be compiled"),
        (numbers(FunctionTransformer(np.cbrt)), r"FunctionTransformer\(cbrt\) cannot be compiled"),
        (texts(hot(dtype=np.float32)), r"OneHotEncoder\(dtype=float32\) cannot be compiled"),
        (texts(codes(), OneHotEncoder()), "an encoder that refuses values must be the first step of its column"),
        (ColumnTransformer([("c", "passthrough", ["plan"])]), "plan reaches the estimator as text; encode it or drop"),
    ],
)
def test_what_cannot_be_compiled_is_refused_by_name(transformer: Any, named: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit(transformer, table(1), 2)
        with pytest.raises(ModelRejected, match=named):
            encoder_of(transformer)
