"""Fitted (hist) gradient boosting of scikit-learn -> estimator data.

What they learned lies in private attributes (scikit-learn 1.9); evaluation proves the reading on every row.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)

from lifecycle.compiled_check_estimators import CATEGORICAL, MISSING_LEFT
from lifecycle.encoding import ORDINAL
from lifecycle.errors import ModelRejected
from lifecycle.spec import Task
from training.compile_trees import Nodes, Tree, of_sklearn

HIST: Final = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)
GRADIENT: Final = (GradientBoostingClassifier, GradientBoostingRegressor)
LOGARITHMIC: Final = ("poisson", "gamma")


def gradient(estimator: Any, task: Task) -> dict[str, Any]:
    """Return the data of gradient boosting. Raises ModelRejected when it starts from an estimator of the user's."""
    if estimator.init not in (None, "zero"):
        raise ModelRejected(f"gradient boosting with init={estimator.init!r} cannot be compiled; use None or 'zero'")
    nodes = Nodes.empty()
    for stage in estimator.estimators_:
        for tree in stage:
            # each leaf is multiplied as it is added up
            nodes.add(of_sklearn(tree.tree_, estimator.learning_rate * tree.tree_.value[:, 0, :]))
    nothing = np.zeros((1, estimator.n_features_in_))
    baseline = np.ravel(estimator._raw_predict_init(nothing)).astype(float).tolist()
    doubled = {"slope": 2.0} if estimator.loss == "exponential" else {}
    summed = {"pairwise": True} if task is Task.MULTICLASS else {}
    return nodes.data(link=_LINK[task], baseline=baseline, float32=True, **doubled, **summed)


_LINK = {Task.BINARY: "logistic", Task.MULTICLASS: "softmax", Task.REGRESSION: "identity"}


def hist(estimator: Any, task: Task, encoder: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of hist gradient boosting."""
    nodes = Nodes.empty()
    moved = _categories_first(estimator, encoder)
    for iteration in estimator._predictors:
        for predictor in iteration:
            nodes.add(_of_predictor(predictor, moved))
    logarithmic = task is Task.REGRESSION and estimator.loss in LOGARITHMIC
    baseline = np.ravel(estimator._baseline_prediction).astype(float).tolist()
    return nodes.data(link="exp" if logarithmic else _LINK[task], baseline=baseline)


@dataclass(frozen=True, slots=True)
class _Moved:
    """How hist gradient boosting renumbered its inputs: categories first, and their codes as it met them.

    `order` holds our position of each of its features, `known` our codes by its own (category features only), `unknown`
    our codes that it never met: it treats them as missing.
    """

    order: list[int]
    known: list[list[int]]
    unknown: list[list[int]]


def _categories_first(estimator: Any, encoder: Mapping[str, Any]) -> _Moved:
    if estimator._preprocessor is None:
        return _Moved(list(range(estimator.n_features_in_)), [], [])
    flags = estimator.is_categorical_
    fitted = estimator._preprocessor.named_transformers_["encoder"]
    known = [[int(value) for value in values if not np.isnan(value)] for values in fitted.categories_]
    sizes = [len(entry["categories"]) for entry in encoder["inputs"] if entry["as"] == "category"]
    if encoder["layout"] != ORDINAL or len(sizes) != len(known):
        raise ModelRejected(
            "hist gradient boosting with categorical_features behind a Pipeline's own encoder cannot be compiled; name "
            "the family hist-gradient-boosting in model.yaml, or let the encoder's numbers be numbers"
        )
    unknown = [sorted(set(range(size)) - set(codes)) for size, codes in zip(sizes, known, strict=True)]
    return _Moved([*np.flatnonzero(flags).tolist(), *np.flatnonzero(~flags).tolist()], known, unknown)


def _of_predictor(predictor: Any, moved: _Moved) -> Tree:
    nodes = predictor.nodes
    leaf = nodes["is_leaf"].astype(bool)
    missing_left, categorical = nodes["missing_go_to_left"].astype(bool), nodes["is_categorical"].astype(bool)
    sets = {}
    for place in np.flatnonzero(categorical & ~leaf).tolist():
        split = int(nodes["feature_idx"][place])
        bits = predictor.raw_left_cat_bitsets[nodes["bitset_idx"][place]]
        left = [code for i, code in enumerate(moved.known[split]) if (int(bits[i // 32]) >> (i % 32)) & 1]
        sets[place] = sorted(left + moved.unknown[split]) if missing_left[place] else sorted(left)
    return Tree(
        feature=[moved.order[split] for split in nodes["feature_idx"].astype(int).tolist()],
        threshold=np.nan_to_num(nodes["num_threshold"], posinf=sys.float_info.max).tolist(),
        left=np.where(leaf, -1, nodes["left"].astype(np.int64)).tolist(),
        right=nodes["right"].astype(int).tolist(),
        flags=(np.where(missing_left, MISSING_LEFT, 0) | np.where(categorical, CATEGORICAL, 0)).tolist(),
        leaves=nodes["value"].reshape(-1, 1).tolist(),
        cover=nodes["count"].astype(float).tolist(),
        sets=sets,
    )
