"""Input of an encoder that is made of steps -> nothing, or ModelRejected: operations, numbers, sizes of its table.

What scoring a row costs is bounded by what stands in the file: a step is one operation, and every number of a table is
written out. Loaded only for models that have such inputs.
"""

from __future__ import annotations

from math import isfinite, isnan

from lifecycle.encoder_steps import ARGUMENTS, NUMBER, TEXT
from lifecycle.encoding import PARTS
from lifecycle.errors import ModelRejected
from lifecycle.packed import unpack

TYPE_CHECKING = False  # importing typing costs a cold start as much as the first row
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

ROWS = frozenset({"keys", "width", "rows"})
CHANGES = frozenset({"keys", "width", "base", "at", "value"})
REFUSED = ("missing", "other")
MAX_NUMBER_KEYS = 10_000
"""Numbers that a table knows. Their hashes follow from them, so a file could choose more to make a lookup slow."""


def check_input(entry: Mapping[str, Any]) -> None:
    """Raise ModelRejected (or a built-in lookup or type error) unless an input made of steps can be followed."""
    name, of, steps = entry["feature"], entry["of"], entry["steps"]
    _require(of in (NUMBER, TEXT) or of in PARTS, f"{name}: unknown reading {of!r}")
    _require(isinstance(entry.get("required", False), bool), f"{name}: bad switches")
    _require(isinstance(steps, list), f"{name}: steps must be a list")
    for step in steps:
        known = isinstance(step, list) and step and ARGUMENTS.get(step[0]) == len(step) - 1
        _require(known, f"{name}: unknown step {str(step)[:40]}")
        _require(all(map(isfinite, step[1:])), f"{name}: a step's numbers are not finite")
        _require(step[0] != "divide" or step[1] != 0, f"{name}: a step divides by zero")
    if of == TEXT:
        _require(not steps and "table" in entry, f"{name}: text needs a table and no steps")
    if "refuses" in entry:
        _require("table" in entry and isinstance(entry["refuses"], list), f"{name}: bad switches")
        _require(all(what in REFUSED for what in entry["refuses"]), f"{name}: bad switches")
    if "table" in entry:
        _check_table(name, of, entry["table"])


def _check_table(name: str, of: str, table: Mapping[str, Any]) -> None:
    keys, width = table["keys"], table["width"]
    if of == TEXT:
        _require(isinstance(keys, list) and all(isinstance(key, str) for key in keys), f"{name}: keys must be texts")
    else:
        keys = unpack("d", keys)
        _require(len(keys) <= MAX_NUMBER_KEYS, f"{name}: a table knows more than {MAX_NUMBER_KEYS:,} numbers")
        _require(all(map(isfinite, keys)), f"{name}: keys must be finite")
    _require(len(set(keys)) == len(keys), f"{name}: a key stands twice")
    _require(type(width) is int and width >= 1, f"{name}: width must be a whole number above 0")
    if table.keys() == ROWS:
        rows = unpack("d", table["rows"])
        _require(len(rows) == (len(keys) + 2) * width, f"{name}: the table's rows do not fit its keys")
        _require(all(isfinite(value) or isnan(value) for value in rows), f"{name}: a table holds an infinite number")
    else:
        _require(table.keys() == CHANGES, f"{name}: a table has either rows or changes of a base")
        base, at, value = unpack("d", table["base"]), unpack("i", table["at"]), unpack("d", table["value"])
        _require(len(base) == width, f"{name}: the table's base does not fit its width")
        _require(len(at) == len(value) == len(keys) + 1, f"{name}: the table's changes do not fit its keys")
        _require(all(map(isfinite, base)) and all(map(isfinite, value)), f"{name}: a table's number is not finite")
        _require(all(-1 <= place < width for place in at), f"{name}: a change lies outside the table")


def _require(satisfied: Any, message: str) -> None:
    if not satisfied:
        raise ModelRejected(f"the compiled model cannot be used: {message}")
