"""Input of an encoder that is made of steps -> function that appends its numbers to an encoded row.

    {"feature": "size", "as": "steps", "of": "number", "steps": [["fill", 2.5], ["subtract", 1.0], ["divide", 0.5]]}
    {"feature": "dest", "as": "steps", "of": "text", "steps": [], "table": {"keys": ["EWR", "JFK"], "width": 1, ...}}

The steps are what fitted scikit-learn transformers do to one column, one float64 operation after the other, so that the
numbers are theirs to the bit. `of` says what of the value is read: "number", "text" or a part of a time. A table ends
the steps: it gives the numbers for each value that it knows, for a missing one and for any other one. Loaded only by
models that have such inputs (docs/compiled-format.md).
"""

from __future__ import annotations

from math import isnan, nan

from lifecycle.encoding import NUMBER_LIMIT, PARTS, datetime_of, number_of, text_of
from lifecycle.errors import RequestRejected
from lifecycle.packed import unpack

TYPE_CHECKING = False  # importing typing costs a cold start as much as the first row
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    Step = Sequence[Any]
    Append = Callable[[Any, list[float]], None]
    Lookup = Callable[[Any, list[float]], None]

NUMBER = "number"
TEXT = "text"
ARGUMENTS = {
    "fill": 1,
    "replace": 2,
    "add": 1,
    "subtract": 1,
    "multiply": 1,
    "divide": 1,
    "clip": 2,
    "missing": 0,
    "equal": 1,
    "none": 0,
    "required": 0,
}
"""Steps and how many numbers each takes."""


def after(value: float, steps: Sequence[Step]) -> float:
    """Return a number after its steps. Raises RequestRejected where a step asks for a number and there is none."""
    for name, *given in steps:
        if name == "fill":
            value = given[0] if isnan(value) else value
        elif name == "subtract":
            value = value - given[0]
        elif name == "divide":
            value = value / given[0]
        elif name == "multiply":
            value = value * given[0]
        elif name == "add":
            value = value + given[0]
        elif name == "clip":
            value = given[0] if value < given[0] else given[1] if value > given[1] else value
        elif name == "missing":
            value = 1.0 if isnan(value) else 0.0
        elif name == "equal":
            value = 1.0 if value == given[0] else 0.0
        elif name == "replace":
            value = given[1] if value == given[0] else value
        elif name == "none":
            value = nan
        elif isnan(value):
            raise RequestRejected("is missing, and the model has no rule for that")
    return value


def appender(entry: Mapping[str, Any]) -> Append:
    """Return the function that reads a raw value and appends the input's numbers to an encoded row.

    It raises RequestRejected when the value has a wrong type, when it is missing and the model was fitted without a
    rule for that, and when the steps carry a number beyond NUMBER_LIMIT.
    """
    name: str = entry["feature"]
    of, required = entry["of"], entry.get("required", False)
    refused = required and "rows" in entry.get("table", ()) and any(map(isnan, unpack("d", entry["table"]["rows"])))
    steps = [(step[0], *map(float, step[1:])) for step in entry["steps"]]
    lookup = _lookup(entry["table"]) if "table" in entry else None
    if lookup is not None and "refuses" in entry:
        lookup = _of_known(name, lookup, entry)
    if of == TEXT:
        assert lookup is not None
        return _of_text(name, lookup, refused)

    def append(value: Any, encoded: list[float]) -> None:
        number = number_of(name, value) if of == NUMBER else _part(name, value, of)
        try:
            number = after(number, steps)
        except RequestRejected as error:
            raise RequestRejected(f"{name}: {error}") from None
        if lookup is None:
            if not -NUMBER_LIMIT <= number <= NUMBER_LIMIT and (required or not isnan(number)):
                raise RequestRejected(f"{name}: {_why_not(number)}")
            encoded.append(number)
        else:
            start = len(encoded)
            lookup(None if isnan(number) else number, encoded)
            if refused and any(map(isnan, encoded[start:])):
                raise RequestRejected(f"{name}: {_why_not(nan)}")

    return append


def _of_text(name: str, lookup: Lookup, refused: bool) -> Append:
    def append(value: Any, encoded: list[float]) -> None:
        start = len(encoded)
        lookup(text_of(name, value), encoded)
        if refused and any(map(isnan, encoded[start:])):
            raise RequestRejected(f"{name}: {_why_not(nan)}")

    return append


def _why_not(number: float) -> str:
    if isnan(number):
        return "is missing or unknown, and the model has no rule for that"
    return f"becomes {number:g} by the model's scaling, which is too large to be scored"


def _part(name: str, value: Any, part: str) -> float:
    moment = datetime_of(name, value)
    return nan if moment is None else PARTS[part](moment)


def _of_known(name: str, lookup: Lookup, entry: Mapping[str, Any]) -> Lookup:
    """Return the lookup that refuses what the table has no number for."""
    missing, other = (what in entry["refuses"] for what in ("missing", "other"))
    known = frozenset(_keys(entry["table"]))

    def append_known(key: Any, encoded: list[float]) -> None:
        if key is None and missing:
            raise RequestRejected(f"{name}: {_why_not(nan)}")
        if key is not None and other and key not in known:
            raise RequestRejected(f"{name}: the model has not learned this value, and takes no other")
        lookup(key, encoded)

    return append_known


def _keys(table: Mapping[str, Any]) -> list[Any]:
    return table["keys"] if isinstance(table["keys"], list) else unpack("d", table["keys"]).tolist()


def _lookup(table: Mapping[str, Any]) -> Lookup:
    """Return (known value, or None when missing) -> numbers, appended."""
    keys = _keys(table)
    width: int = table["width"]
    if "rows" in table:
        values = unpack("d", table["rows"]).tolist()
        rows = [values[start : start + width] for start in range(0, len(values), width)]
        known, other = dict(zip([*keys, None], rows, strict=False)), rows[-1]

        def append_row(key: Any, encoded: list[float]) -> None:
            encoded += known.get(key, other)

        return append_row
    base = unpack("d", table["base"]).tolist()
    changes = zip(unpack("i", table["at"]).tolist(), unpack("d", table["value"]).tolist(), strict=True)
    changed = {key: change for key, change in zip([*keys, None], changes, strict=True) if change[0] >= 0}

    def append_changed(key: Any, encoded: list[float]) -> None:
        start = len(encoded)
        encoded += base
        if key in changed:
            place, value = changed[key]
            encoded[start + place] = value

    return append_changed
