"""Random pipelines of scikit-learn's transformers: what they compile to makes the same numbers, to the last bit.

HYPOTHESIS_PROFILE=wide draws many more.
"""

import warnings
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingRegressor

from lifecycle import compiled
from lifecycle.encoding import NUMBER_LIMIT, Encoder, dense_width
from lifecycle.errors import ModelRejected, RequestRejected
from tests.training import pipeline_world as world
from tests.unit.test_compiled import body
from training import compile_pipeline, pandas_frame
from training.rows import clean

EXAMPLES = 150 if settings().max_examples <= 100 else 3000
TAKES_NAN = HistGradientBoostingRegressor()
NUMBERS = st.sampled_from(world.EDGES) | st.floats() | st.floats(width=32) | st.none() | st.floats(-9, 9)
ROW = st.fixed_dictionaries(
    {
        "size": NUMBERS,
        "odd": NUMBERS,
        "count": st.none() | st.integers(-9, 9) | st.integers(-(2**62), 2**62),
        "member": st.none() | st.booleans(),
        "at": st.none() | st.datetimes(datetime(1700, 1, 1), datetime(2261, 1, 1), timezones=st.just(UTC)),
        "place": st.none() | st.sampled_from([*world.PLACES, "", "?", "unseen"]) | st.text(max_size=3),
        "plan": st.none() | st.sampled_from(["a", "b", "c", "", "d"]),
    }
)


def fitted(seed: int, target: str, training: list[dict[str, Any]]) -> Any | None:
    """A random preprocessing, fitted; None when scikit-learn itself refuses the table."""
    frame = pl.DataFrame(training, schema=world.SCHEMA)
    chance = np.random.default_rng(seed)
    classes = np.arange(60) % (2 if target == "binary" else 3)
    labels = chance.normal(size=60) if target == "continuous" else chance.permutation(classes)
    made = world.Maker(seed).preprocessing()
    try:
        made.fit(pandas_frame.of(frame, world.FEATURES, world.PARTS), labels)
    except (ValueError, TypeError):
        return None
    return made


def encoder_of(transformer: Any) -> Encoder:
    """The encoder, through the file."""
    columns = list(pandas_frame.names(world.FEATURES, world.PARTS).values())
    plain = {"layout": "standard", "inputs": compile_pipeline.compiled(transformer, columns, TAKES_NAN)}
    zeros = [0.0] * dense_width(plain)
    linear = {"kind": "linear", "link": "logistic", "coefficients": [zeros], "intercept": [0.0]}
    return Encoder(compiled.read(compiled.write(body(encoder=plain, estimator=linear)))["encoder"])


def wanted(transformer: Any, rows: list[dict[str, Any]]) -> np.ndarray | None:
    """What scikit-learn makes of rows; None when it refuses a number that became infinite on the way."""
    frame = clean(pl.DataFrame(rows, schema=world.SCHEMA), dict(world.FEATURES))
    try:
        found = transformer.transform(pandas_frame.of(frame, world.FEATURES, world.PARTS))
    except ValueError as error:
        if "infinity" in str(error):
            return None
        raise
    return np.asarray(found.toarray() if hasattr(found, "toarray") else found, dtype=np.float64)


@given(
    st.integers(0, 2**40),
    st.sampled_from(["binary", "multiclass", "continuous"]),
    st.lists(ROW, min_size=1, max_size=12),
)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
)
def test_a_compiled_pipeline_makes_the_numbers_of_the_fitted_one(
    seed: int, target: str, drawn: list[dict[str, Any]]
) -> None:
    with warnings.catch_warnings():
        # unseen categories, empty columns and overflows are what is tried here
        warnings.simplefilter("ignore")
        training = world.training(seed)
        transformer = fitted(seed, target, training)
        if transformer is None:
            return
        try:
            encoder = encoder_of(transformer)
        except ModelRejected as error:
            if "infinite" in str(error):
                return
            raise
        rows = [*training[:20], *drawn]
        theirs = wanted(transformer, rows)
        for row, numbers in zip(
            rows, theirs if theirs is not None else [wanted(transformer, [r]) for r in rows], strict=True
        ):
            if numbers is None or (np.abs(numbers) > NUMBER_LIMIT).any():
                with pytest.raises(RequestRejected, match="too large"):
                    encoder.encode(row)
            else:
                np.testing.assert_array_equal(encoder.expand(encoder.encode(row)), np.ravel(numbers))
