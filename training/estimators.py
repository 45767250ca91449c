"""Family + hyperparameters + seed -> an unfitted scikit-learn estimator, and the layout of input that it takes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import ensemble, linear_model, tree

from lifecycle import families, names, user_code
from lifecycle.encoding import ORDINAL, STANDARD, missing_codes, width_of
from lifecycle.errors import TrainingFailed
from lifecycle.spec import Candidate, ModelSpec, Task
from training import threads

FOREST_ROWS = 6_000
"""Rows that each tree of a forest draws at most: more cost time and hardly help trees of this size."""
FORESTS = (names.RANDOM_FOREST, names.EXTRA_TREES)
OF_INDICES = (*FORESTS, names.DECISION_TREE, names.HIST_GRADIENT_BOOSTING, names.XGBOOST, names.LIGHTGBM)
"""Families that take categories as indices and missing numbers as they are."""
CLASSES: Mapping[str, tuple[Any, Any]] = {
    names.LOGISTIC_REGRESSION: (linear_model.LogisticRegression, None),
    names.LINEAR_REGRESSION: (None, linear_model.LinearRegression),
    names.RIDGE: (None, linear_model.Ridge),
    names.LASSO: (None, linear_model.Lasso),
    names.ELASTIC_NET: (None, linear_model.ElasticNet),
    names.SGD: (linear_model.SGDClassifier, linear_model.SGDRegressor),
    names.DECISION_TREE: (tree.DecisionTreeClassifier, tree.DecisionTreeRegressor),
    names.RANDOM_FOREST: (ensemble.RandomForestClassifier, ensemble.RandomForestRegressor),
    names.EXTRA_TREES: (ensemble.ExtraTreesClassifier, ensemble.ExtraTreesRegressor),
    names.GRADIENT_BOOSTING: (ensemble.GradientBoostingClassifier, ensemble.GradientBoostingRegressor),
    names.HIST_GRADIENT_BOOSTING: (
        ensemble.HistGradientBoostingClassifier,
        ensemble.HistGradientBoostingRegressor,
    ),
}


def layout_of(entry: Candidate) -> str:
    """Return the layout (`lifecycle.encoding`) that a candidate's estimator is fitted on."""
    return ORDINAL if entry.estimator is None and entry.family in OF_INDICES else STANDARD


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
    task = spec.contract.task
    if entry.family not in families.of_task(task):
        raise TrainingFailed(f"family {entry.family!r} cannot learn a {task} task")
    family, fixed = _class_of(entry.family, task), _fixed(entry.family, task, spec, encoder)
    try:
        return family(**{**fixed, **parameters})
    except TypeError as error:
        raise TrainingFailed(f"family {entry.family}: {error}; check candidates.search in model.yaml") from error


def fit_arguments(entry: Candidate, encoder: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `fit` is told beside inputs, labels and weights."""
    flags = categorical(encoder)
    if entry.estimator is not None or entry.family != names.LIGHTGBM or flags is None:
        return {}
    return {"categorical_feature": np.flatnonzero(flags).tolist()}


def categorical(encoder: Mapping[str, Any]) -> Any:
    """Return which positions hold categories (bool array), or None when none does."""
    flags = np.array([code is not None for code in missing_codes(encoder)], dtype=bool)
    return flags if flags.any() else None


def _class_of(family: str, task: Task) -> Any:
    regress = task is Task.REGRESSION
    if family == names.XGBOOST:
        import xgboost  # not in the image: only for models that name the family

        return xgboost.XGBRegressor if regress else xgboost.XGBClassifier
    if family == names.LIGHTGBM:
        import lightgbm

        return lightgbm.LGBMRegressor if regress else lightgbm.LGBMClassifier
    return CLASSES[family][regress]


def _fixed(family: str, task: Task, spec: ModelSpec, encoder: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that are not searched: the seed, threads, categories, and what makes equal input give equal models."""
    fixed: dict[str, Any] = {} if family == names.LINEAR_REGRESSION else {"random_state": spec.training.seed}
    flags = categorical(encoder)
    if family == names.LOGISTIC_REGRESSION:
        fixed |= {"max_iter": 300}
    elif family == names.RIDGE:
        fixed |= {"solver": "cholesky"}
    elif family == names.SGD and task is not Task.REGRESSION:
        fixed |= {"loss": "log_loss"}
    elif family in FORESTS:
        # trees draw rows in both, so that `max_samples` bounds them
        fixed |= {"n_jobs": 1, "bootstrap": True}
    elif family == names.HIST_GRADIENT_BOOSTING:
        fixed |= {"early_stopping": False, "categorical_features": flags}
    elif family == names.XGBOOST:
        positions = missing_codes(encoder)
        kinds = ["q" if code is None else "c" for code in positions]
        fixed |= {"n_jobs": threads.share(), "feature_types": kinds, "enable_categorical": True}
    elif family == names.LIGHTGBM:
        fixed |= {"n_jobs": threads.share(), "deterministic": True, "force_row_wise": True, "verbose": -1}
    directions = _directions(spec, encoder)
    if any(directions) and family in families.MONOTONIC:
        key = "monotonic_cst" if family == names.HIST_GRADIENT_BOOSTING else "monotone_constraints"
        fixed |= {key: tuple(directions) if family == names.XGBOOST else directions}
    return fixed


def _directions(spec: ModelSpec, encoder: Mapping[str, Any]) -> list[int]:
    """Per input of the estimator 1 (rises), -1 (falls) or 0 (free)."""
    rules = {column.name: column.monotonic for column in spec.contract.columns}
    signs = {"increasing": 1, "decreasing": -1, None: 0}
    return [signs[rules.get(entry["feature"])] for entry in encoder["inputs"] for _ in range(width_of(entry))]


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
