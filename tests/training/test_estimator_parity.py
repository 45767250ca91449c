"""Every kind of estimator, task and calibration: what is compiled answers as the fitted estimator, to the last bit.

Data sets, rows and settings are drawn: missing values, unseen categories, huge and tiny numbers, values equal to a
threshold or next to it, edges of float32, empty and foreign texts. HYPOTHESIS_PROFILE=wide draws many more.
"""

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lifecycle.packed import unpack
from lifecycle.scoring import CompiledModel
from lifecycle.spec import Task
from tests.training import estimator_world as world

NUMPY_EXP = {
    ("logistic-regression", Task.MULTICLASS, ""),
    ("gradient-boosting", Task.MULTICLASS, ""),
    ("gradient-boosting from zero", Task.MULTICLASS, ""),
    ("hist-gradient-boosting", Task.MULTICLASS, ""),
    ("hist-gradient-boosting poisson", Task.REGRESSION, ""),
}
"""Their last step is numpy's own exp, which on processors with AVX-512 differs from the C library's in the last bit."""

FORMAT = Path(__file__).parents[2] / "docs/compiled-format.md"
EXAMPLES = 3 if settings().max_examples <= 100 else 60
PHASES = (Phase.explicit, Phase.generate)  # to make a failing data set smaller takes minutes and explains nothing


def thresholds(model: CompiledModel) -> list[float]:
    """Thresholds of the trees and the numbers beside them, in float64 and in float32."""
    data = model.body["estimator"]
    members = [member["estimator"] for member in data["members"]] if data["kind"] == "calibrated" else [data]
    found = [value for one in members if one["kind"] == "trees" for value in unpack("d", one["threshold"])]
    near = [math.nextafter(value, math.inf) for value in found[:50]]
    with np.errstate(over="ignore"):
        next_single = [float(np.nextafter(np.float32(value), np.float32(np.inf))) for value in found[:50]]
    return sorted({*found, *near, *next_single})[:400]


def rows(model: CompiledModel) -> st.SearchStrategy[list[dict[str, Any]]]:
    numbers = st.one_of(
        st.sampled_from([*world.EDGES, *thresholds(model)]),
        st.none(),
        st.floats(),
        st.floats(-9, 9),
        st.floats(width=32),
    )
    row = {
        "size": numbers,
        "wide": numbers,
        "count": st.none() | st.integers(-6, 40) | st.integers(-(2**62), 2**62),
        "place": st.sampled_from([*world.PLACES, "", "unseen", None]) | st.text(max_size=4),
    }
    return st.lists(st.fixed_dictionaries(row), min_size=8, max_size=8)


@pytest.mark.parametrize(("name", "task", "calibration"), world.COMBINATIONS)
def test_a_compiled_estimator_answers_as_the_fitted_one(name: str, task: Task, calibration: str) -> None:
    @given(st.data(), st.integers(0, 2**32), st.lists(st.floats(allow_infinity=False, allow_nan=False), max_size=5))
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
    def check(drawn: st.DataObject, seed: int, special: list[float]) -> None:
        with warnings.catch_warnings():
            # what the libraries remark on such data (no convergence, constant columns) is beside the point here
            warnings.simplefilter("ignore")
            frame, labels = world.table(seed, task, [*special, *world.EDGES])
            fitted, model = world.fitted(name, task, calibration, frame, labels)
            more, _ = world.table(seed + 1, task, [*world.EDGES, *thresholds(model)], 80)
            asked = [*frame.head(20).to_dicts(), *more.to_dicts(), *drawn.draw(rows(model))]
            wanted = world.answers(fitted, task, pl.DataFrame(asked, schema=world.TYPES)).tolist()
        found = model.outputs(asked)
        if (name, task, calibration) in NUMPY_EXP:
            for ours, theirs in zip(found, wanted, strict=True):
                assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-12)
        else:
            assert found == wanted
        model.accelerate()
        assert model.outputs(asked) == found

    check()


def test_nearly_all_combinations_are_equal_to_the_last_bit_and_the_rest_are_on_paper() -> None:
    assert len(NUMPY_EXP) <= 0.05 * len(world.COMBINATIONS)
    assert set(world.COMBINATIONS) >= NUMPY_EXP
    written = FORMAT.read_text()
    for name in {name for name, _, _ in NUMPY_EXP}:
        assert f"| {name} |" in written
