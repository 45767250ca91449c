"""Estimator of a compiled model -> nothing, or ModelRejected: structure, sizes, index ranges, tree shape.

Children lie behind their parent and every node is used once, so a walk always ends; every index that scoring follows is
in range, so scoring needs no checks of its own. This runs at cold start: loops over nodes are few and short.
"""

from __future__ import annotations

from itertools import pairwise
from math import isfinite

from lifecycle import encoding, links
from lifecycle.errors import ModelRejected
from lifecycle.packed import unpack

TYPE_CHECKING = False  # importing typing costs a cold start as much as the first row
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

LEAF = -1
MISSING_LEFT = 1
CATEGORICAL = 2
ZERO_IS_MISSING = 4
MEMBERS = 100
MAX_CODE = 1_000_000
"""Of a category: a file can hold no more. Whole numbers below it cannot be chosen to make looking them up slow."""


def check_estimator(estimator: Mapping[str, Any], encoder: Mapping[str, Any], outputs: int) -> None:
    """Raise ModelRejected (or a built-in lookup or type error) unless an estimator with `outputs` can be scored."""
    if estimator["kind"] == "calibrated":
        _check_calibrated(estimator, encoder, outputs)
    elif estimator["kind"] == "endpoint":  # lifecycle.remote
        _require(estimator["link"] == "identity" and isinstance(estimator["nan"], bool), "bad switches")
    else:
        _check_single(estimator, encoder, outputs)


def _check_calibrated(estimator: Mapping[str, Any], encoder: Mapping[str, Any], outputs: int) -> None:
    members = estimator["members"]
    _require(estimator["link"] == "identity", "a calibrated model needs no link")
    _require(isinstance(members, list) and 1 <= len(members) <= MEMBERS, f"1 to {MEMBERS} members are allowed")
    for member in members:
        _check_single(member["estimator"], encoder, outputs)
        _require(len(member["calibrators"]) == outputs, "calibrators do not fit the outputs")
        for plain in member["calibrators"]:
            _check_calibrator(plain)


def _check_calibrator(plain: Mapping[str, Any]) -> None:
    if plain["as"] == "sigmoid":
        _require(_finite([plain["a"], plain["b"]]), "a calibrator's numbers are not finite")
        return
    _require(plain["as"] == "isotonic", f"unknown calibrator {plain['as']!r}")
    _require(isinstance(plain["float32"], bool), "bad switches")
    xs, ys = unpack("d", plain["x"]), unpack("d", plain["y"])
    _require(len(xs) == len(ys) >= 1 and _finite(xs) and _finite(ys), "a calibrator's points are not usable")
    _require(all(a < b for a, b in pairwise(xs)), "a calibrator's points are not in order")


def _check_single(estimator: Mapping[str, Any], encoder: Mapping[str, Any], outputs: int) -> None:
    link = estimator["link"]
    _require(link in links.NAMES, f"unknown link {link!r}")
    _require((link in links.OF_SEVERAL) <= (outputs > 1), f"{link} needs more than one output")
    _require(isinstance(estimator.get("pairwise", False), bool), "bad switches")
    _require(_finite([estimator.get("slope", 1.0)]), "the slope is not finite")
    if estimator["kind"] == "linear":
        width = encoding.dense_width(encoder)
        rows, intercept = estimator["coefficients"], estimator["intercept"]
        _require(len(rows) == len(intercept) == outputs and _finite(intercept), "a linear model misses intercepts")
        _require(all(len(row) == width and _finite(row) for row in rows), f"coefficients must be {width} numbers")
    elif estimator["kind"] == "trees":
        _require(len(estimator["baseline"]) == outputs and _finite(estimator["baseline"]), "bad baseline")
        switches = (estimator["average"], estimator["float32"], estimator.get("single", False))
        _require(all(isinstance(switch, bool) for switch in switches), "bad switches")
        _require(not (switches[2] and estimator["leaf_width"] > 1), "float32 sums need leaves of one value")
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
    _require(all(type(c) is int and 0 <= c < MAX_CODE for codes_left in sets for c in codes_left), "bad category sets")
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


def _finite(values: Iterable[Any]) -> bool:
    return all(map(isfinite, values))


def _require(satisfied: bool, message: str) -> None:
    if not satisfied:
        raise ModelRejected(f"the compiled model cannot be used: {message}")
