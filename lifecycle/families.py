"""The built-in candidate families of each task and the hyperparameters that are tried by default.

Spaces are small on purpose: what they can reach compiles to well under the size budget and scores in microseconds. The
first value of each is the default, tried first.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lifecycle import names
from lifecycle.errors import TrainingFailed
from lifecycle.spec import Candidate, ModelSpec, Task

Space = Mapping[str, Sequence[Any]]

SPACES: Final[Mapping[str, Space]] = {
    names.LOGISTIC_REGRESSION: {"C": (1.0, 0.1, 0.01, 10.0, 0.001, 100.0)},
    names.LINEAR_REGRESSION: {"alpha": (1.0, 0.01, 10.0, 100.0, 0.1, 1000.0)},
    names.RANDOM_FOREST: {
        "max_leaf_nodes": (128, 64, 160),
        "min_samples_leaf": (5, 20, 50),
        "max_features": (0.3, 0.15, 0.5),
        "n_estimators": (50,),
    },
    names.HIST_GRADIENT_BOOSTING: {
        "learning_rate": (0.06, 0.1, 0.03),
        "max_leaf_nodes": (31, 15),
        "min_samples_leaf": (50, 20, 100),
        "l2_regularization": (1.0, 10.0, 0.0),
        "max_iter": (100,),
    },
}


def built_in(task: Task) -> tuple[str, ...]:
    """Return the built-in families that can learn a task, simplest first."""
    simplest = names.LINEAR_REGRESSION if task is Task.REGRESSION else names.LOGISTIC_REGRESSION
    return (simplest, names.RANDOM_FOREST, names.HIST_GRADIENT_BOOSTING)


def candidates(spec: ModelSpec) -> tuple[Candidate, ...]:
    """Return the families to train: those of the spec, or every built-in one of its task."""
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
