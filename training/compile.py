"""Fitted estimator + encoder -> compiled model file (docs/compiled-format.md). Refuses what it cannot express."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from lifecycle import compiled
from lifecycle.compiled_check import CATEGORICAL, LEAF, MISSING_LEFT
from lifecycle.errors import ModelRejected
from lifecycle.packed import pack
from lifecycle.spec import ModelSpec, Task, contract_to_plain

FORESTS = (RandomForestClassifier, RandomForestRegressor, ExtraTreesClassifier, ExtraTreesRegressor)
SINGLE = (DecisionTreeClassifier, DecisionTreeRegressor)
BOOSTED = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A family's best trial: estimator, encoder (plain data), classes (the positive one last), learned values."""

    family: str
    estimator: Any
    encoder: Mapping[str, Any]
    classes: Sequence[str] | None
    learned: Mapping[str, Sequence[str]]


def compile_model(fitted: Fitted, spec: ModelSpec, threshold: float | None, run_id: str, version: str) -> bytes:
    """Return the compiled file of a fitted model.

    Raises
    ------
    ModelRejected
        when the estimator is of a class that cannot be compiled, or the result does not pass the checks of its format.
    """
    contract = contract_to_plain(spec.contract)
    return compiled.write(
        {
            "task": str(spec.contract.task),
            "family": fitted.family,
            "classes": None if fitted.classes is None else list(fitted.classes),
            "threshold": threshold,
            "contract": contract,
            "features_sha256": spec.features_sha256 if contract.get("derived") else None,
            "learned": {name: list(values) for name, values in fitted.learned.items()},
            "encoder": fitted.encoder,
            "estimator": estimator_data(fitted, spec.contract.task),
            "ids": {
                "run_id": run_id,
                "data_version": version,
                "spec_id": spec.spec_id,
                "contract_id": spec.contract.contract_id,
            },
        }
    )


def estimator_data(fitted: Fitted, task: Task) -> dict[str, Any]:
    """Return the estimator as plain data. Raises ModelRejected for a class that cannot be compiled."""
    estimator = fitted.estimator
    if isinstance(estimator, LogisticRegression):
        return _linear(estimator, "logistic" if task is Task.BINARY else "softmax")
    if isinstance(estimator, Ridge | LinearRegression):
        return _linear(estimator, "identity")
    if isinstance(estimator, FORESTS):
        return _forest([tree.tree_ for tree in estimator.estimators_], task)
    if isinstance(estimator, SINGLE):
        return _forest([estimator.tree_], task)
    if isinstance(estimator, BOOSTED):
        return _boosted(estimator, task, fitted.encoder)
    raise ModelRejected(
        f"{fitted.family}: {type(estimator).__module__}.{type(estimator).__qualname__} cannot be compiled; linear and "
        "logistic models, trees, forests and hist gradient boosting can. An endpoint for others (serving.target: "
        "serverless) comes later"
    )


def _linear(estimator: Any, link: str) -> dict[str, Any]:
    coefficients = np.atleast_2d(estimator.coef_)
    intercept = np.broadcast_to(np.atleast_1d(estimator.intercept_), (len(coefficients),))
    return {"kind": "linear", "link": link, "coefficients": coefficients.tolist(), "intercept": intercept.tolist()}


@dataclass(slots=True)
class _Nodes:
    """Tree arrays under construction, all trees one after the other in depth-first order."""

    roots: list[int]
    feature: list[int]
    threshold: list[float]
    right: list[int]
    flags: list[int]
    leaves: list[float]
    sets: list[list[int]]
    cover: list[float]

    @classmethod
    def empty(cls) -> "_Nodes":
        return cls([], [], [], [], [], [], [], [])

    def data(self, *, link: str, baseline: Sequence[float], forest: bool, leaf_width: int) -> dict[str, Any]:
        arrays = {
            "roots": pack("i", self.roots),
            "feature": pack("i", self.feature),
            "threshold": pack("d", self.threshold),
            "right": pack("i", self.right),
            "flags": pack("B", self.flags),
            "leaves": pack("d", self.leaves),
            "cover": pack("f", self.cover),
            "sets": self.sets,
        }
        switches = {"average": forest, "float32": forest, "leaf_width": leaf_width}
        return {"kind": "trees", "link": link, "baseline": list(baseline), **arrays, **switches}


def _forest(trees: Iterable[Any], task: Task) -> dict[str, Any]:
    nodes = _Nodes.empty()
    outputs = 1
    for tree in trees:
        values = tree.value[:, 0, :]
        outputs = values.shape[1] if task is Task.MULTICLASS else 1
        # a binary tree's leaf holds the shares of both classes; only the positive one, the last, is answered
        leaves = values if task is Task.MULTICLASS else values[:, -1:]
        _append(nodes, _Tree(tree.feature, tree.threshold, tree.children_left, tree.children_right, leaves), tree)
    return nodes.data(link="identity", baseline=[0.0] * outputs, forest=True, leaf_width=outputs)


@dataclass(frozen=True, slots=True)
class _Tree:
    feature: npt.NDArray[Any]
    threshold: npt.NDArray[Any]
    left: npt.NDArray[Any]
    right: npt.NDArray[Any]
    leaves: npt.NDArray[Any]


def _append(nodes: _Nodes, tree: _Tree, raw: Any) -> None:
    """Add a tree of `sklearn.tree`, renumbered depth first (best-first growth leaves another order)."""
    nodes.roots.append(len(nodes.feature))
    # a split of missing from known values has an infinite threshold; no usable value exceeds the largest float either
    finite = np.nan_to_num(tree.threshold, posinf=sys.float_info.max, neginf=-sys.float_info.max)
    feature, threshold, left, right = (a.tolist() for a in (tree.feature, finite, tree.left, tree.right))
    missing_left = raw.missing_go_to_left.tolist()
    leaves, cover = tree.leaves.tolist(), raw.weighted_n_node_samples.tolist()
    waiting: list[tuple[int, int]] = [(0, -1)]
    while waiting:
        node, parent = waiting.pop()
        place = len(nodes.feature)
        if parent >= 0:
            nodes.right[parent] = place
        nodes.cover.append(cover[node])
        if left[node] < 0:
            _append_leaf(nodes, leaves[node])
            continue
        nodes.feature.append(feature[node])
        nodes.threshold.append(threshold[node])
        nodes.right.append(0)
        nodes.flags.append(MISSING_LEFT if missing_left[node] else 0)
        waiting.append((right[node], place))
        waiting.append((left[node], -1))


def _append_leaf(nodes: _Nodes, values: list[float]) -> None:
    nodes.feature.append(LEAF)
    nodes.flags.append(0)
    if len(values) == 1:
        nodes.threshold.append(values[0])
        nodes.right.append(0)
    else:
        nodes.threshold.append(0.0)
        nodes.right.append(len(nodes.leaves) // len(values))
        nodes.leaves.extend(values)


def _boosted(estimator: Any, task: Task, encoder: Mapping[str, Any]) -> dict[str, Any]:
    # scikit-learn keeps what it learned in private attributes (1.9); evaluation proves the reading on every row
    nodes = _Nodes.empty()
    moved = _categories_first(estimator, encoder)
    for iteration in estimator._predictors:
        for predictor in iteration:
            _append_boosted(nodes, predictor, moved)
    link = {Task.BINARY: "logistic", Task.MULTICLASS: "softmax", Task.REGRESSION: "identity"}[task]
    if task is Task.REGRESSION and estimator.loss not in ("squared_error", "absolute_error", "quantile"):
        raise ModelRejected(
            f"hist gradient boosting with loss {estimator.loss!r} cannot be compiled; use squared_error"
        )
    baseline = np.ravel(estimator._baseline_prediction).astype(float).tolist()
    return nodes.data(link=link, baseline=baseline, forest=False, leaf_width=1)


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
    unknown = [sorted(set(range(size)) - set(codes)) for size, codes in zip(sizes, known, strict=True)]
    return _Moved([*np.flatnonzero(flags).tolist(), *np.flatnonzero(~flags).tolist()], known, unknown)


def _append_boosted(nodes: _Nodes, predictor: Any, moved: _Moved) -> None:
    start = len(nodes.feature)
    nodes.roots.append(start)
    for node in predictor.nodes:
        nodes.cover.append(float(node["count"]))
        if node["is_leaf"]:
            _append_leaf(nodes, [float(node["value"])])
            continue
        split = int(node["feature_idx"])
        flags = MISSING_LEFT if node["missing_go_to_left"] else 0
        threshold = float(np.nan_to_num(node["num_threshold"], posinf=sys.float_info.max))
        if node["is_categorical"]:
            bits = predictor.raw_left_cat_bitsets[node["bitset_idx"]]
            left = [code for i, code in enumerate(moved.known[split]) if (int(bits[i // 32]) >> (i % 32)) & 1]
            threshold = float(len(nodes.sets))
            nodes.sets.append(sorted(left + moved.unknown[split]) if flags else sorted(left))
            flags |= CATEGORICAL
        nodes.feature.append(moved.order[split])
        nodes.threshold.append(threshold)
        nodes.right.append(start + int(node["right"]))
        nodes.flags.append(flags)
