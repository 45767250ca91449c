"""Body of a compiled model -> nothing, or ModelRejected: structure, sizes, index ranges, tree shape, finite numbers.

Children lie behind their parent and every node is used once, so a walk always ends; every index that scoring follows is
in range, so scoring needs no checks of its own. This runs at cold start: loops over nodes are few and short.
"""

from __future__ import annotations

from itertools import pairwise
from math import isfinite

from lifecycle import encoding
from lifecycle.errors import ModelRejected
from lifecycle.packed import unpack

TYPE_CHECKING = False  # importing typing costs a cold start as much as the first row
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

LEAF = -1
MISSING_LEFT = 1
CATEGORICAL = 2
LINKS = ("identity", "logistic", "softmax")


def check(body: Mapping[str, Any]) -> None:
    """Raise ModelRejected (or a built-in lookup or type error) unless `body` describes a model that can be scored."""
    task, classes, threshold = body["task"], body["classes"], body["threshold"]
    _require(task in ("binary", "multiclass", "regression"), f"unknown task {task!r}")
    outputs = 1
    if task == "regression":
        _require(classes is None and threshold is None, "a regression model has neither classes nor threshold")
    else:
        _require(
            _texts(classes) and len(set(classes)) == len(classes) >= 2, "classes must be two or more distinct texts"
        )
        outputs = 1 if task == "binary" else len(classes)
    if task == "binary":
        _require(len(classes) == 2 and _finite([threshold]) and 0 <= threshold <= 1.0, "threshold must lie in 0 to 1")
    _check_facts(body)
    _check_encoder(body["encoder"])
    _check_estimator(body["estimator"], body["encoder"], outputs)


def _check_facts(body: Mapping[str, Any]) -> None:
    contract = body["contract"]
    _require(isinstance(body["family"], str) and isinstance(contract["target"], str), "family and target must be texts")
    _require(_by_text(body["ids"]), "ids must be texts")
    _require(_by_text(contract.get("derived", {})), "derived values must have a kind")
    _require(isinstance(body["features_sha256"], str | None), "features_sha256 must be text")
    _require(isinstance(contract.get("weight"), str | None), "weight must be a column's name")
    _require(all(_texts(values) for values in body["learned"].values()), "learned categories must be texts")
    for column in contract["columns"]:
        known = isinstance(column["name"], str) and column["kind"] in encoding.CONVERTERS
        _require(known, f"column {column['name']!r} has the unknown kind {column['kind']!r}")


def _check_encoder(encoder: Mapping[str, Any]) -> None:
    _require(encoder["layout"] in (encoding.ORDINAL, encoding.STANDARD), f"unknown layout {encoder['layout']!r}")
    standard = encoder["layout"] == encoding.STANDARD
    for entry in encoder["inputs"]:
        name = entry["feature"]
        _require(isinstance(name, str), "a feature's name must be text")
        if entry["as"] == "category":
            known = entry["categories"]
            _require(_texts(known) and len(set(known)) == len(known) and "" not in known, f"{name}: bad categories")
            missing = entry["missing"]
            _require(_finite([missing]) and not float(missing).is_integer(), f"{name}: bad code for missing")
            continue
        _require(entry["as"] in ("number", "calendar"), f"{name}: unknown encoding {entry['as']!r}")
        if standard:
            parts = [entry["fill"], entry["mean"], entry["scale"]]
            _require(all(len(p) == encoding.width_of(entry) and _finite(p) for p in parts), f"{name}: bad scaling")
            _require(min(entry["scale"]) > 0, f"{name}: scale must be above 0")


def _check_estimator(estimator: Mapping[str, Any], encoder: Mapping[str, Any], outputs: int) -> None:
    width = encoding.dense_width(encoder)
    _require(estimator["link"] in LINKS, f"unknown link {estimator['link']!r}")
    _require((estimator["link"] == "softmax") <= (outputs > 1), "softmax needs more than one output")
    if estimator["kind"] == "linear":
        rows, intercept = estimator["coefficients"], estimator["intercept"]
        _require(len(rows) == len(intercept) == outputs and _finite(intercept), "a linear model misses intercepts")
        _require(all(len(row) == width and _finite(row) for row in rows), f"coefficients must be {width} numbers")
    elif estimator["kind"] == "trees":
        _require(len(estimator["baseline"]) == outputs and _finite(estimator["baseline"]), "bad baseline")
        _require(isinstance(estimator["average"], bool) and isinstance(estimator["float32"], bool), "bad switches")
        _check_trees(estimator, encoder, outputs)
    else:
        raise ModelRejected(f"unknown kind of estimator {estimator['kind']!r}")


def _check_trees(estimator: Mapping[str, Any], encoder: Mapping[str, Any], outputs: int) -> None:
    width = encoding.dense_width(encoder)
    feature, right = unpack("i", estimator["feature"]), unpack("i", estimator["right"])
    threshold, flags = unpack("d", estimator["threshold"]), unpack("B", estimator["flags"])
    roots, leaves = unpack("i", estimator["roots"]), unpack("d", estimator["leaves"])
    nodes, sets = len(feature), estimator["sets"]
    _require(nodes == len(right) == len(threshold) == len(flags), "tree arrays differ in length")
    _require(_finite(threshold) and _finite(leaves), "trees hold numbers that are not finite")
    _require(len(roots) > 0 and roots[0] == 0 and all(a < b for a, b in pairwise(roots)), "bad tree roots")
    _require(roots[-1] < nodes, "a tree root lies outside the nodes")
    _require(estimator["leaf_width"] in (1, outputs), "leaves do not fit the outputs")
    _require(estimator["leaf_width"] == outputs or len(roots) % outputs == 0, "trees do not fit the outputs")
    codes = encoding.missing_codes(encoder)
    _require(all(type(c) is int and c >= 0 for codes_left in sets for c in codes_left), "bad category sets")
    _require(min(feature) >= LEAF and max(feature) < width, "a node of the trees names a feature that is not there")
    for i, node_flags in enumerate(flags):
        if node_flags & CATEGORICAL and feature[i] != LEAF:
            there = 0 <= threshold[i] < len(sets) and codes[feature[i]] is not None
            _require(there, f"node {i} of the trees names a category set that is not there")
    if estimator["leaf_width"] > 1:
        last = len(leaves) - outputs
        there = all(0 <= right[i] * outputs <= last for i, split in enumerate(feature) if split == LEAF)
        _require(there, "a tree names a leaf value that is not there")
    _check_shape(feature.tolist(), right.tolist(), [*roots, nodes])


def _check_shape(feature: Sequence[int], right: Sequence[int], bounds: Sequence[int]) -> None:
    """In depth-first order the node behind a leaf is the right child that has waited least, or the next tree's root."""
    waiting: list[int] = []
    ends = set(bounds)
    for i, split in enumerate(feature, 1):
        if split != LEAF:
            waiting.append(right[i - 1])
        elif not waiting:
            _require(i in ends, f"the tree before node {i} has ended, but no other begins there")
        elif waiting.pop() != i or i in ends:
            _require(False, f"node {i} of the trees is not where its parent says")
    _require(not waiting, "the last tree is not complete")


def _texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _by_text(values: Any) -> bool:
    return isinstance(values, dict) and all(isinstance(value, str) for value in values.values())


def _finite(values: Iterable[Any]) -> bool:
    return all(map(isfinite, values))


def _require(satisfied: bool, message: str) -> None:
    if not satisfied:
        raise ModelRejected(f"the compiled model cannot be used: {message}")
