"""Family + hyperparameters + seed -> an unfitted scikit-learn estimator, and the layout of input that it takes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge

from lifecycle import names, user_code
from lifecycle.encoding import ORDINAL, STANDARD
from lifecycle.errors import TrainingFailed
from lifecycle.spec import Candidate, ModelSpec, Task

FOREST_ROWS = 6_000
"""Rows that each tree of a forest draws at most: more cost time and hardly help trees of this size."""


def layout_of(entry: Candidate) -> str:
    """Return the layout (`lifecycle.encoding`) that a candidate's estimator is fitted on."""
    trees = entry.estimator is None and entry.family in (names.RANDOM_FOREST, names.HIST_GRADIENT_BOOSTING)
    return ORDINAL if trees else STANDARD


def build(
    entry: Candidate, spec: ModelSpec, parameters: Mapping[str, Any], code: Path, encoder: Mapping[str, Any]
) -> Any:
    """Return the estimator of one trial.

    Raises
    ------
    TrainingFailed
        when the family cannot learn the task, a hyperparameter is not one of the estimator's, or the user's function
        fails or returns something that cannot be fitted.
    """
    if entry.estimator is not None:
        return _custom(entry, spec, parameters, code)
    task, seed = spec.contract.task, spec.training.seed
    classify = task is not Task.REGRESSION
    fixed: dict[str, Any] = {"random_state": seed}
    if entry.family == names.LOGISTIC_REGRESSION and classify:
        family, fixed = LogisticRegression, {"max_iter": 300, **fixed}
    elif entry.family == names.LINEAR_REGRESSION and not classify:
        family, fixed = Ridge, {"solver": "cholesky", **fixed}
    elif entry.family == names.RANDOM_FOREST:
        family = RandomForestClassifier if classify else RandomForestRegressor
        fixed |= {"n_jobs": 1}
    elif entry.family == names.HIST_GRADIENT_BOOSTING:
        family = HistGradientBoostingClassifier if classify else HistGradientBoostingRegressor
        fixed |= {"early_stopping": False, "categorical_features": categorical(encoder)}
    else:
        raise TrainingFailed(f"family {entry.family!r} cannot learn a {task} task")
    try:
        return family(**fixed, **parameters)
    except TypeError as error:
        raise TrainingFailed(f"family {entry.family}: {error}; check candidates.search in model.yaml") from error


def categorical(encoder: Mapping[str, Any]) -> Any:
    """Return which positions hold categories (bool array), or None when none does."""
    from lifecycle.encoding import missing_codes

    flags = np.array([code is not None for code in missing_codes(encoder)], dtype=bool)
    return flags if flags.any() else None


def _custom(entry: Candidate, spec: ModelSpec, parameters: Mapping[str, Any], code: Path) -> Any:
    assert entry.estimator is not None
    module, _, function = entry.estimator.partition(":")
    if spec.estimators_sha256 is None:
        raise TrainingFailed(f"candidate {entry.family} names {entry.estimator}, but the spec holds no {module}.py")
    create = user_code.load_function(code, f"{module}.py", spec.estimators_sha256, function)
    try:
        estimator = create(**parameters)
    except Exception as error:  # the user's code may raise anything
        raise TrainingFailed(f"{entry.estimator} raised {type(error).__name__}: {error}") from error
    if not (hasattr(estimator, "fit") and hasattr(estimator, "get_params")):
        raise TrainingFailed(f"{entry.estimator} returned {type(estimator).__name__}, not a scikit-learn estimator")
    if "random_state" in estimator.get_params() and estimator.get_params()["random_state"] is None:
        estimator.set_params(random_state=spec.training.seed)
    return estimator
