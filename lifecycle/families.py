"""The built-in candidate families of each task and the hyperparameters that are tried by default.

Spaces are small on purpose: what they can reach compiles to well under the size budget and scores in microseconds. The
first value of each is the default, tried first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from lifecycle import names
from lifecycle.errors import TrainingFailed
from lifecycle.spec import Candidate, ModelSpec, Task

Space = Mapping[str, Sequence[Any]]

FOREST: Final[Space] = {
    "max_leaf_nodes": (128, 64, 160),
    "min_samples_leaf": (5, 20, 50),
    "max_features": (0.3, 0.15, 0.5),
    "n_estimators": (50,),
}
SPACES: Final[Mapping[str, Space]] = {
    names.LOGISTIC_REGRESSION: {"C": (1.0, 0.1, 0.01, 10.0, 0.001, 100.0)},
    names.RIDGE: {"alpha": (1.0, 0.01, 10.0, 100.0, 0.1, 1000.0)},
    names.LASSO: {"alpha": (0.01, 0.001, 0.1, 1.0, 10.0)},
    names.ELASTIC_NET: {"alpha": (0.01, 0.001, 0.1, 1.0), "l1_ratio": (0.5, 0.15, 0.85)},
    names.SGD: {"alpha": (1e-4, 1e-5, 1e-3, 1e-2), "penalty": ("l2", "elasticnet")},
    names.DECISION_TREE: {"max_leaf_nodes": (64, 32, 128), "min_samples_leaf": (20, 5, 50)},
    names.RANDOM_FOREST: FOREST,
    names.EXTRA_TREES: FOREST,
    names.GRADIENT_BOOSTING: {
        "learning_rate": (0.1, 0.05, 0.2),
        "max_depth": (3, 4, 2),
        "subsample": (0.8, 1.0),
        "n_estimators": (100,),
    },
    names.HIST_GRADIENT_BOOSTING: {
        "learning_rate": (0.06, 0.1, 0.03),
        "max_leaf_nodes": (31, 15),
        "min_samples_leaf": (50, 20, 100),
        "l2_regularization": (1.0, 10.0, 0.0),
        "max_iter": (100,),
    },
    names.XGBOOST: {
        "learning_rate": (0.1, 0.05, 0.2),
        "max_depth": (5, 4, 6),
        "min_child_weight": (5.0, 1.0, 20.0),
        "reg_lambda": (1.0, 10.0),
        "n_estimators": (100,),
    },
    names.LIGHTGBM: {
        "learning_rate": (0.06, 0.1, 0.03),
        "num_leaves": (31, 15),
        "min_child_samples": (50, 20, 100),
        "reg_lambda": (1.0, 10.0, 0.0),
        "n_estimators": (100,),
    },
}

MONOTONIC: Final = (names.HIST_GRADIENT_BOOSTING, names.XGBOOST, names.LIGHTGBM)
"""Families that can be held to rise or fall with a column."""

PACKAGES: Final[Mapping[str, str]] = {names.XGBOOST: "xgboost", names.LIGHTGBM: "lightgbm"}
"""Families whose package the training image lacks; the jobs of a model that names one get it."""


def built_in(task: Task) -> tuple[str, ...]:
    """Return the families that are trained when model.yaml names none, simplest first: few, and fast."""
    simplest = names.RIDGE if task is Task.REGRESSION else names.LOGISTIC_REGRESSION
    return (simplest, names.RANDOM_FOREST, names.HIST_GRADIENT_BOOSTING)


def of_task(task: Task) -> tuple[str, ...]:
    """Return every built-in family that can learn a task."""
    other = names.CLASSIFIERS_ONLY if task is Task.REGRESSION else names.REGRESSORS_ONLY
    return tuple(name for name in names.FAMILIES if name not in other)


def packages(spec: ModelSpec) -> tuple[str, ...]:
    """Return the packages that the jobs of a model need beside those of the image, as they are imported."""
    named = {entry.family for entry in spec.training.candidates if entry.estimator is None}
    return tuple(package for family, package in PACKAGES.items() if family in named)


def candidates(spec: ModelSpec) -> tuple[Candidate, ...]:
    """Return the families to train: those of the spec, or the small set of its task."""
    return spec.training.candidates or tuple(Candidate(family=name) for name in built_in(spec.contract.task))


def candidate(spec: ModelSpec, family: str) -> Candidate:
    """Return the candidate of a family name. Raises TrainingFailed when the spec has none of that name."""
    found = {entry.family: entry for entry in candidates(spec)}
    if family not in found:
        raise TrainingFailed(f"family {family!r} is not a candidate of {spec.model}; candidates: {', '.join(found)}")
    return found[family]


def space(entry: Candidate) -> Space:
    """Return the hyperparameters to try: the candidate's own for those it names, the family's defaults for the rest."""
    return {**(SPACES.get(entry.family, {}) if entry.estimator is None else {}), **entry.search}


def settled(entry: Candidate, given: Mapping[str, Any]) -> Candidate:
    """Return the candidate with one value for each hyperparameter: the given one, or the first that would be tried.

    >>> settled(Candidate(family="ridge"), {"fit_intercept": False}).search
    {'alpha': (1.0,), 'fit_intercept': (False,)}
    """
    first = {name: values[0] for name, values in space(entry).items()}
    return replace(entry, search={name: (value,) for name, value in {**first, **given}.items()})
