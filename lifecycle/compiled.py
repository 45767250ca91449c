"""The compiled model file: bytes <-> checked plain data (docs/compiled-format.md). No pickle, no code, no numpy.

The file is one JSON document whose head has a fixed length, so that the checksum covers exact bytes:

    {"format":"perennial-model","version":1,"sha256":"<64 hex>","body":{...}}

`read` trusts nothing: checksum, version, structure, sizes, index ranges, tree shape (children lie behind their parent,
so there is no cycle) and finite numbers are checked before anything is scored.
"""

import json
from array import array
from binascii import Error as NotBase64
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import isfinite
from typing import Any

from lifecycle import encoding
from lifecycle.errors import ModelRejected

VERSION = 1
HEAD = b'{"format":"perennial-model","version":%d,"sha256":"' % VERSION
MIDDLE = b'","body":'
LEAF = -1
MISSING_LEFT = 1
CATEGORICAL = 2
LINKS = ("identity", "logistic", "softmax")
SIZES = {"i": 4, "d": 8, "B": 1}


def write(body: Mapping[str, Any]) -> bytes:
    """Return the file of a body (see docs/compiled-format.md), after the same checks as on reading.

    Raises ModelRejected when the body is not a valid model.
    """
    content = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    data = HEAD + _sha256(content).encode() + MIDDLE + content + b"}"
    read(data)
    return data


def read(data: bytes) -> dict[str, Any]:
    """Return the checked body of a compiled model file.

    Raises
    ------
    ModelRejected
        when the bytes are no model file, are damaged, have another version, or describe an impossible model.
    """
    start = len(HEAD) + 64 + len(MIDDLE)
    if not data.startswith(HEAD):
        shown = data[:60].decode("utf-8", "replace")
        raise ModelRejected(f"not a compiled model of format version {VERSION}: it begins with {shown!r}")
    if data[start - len(MIDDLE) : start] != MIDDLE or not data.endswith(b"}"):
        raise ModelRejected("the compiled model is damaged: its head or its end is cut off")
    content = data[start:-1]
    if _sha256(content).encode() != data[len(HEAD) : len(HEAD) + 64]:
        raise ModelRejected("the compiled model is damaged: its content does not match its SHA-256")
    try:
        body = json.loads(content)
        check(body)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise ModelRejected(f"the compiled model has a wrong structure: {type(error).__name__}: {error}") from error
    return body  # type: ignore[no-any-return]


def check(body: dict[str, Any]) -> None:
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
    _require(isinstance(body["contract"], dict) and isinstance(body["ids"], dict), "contract and ids must be objects")
    _require(all(_texts(values) for values in body["learned"].values()), "learned categories must be texts")
    _check_encoder(body["encoder"])
    _check_estimator(body["estimator"], body["encoder"], outputs)


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
    wide = estimator["leaf_width"] > 1
    for start, end in pairwise([*roots, nodes]):
        for i in range(start, end):
            split = feature[i]
            if split == LEAF:
                if wide and not 0 <= right[i] * outputs <= len(leaves) - outputs:
                    raise ModelRejected(f"node {i} names a leaf value that is not there")
                continue
            if not (0 <= split < width and i + 1 < right[i] < end):
                raise ModelRejected(f"node {i} of the trees names a feature or a child that is not there")
            if flags[i] & CATEGORICAL and not (0 <= threshold[i] < len(sets) and codes[split] is not None):
                raise ModelRejected(f"node {i} of the trees names a category set that is not there")
        _check_shape(feature, right, start, end)


def _check_shape(feature: Sequence[int], right: Sequence[int], start: int, end: int) -> None:
    """A tree in depth-first order uses each of its nodes exactly once: walk it by counting open branches."""
    expected: list[int] = []
    for i in range(start, end):
        if feature[i] != LEAF:
            expected.append(right[i])
        elif expected:
            if expected.pop() != i + 1:
                raise ModelRejected(f"node {i + 1} of the trees is not where its parent says")
        elif i != end - 1:
            raise ModelRejected(f"the tree at node {start} ends before node {end}")
    if expected:
        raise ModelRejected(f"the tree at node {start} is not complete")


def pack(code: str, values: Iterable[float]) -> str:
    """Return numbers as Base64 of little-endian `code`: "i" int32, "d" float64, "B" uint8."""
    packed: array[Any] = array(code, values)
    return b2a_base64(packed.tobytes(), newline=False).decode()


def unpack(code: str, text: str) -> "array[Any]":
    """Return the numbers packed by `pack`. Raises ModelRejected when the text is not such an array."""
    unpacked: array[Any] = array(code)
    if unpacked.itemsize != SIZES[code]:
        raise ModelRejected("this machine's C types differ from those of the format (int32, float64)")
    try:
        unpacked.frombytes(a2b_base64(text, strict_mode=True))
    except (ValueError, NotBase64) as error:
        raise ModelRejected(f"a packed array is damaged: {error}") from error
    return unpacked


def _sha256(content: bytes) -> str:
    import hashlib  # late: only its OpenSSL start-up would make the module slow to import for those who need no file

    return hashlib.sha256(content).hexdigest()


def _texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _finite(values: Iterable[Any]) -> bool:
    return all(map(isfinite, values))


def _require(satisfied: bool, message: str) -> None:
    if not satisfied:
        raise ModelRejected(f"the compiled model cannot be used: {message}")
