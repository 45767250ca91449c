"""Body of a compiled model -> nothing, or ModelRejected: task, classes, contract facts, encoder.

`lifecycle.compiled_check_estimators` checks the estimator. This runs at cold start: what it does is short.
"""

from __future__ import annotations

from math import isfinite

from lifecycle import encoding
from lifecycle.compiled_check_estimators import check_estimator
from lifecycle.errors import ModelRejected

TYPE_CHECKING = False  # importing typing costs a cold start as much as the first row
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

MAX_STEPS = 20_000_000
"""Steps that scoring one row may take (`steps_of`): some seconds. Real models take some thousands."""


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
    if task != "binary":
        _require(threshold is None, "only a binary model has a threshold")
    else:
        _require(len(classes) == 2 and _finite([threshold]) and 0 <= threshold <= 1.0, "threshold must lie in 0 to 1")
    _check_facts(body)
    _check_encoder(body["encoder"])
    steps = steps_of(body["estimator"], encoding.dense_width(body["encoder"]), outputs)
    _require(steps <= MAX_STEPS, f"scoring a row may take {steps:,} steps; at most {MAX_STEPS:,} are allowed")
    check_estimator(body["estimator"], body["encoder"], outputs)


def steps_of(estimator: Mapping[str, Any], width: int, outputs: int) -> int:
    """Return the most additions, comparisons and copies that an estimator with `width` inputs may need for a row.

    It reads sizes alone, before they are checked: a file can name the same leaf values in every tree, and so ask for
    far more work than it has bytes.
    """
    if estimator["kind"] == "calibrated":
        members = estimator["members"]
        # every member is counted, those of a wrong kind too: they are refused later
        return sum(steps_of(member["estimator"], width, outputs) + outputs for member in members)
    if estimator["kind"] == "trees":
        nodes, trees = (len(estimator[name]) * 3 // 16 for name in ("feature", "roots"))
        return width + nodes + trees * (outputs if estimator["leaf_width"] > 1 else 1)
    return width * outputs


def _check_facts(body: Mapping[str, Any]) -> None:
    contract = body["contract"]
    _require(isinstance(contract["columns"], list) and isinstance(body["encoder"]["inputs"], list), "lists are missing")
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
        if entry["as"] == "steps":
            from lifecycle.compiled_check_steps import check_input  # late: few models have such inputs

            check_input(entry)
            continue
        _require(entry["as"] in ("number", "calendar"), f"{name}: unknown encoding {entry['as']!r}")
        if "parts" in entry:
            parts = entry["parts"]
            known = entry["as"] == "calendar" and _texts(parts) and 0 < len(set(parts)) == len(parts)
            _require(known and set(parts) <= encoding.PARTS.keys(), f"{name}: bad parts of a time")
        if standard:
            parts = [entry["fill"], entry["mean"], entry["scale"]]
            _require(all(len(p) == encoding.width_of(entry) and _finite(p) for p in parts), f"{name}: bad scaling")
            _require(min(entry["scale"]) > 0, f"{name}: scale must be above 0")


def _texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _by_text(values: Any) -> bool:
    return isinstance(values, dict) and all(isinstance(value, str) for value in values.values())


def _finite(values: Iterable[Any]) -> bool:
    return all(map(isfinite, values))


def _require(satisfied: bool, message: str) -> None:
    if not satisfied:
        raise ModelRejected(f"the compiled model cannot be used: {message}")
