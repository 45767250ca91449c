"""Every kind of estimator, task and calibration: what is compiled answers as the fitted estimator, to the last bit.

Data sets, rows and settings are drawn: missing values, unseen categories, huge and tiny numbers, values equal to a
threshold or next to it, edges of float32, empty and foreign texts. HYPOTHESIS_PROFILE=wide draws many more.
"""

import math
import re
import warnings
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import polars as pl
import pytest
import xgboost
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sklearn import ensemble, linear_model, neighbors, neural_network, svm
from sklearn.calibration import CalibratedClassifierCV

from lifecycle.encoding import Encoder
from lifecycle.errors import ModelRejected
from lifecycle.estimator import Estimator
from lifecycle.packed import unpack
from lifecycle.scoring import CompiledModel
from lifecycle.spec import Task
from tests.training import estimator_world as world
from training.compile import Fitted, estimator_data

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


REFUSED = {
    "XGBoost with booster='dart'": lambda: xgboost.XGBClassifier(booster="dart", rate_drop=0.5, n_estimators=9),
    "XGBoost with booster='gblinear'": lambda: xgboost.XGBClassifier(booster="gblinear", n_estimators=2),
    "LightGBM with linear_tree": lambda: lightgbm.LGBMClassifier(linear_tree=True, n_estimators=2, verbose=-1),
    "SGDClassifier with loss 'hinge' has no probabilities": linear_model.SGDClassifier,
    "LinearSVC has no probabilities": svm.LinearSVC,
    "init=LogisticRegression": lambda: ensemble.GradientBoostingClassifier(init=linear_model.LogisticRegression()),
    "calibration by 'temperature'": lambda: CalibratedClassifierCV(svm.LinearSVC(), method="temperature"),
    "neighbors._classification.KNeighborsClassifier cannot": neighbors.KNeighborsClassifier,
    "MLPClassifier cannot": lambda: CalibratedClassifierCV(neural_network.MLPClassifier((2,)), cv=2),
}


@pytest.mark.filterwarnings("ignore")  # XGBoost calls both of its refused boosters deprecated, at every touch
@pytest.mark.parametrize("reason", REFUSED)
def test_what_cannot_be_compiled_is_refused_by_name(reason: str) -> None:
    chance = np.random.default_rng(0)
    numbers, labels = chance.normal(size=(80, 2)), np.arange(80) % 2
    estimator = REFUSED[reason]().fit(numbers, labels)
    encoder = {"layout": "ordinal", "inputs": [{"feature": name, "as": "number"} for name in "ab"]}
    fitted = Fitted(family="mine", estimator=estimator, encoder=encoder, classes=["no", "yes"], learned={})
    with pytest.raises(ModelRejected, match=rf"^mine: .*{re.escape(reason)}"):
        estimator_data(fitted, Task.BINARY)


@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_trees_after_the_best_iteration_do_not_count(library: str) -> None:
    chance = np.random.default_rng(0)
    numbers, labels = chance.normal(size=(200, 2)), np.arange(200) % 2
    family = xgboost.XGBClassifier if library == "xgboost" else lightgbm.LGBMClassifier
    quiet = {"verbose": False} if library == "xgboost" else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator = family(n_estimators=60, early_stopping_rounds=3, verbosity=-1 if library == "lightgbm" else 0)
        estimator.fit(numbers, labels, eval_set=[(numbers[:50], 1 - labels[:50])], **quiet)
        wanted = estimator.predict_proba(numbers)[:, 1].astype(float).tolist()
    encoder = {"layout": "ordinal", "inputs": [{"feature": name, "as": "number"} for name in "ab"]}
    fitted = Fitted(family="mine", estimator=estimator, encoder=encoder, classes=["no", "yes"], learned={})
    scored = Estimator(estimator_data(fitted, Task.BINARY), Encoder(encoder), encoder, 1)
    assert [scored.outputs(row)[0] for row in numbers.tolist()] == wanted


def test_nearly_all_combinations_are_equal_to_the_last_bit_and_the_rest_are_on_paper() -> None:
    assert len(NUMPY_EXP) <= 0.05 * len(world.COMBINATIONS)
    assert set(world.COMBINATIONS) >= NUMPY_EXP
    written = FORMAT.read_text()
    for name in {name for name, _, _ in NUMPY_EXP}:
        assert f"| {name} |" in written
