"""Fitted XGBClassifier / XGBRegressor -> estimator data, in the float32 arithmetic of XGBoost.

Inputs, thresholds, leaves and running sums are float32. XGBoost sends a value left when it is below the threshold; the
format says "not above", so a threshold becomes the float32 before it. Categories of a split go right.
"""

import ctypes
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from lifecycle.compiled_check_estimators import CATEGORICAL, MISSING_LEFT
from lifecycle.errors import ModelRejected
from training.compile_trees import Nodes, Tree

IDENTITY: Final = (
    *("reg:squarederror", "reg:squaredlogerror", "reg:pseudohubererror", "reg:absoluteerror", "reg:quantileerror"),
)
LINKS: Final[Mapping[str, str]] = {
    "binary:logistic": "logistic-float32",
    "reg:logistic": "logistic-float32",
    "multi:softprob": "softmax-float32",
    "count:poisson": "exp-float32",
    "reg:gamma": "exp-float32",
    "reg:tweedie": "exp-float32",
    **dict.fromkeys(IDENTITY, "identity"),
}

logf = ctypes.CDLL(None).logf
logf.restype, logf.argtypes = ctypes.c_float, [ctypes.c_float]


def boosted(estimator: Any, sizes: Sequence[int | None]) -> dict[str, Any]:
    """Return the data of an XGBoost model; `sizes` holds the number of categories of each input, None for numbers.

    Raises ModelRejected for boosters and objectives that cannot be expressed.
    """
    booster = estimator.get_booster()
    learner = json.loads(booster.save_raw("json"))["learner"]
    kind, objective = learner["gradient_booster"]["name"], learner["objective"]["name"]
    if "weight_drop" in learner["gradient_booster"].get("model", {}):
        kind = "dart"  # kept under the name gbtree, with a weight for each tree
    if kind != "gbtree":
        raise ModelRejected(f"XGBoost with booster={kind!r} cannot be compiled; use booster='gbtree'")
    if objective not in LINKS:
        raise ModelRejected(f"XGBoost with objective {objective!r} cannot be compiled; {', '.join(LINKS)} can")
    model = learner["gradient_booster"]["model"]
    outputs = max(1, int(learner["learner_model_param"]["num_class"]))
    trees = [_tree(raw, sizes) for raw in _used(estimator, model)]
    groups: list[list[Tree]] = [[] for _ in range(outputs)]
    for tree, group in zip(trees, model["tree_info"], strict=False):
        groups[group].append(tree)
    nodes = Nodes.empty()
    # the format shares trees out in turn; within an output their order stays
    for turn in zip(*groups, strict=True):
        for tree in turn:
            nodes.add(tree)
    baseline = _baseline(learner, objective, outputs)
    return nodes.data(link=LINKS[objective], baseline=baseline, float32=True, single=True)


def _used(estimator: Any, model: Mapping[str, Any]) -> list[Any]:
    """The trees that answers use: those up to the best iteration after early stopping."""
    best = getattr(estimator, "best_iteration", None) if estimator.early_stopping_rounds else None
    last = model["iteration_indptr"][best + 1] if best is not None else len(model["trees"])
    trees: list[Any] = model["trees"][:last]
    if any(int(tree["tree_param"]["size_leaf_vector"]) > 1 for tree in trees):
        raise ModelRejected(
            "XGBoost with multi_strategy='multi_output_tree' cannot be compiled; use one_output_per_tree"
        )
    return trees


def _baseline(learner: Mapping[str, Any], objective: str, outputs: int) -> list[float]:
    """Base score in the space of the sums, as XGBoost forms it in float32."""
    told = learner["learner_model_param"]["base_score"].strip("[]").split(",")
    scores = np.array([float(text) for text in told], dtype=np.float32)
    # the C library's logf: numpy's own differs from it in the last bit
    if LINKS[objective] == "logistic-float32":
        one = np.float32(1)
        scores = np.array([-logf(ratio) for ratio in (one / scores - one).tolist()], dtype=np.float32)
    elif LINKS[objective] == "exp-float32":
        scores = np.array([logf(score) for score in scores.tolist()], dtype=np.float32)
    return [float(score) for score in np.broadcast_to(scores, (outputs,))]


def _tree(raw: Mapping[str, Any], sizes: Sequence[int | None]) -> Tree:
    conditions = np.array(raw["split_conditions"], dtype=np.float32)
    left = raw["left_children"]
    categorical = [bool(kind) for kind in raw["split_type"]]
    # a split of missing from known values may lie at minus infinity
    below = np.nan_to_num(np.nextafter(conditions, np.float32(-np.inf)).astype(np.float64), neginf=-sys.float_info.max)
    starts, lengths = raw["categories_segments"], raw["categories_sizes"]
    sets = {}
    for node, start, length in zip(raw["categories_nodes"], starts, lengths, strict=True):
        right = set(raw["categories"][start : start + length])
        size = sizes[raw["split_indices"][node]]
        if size is None:
            raise ModelRejected("XGBoost split a number as a category; compiled models take the contract's categories")
        sets[node] = sorted(set(range(size)) - right)
    flags = [
        (MISSING_LEFT if default else 0) | (CATEGORICAL if category else 0)
        for default, category in zip(raw["default_left"], categorical, strict=True)
    ]
    return Tree(
        feature=raw["split_indices"],
        threshold=below.tolist(),
        left=left,
        right=raw["right_children"],
        flags=flags,
        leaves=conditions.astype(np.float64).reshape(-1, 1).tolist(),
        cover=raw["sum_hessian"],
        sets=sets,
    )
