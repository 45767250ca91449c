"""Trees -> the arrays of the compiled format; single trees and forests of scikit-learn."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from lifecycle.compiled_check_estimators import LEAF, MISSING_LEFT
from lifecycle.packed import pack
from lifecycle.spec import Task

FORESTS: Final = (RandomForestClassifier, RandomForestRegressor, ExtraTreesClassifier, ExtraTreesRegressor)
SINGLE: Final = (DecisionTreeClassifier, DecisionTreeRegressor)  # ExtraTreeClassifier and -Regressor inherit from them


@dataclass(slots=True)
class Nodes:
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
    def empty(cls) -> "Nodes":
        """Return the arrays of no tree."""
        return cls([], [], [], [], [], [], [], [])

    def add(self, tree: "Tree") -> None:
        """Add a tree, renumbered depth first (best-first growth leaves another order)."""
        self.roots.append(len(self.feature))
        waiting: list[tuple[int, int]] = [(0, -1)]
        while waiting:
            node, parent = waiting.pop()
            place = len(self.feature)
            if parent >= 0:
                self.right[parent] = place
            self.cover.append(tree.cover[node])
            if tree.left[node] < 0:
                self._add_leaf(tree.leaves[node])
                continue
            flags, threshold = tree.flags[node], tree.threshold[node]
            if node in tree.sets:
                threshold = float(len(self.sets))
                self.sets.append(tree.sets[node])
            self.feature.append(tree.feature[node])
            self.threshold.append(threshold)
            self.right.append(0)
            self.flags.append(flags)
            waiting.append((tree.right[node], place))
            waiting.append((tree.left[node], -1))

    def _add_leaf(self, values: Sequence[float]) -> None:
        self.feature.append(LEAF)
        self.flags.append(0)
        if len(values) == 1:
            self.threshold.append(values[0])
            self.right.append(0)
        else:
            self.threshold.append(0.0)
            self.right.append(len(self.leaves) // len(values))
            self.leaves.extend(values)

    def data(self, *, link: str, baseline: Sequence[float], **switches: Any) -> dict[str, Any]:
        """Return the estimator data; `switches` (average, float32, leaf_width ...) replace the plain ones."""
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
        plain = {"average": False, "float32": False, "leaf_width": 1}
        return {"kind": "trees", "link": link, "baseline": list(baseline), **arrays, **plain, **switches}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """One tree by node number, node 0 its root: `left` below 0 marks a leaf, `leaves` its values, `sets` categories."""

    feature: Sequence[int]
    threshold: Sequence[float]
    left: Sequence[int]
    right: Sequence[int]
    flags: Sequence[int]
    leaves: Sequence[Sequence[float]]
    cover: Sequence[float]
    sets: dict[int, list[int]]


def of_sklearn(tree: Any, leaves: npt.NDArray[Any]) -> Tree:
    """Return a fitted `tree_` of scikit-learn with these leaf values, (nodes, width)."""
    # a split of missing from known values has an infinite threshold; no usable value exceeds the largest float either
    finite = np.nan_to_num(tree.threshold, posinf=sys.float_info.max, neginf=-sys.float_info.max)
    return Tree(
        feature=tree.feature.tolist(),
        threshold=finite.tolist(),
        left=tree.children_left.tolist(),
        right=tree.children_right.tolist(),
        flags=np.where(tree.missing_go_to_left, MISSING_LEFT, 0).tolist(),
        leaves=leaves.tolist(),
        cover=tree.weighted_n_node_samples.tolist(),
        sets={},
    )


def forest(estimator: Any, task: Task) -> dict[str, Any]:
    """Return the data of a forest, whose trees' answers are averaged, or of a single tree."""
    nodes = Nodes.empty()
    outputs = 1
    members = [estimator] if isinstance(estimator, SINGLE) else estimator.estimators_
    for tree in (member.tree_ for member in members):
        values = tree.value[:, 0, :]
        outputs = values.shape[1] if task is Task.MULTICLASS else 1
        # a binary tree's leaf holds the shares of both classes; only the positive one, the last, is answered
        nodes.add(of_sklearn(tree, values if task is Task.MULTICLASS else values[:, -1:]))
    return nodes.data(link="identity", baseline=[0.0] * outputs, average=True, float32=True, leaf_width=outputs)
