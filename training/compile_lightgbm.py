"""Fitted LGBMClassifier / LGBMRegressor -> estimator data, read from LightGBM's own text form of the model.

Its numbers are written so that they read back to the bit. A missing value goes the default way when the split was made
for missing values; otherwise it counts as zero. Where zero stands for missing, numbers of at most 1e-35 do so too.
"""

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from lifecycle.compiled_check_estimators import CATEGORICAL, MISSING_LEFT, ZERO_IS_MISSING
from lifecycle.errors import ModelRejected
from lifecycle.trees import ALMOST_ZERO
from training.compile_trees import Nodes, Tree

LOGARITHMIC: Final = ("poisson", "gamma", "tweedie")
IDENTITY: Final = ("regression", "regression_l1", "huber", "fair", "quantile", "mape")
IS_CATEGORY, DEFAULT_LEFT, MISSING_SHIFT = 1, 2, 2
NO_MISSING, ZERO = 0, 1
LARGEST: Final = sys.float_info.max


def boosted(estimator: Any, sizes: Sequence[int | None]) -> dict[str, Any]:
    """Return the data of a LightGBM model; `sizes` holds the number of categories of each input, None for numbers.

    Raises ModelRejected for linear trees and for objectives that cannot be expressed.
    """
    text = estimator.booster_.model_to_string(num_iteration=estimator.best_iteration_ or -1)
    head, *parts = text.partition("end of trees")[0].split("\nTree=")
    facts = _facts(head)
    nodes = Nodes.empty()
    for part in parts:
        nodes.add(_tree(_facts(part), sizes))
    outputs = int(facts["num_tree_per_iteration"])
    average = "average_output" in head.splitlines()
    return nodes.data(baseline=[0.0] * outputs, average=average, **_link(facts["objective"].split()))


def _link(objective: Sequence[str]) -> dict[str, Any]:
    name, options = objective[0], dict(word.split(":") for word in objective[1:] if ":" in word)
    slope = float(options.get("sigmoid", 1.0))
    sloped = {} if slope == 1.0 else {"slope": slope}
    if name in IDENTITY and "sqrt" not in objective:
        return {"link": "identity"}
    if name in LOGARITHMIC:
        return {"link": "exp"}
    if name in ("binary", "multiclassova"):
        return {"link": "logistic", **sloped}
    if name == "cross_entropy":
        return {"link": "logistic"}
    if name == "multiclass":
        return {"link": "softmax"}
    raise ModelRejected(
        f"LightGBM with objective {' '.join(objective)!r} cannot be compiled; "
        f"binary, multiclass, multiclassova, {', '.join((*IDENTITY, *LOGARITHMIC))} can"
    )


def _facts(text: str) -> dict[str, str]:
    return {name: value for name, separator, value in (line.partition("=") for line in text.splitlines()) if separator}


def _column(facts: Mapping[str, str], name: str, number: Callable[[str], Any]) -> list[Any]:
    return [number(word) for word in facts.get(name, "").split()]


def _tree(facts: Mapping[str, str], sizes: Sequence[int | None]) -> Tree:
    """Inner nodes keep their numbers, leaf k becomes node (inner nodes + k)."""
    if facts.get("is_linear", "0") != "0":
        raise ModelRejected("LightGBM with linear_tree cannot be compiled; leave linear_tree out")
    inner = int(facts["num_leaves"]) - 1
    leaves = _column(facts, "leaf_value", float)
    blank = [0] * len(leaves)
    feature, thresholds = _column(facts, "split_feature", int), _column(facts, "threshold", float)
    kinds = _column(facts, "decision_type", int)
    sets = {
        node: _members(facts, int(thresholds[node]), sizes[feature[node]])
        for node in range(inner)
        if kinds[node] & IS_CATEGORY
    }

    def child(number: int) -> int:
        return number if number >= 0 else inner + ~number

    counts = _column(facts, "internal_count", float) if inner else []
    return Tree(
        feature=[*feature, *blank],
        threshold=[*map(_threshold, thresholds), *blank],
        left=[*(child(n) for n in _column(facts, "left_child", int)), *(-1 for _ in blank)],
        right=[*(child(n) for n in _column(facts, "right_child", int)), *blank],
        flags=[*(_flags(kinds[n], thresholds[n]) for n in range(inner)), *blank],
        leaves=[[0.0]] * inner + [[value] for value in leaves],
        cover=[*counts, *(_column(facts, "leaf_count", float) or [1.0])],
        sets=sets,
    )


def _threshold(number: float) -> float:
    """LightGBM reads numbers of at most 1e-35 in size as 0, so they all lie on one side of a threshold."""
    if -ALMOST_ZERO <= number < 0:
        return math.nextafter(-ALMOST_ZERO, -math.inf)
    if 0 <= number < ALMOST_ZERO:
        return ALMOST_ZERO
    return min(max(number, -LARGEST), LARGEST)


def _flags(kind: int, threshold: float) -> int:
    if kind & IS_CATEGORY:
        return CATEGORICAL  # a missing category goes right
    missing = kind >> MISSING_SHIFT & 3
    left = threshold >= 0 if missing == NO_MISSING else bool(kind & DEFAULT_LEFT)
    return (MISSING_LEFT if left else 0) | (ZERO_IS_MISSING if missing == ZERO else 0)


def _members(facts: Mapping[str, str], place: int, size: int | None) -> list[int]:
    if size is None:
        raise ModelRejected("LightGBM split a number as a category; compiled models take the contract's categories")
    bounds, words = _column(facts, "cat_boundaries", int), _column(facts, "cat_threshold", int)
    own = words[bounds[place] : bounds[place + 1]]
    return [code for code in range(size) if code < 32 * len(own) and own[code // 32] >> (code % 32) & 1]
