"""Inputs made of steps: what each step and each table makes of a value, and which rows are refused by name."""

import math
from typing import Any

import pytest

from lifecycle import compiled
from lifecycle.encoding import Encoder
from lifecycle.errors import ModelRejected, RequestRejected
from lifecycle.packed import pack
from lifecycle.scoring import CompiledModel
from tests.unit.test_compiled import body, linear

NAN = math.nan


def number(*steps: list[Any], **more: Any) -> dict[str, Any]:
    return {"feature": "size", "as": "steps", "of": "number", "steps": list(steps), **more}


def text(table: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"feature": "place", "as": "steps", "of": "text", "steps": [], "table": table, **more}


def rows(*values: float, width: int = 1, keys: Any = ("a", "b")) -> dict[str, Any]:
    listed = list(keys) if isinstance(keys, tuple) else keys
    return {"keys": listed, "width": width, "rows": pack("d", values)}


CHANGES = {
    "keys": ["a", "b"],
    "width": 3,
    "base": pack("d", [0.0, 0.0, 9.0]),
    "at": pack("i", [1, -1, 2]),
    "value": pack("d", [1.0, 0.0, 8.0]),
}


def encoded(entry: dict[str, Any], value: Any) -> list[float]:
    return Encoder({"layout": "ordinal", "inputs": [entry]}).encode({entry["feature"]: value})


@pytest.mark.parametrize(
    ("steps", "value", "wanted"),
    [
        ([], 2, 2.0),
        ([["fill", 7.0]], None, 7.0),
        ([["fill", 7.0]], 2.0, 2.0),
        ([["subtract", 1.5], ["divide", 0.5]], True, -1.0),
        ([["multiply", 3.0], ["add", 0.1]], 0.1, 0.1 * 3.0 + 0.1),
        ([["clip", 0.0, 1.0]], 2, 1.0),
        ([["clip", 0.0, 1.0]], -2, 0.0),
        ([["missing"]], None, 1.0),
        ([["missing"]], 0, 0.0),
        ([["equal", -1]], -1, 1.0),
        ([["equal", -1]], None, 0.0),
        ([["replace", -1, 5]], -1, 5.0),
        ([["none"], ["fill", 3.0]], 8.0, 3.0),
        ([["required"]], 8.0, 8.0),
    ],
)
def test_steps_are_followed_in_order(steps: list[Any], value: Any, wanted: float) -> None:
    assert encoded(number(*steps), value) == [wanted]


def test_a_missing_number_stays_missing_unless_a_step_says_otherwise() -> None:
    assert math.isnan(encoded(number(["subtract", 1.0], ["clip", 0.0, 1.0]), None)[0])


@pytest.mark.parametrize(
    ("entry", "value", "reason"),
    [
        (number(["required"]), None, "size: is missing, and the model has no rule"),
        (number(["subtract", 1.0], required=True), None, "size: is missing or unknown, and the model has no rule"),
        (number(["divide", 1e-300]), 1e30, r"size: becomes inf by the model's scaling, which is too large"),
        (number(["divide", 1e-9]), -1e30, r"size: becomes -1e\+39 by the model's scaling"),
        (number(), "3", r"size: expected a number or true/false, got '3' \(str\)"),
        (text(rows(1, 2, NAN, 0), required=True), None, "place: is missing or unknown"),
        (text(rows(1, 2, 0, NAN), required=True), "c", "place: is missing or unknown"),
        (text(rows(1, 2, 0, 0)), 3, "place: expected text, got 3"),
        ({**number(), "feature": "at", "of": "year"}, "yesterday", "at: expected a time like"),
    ],
)
def test_a_row_without_an_answer_is_refused_by_field(entry: dict[str, Any], value: Any, reason: str) -> None:
    with pytest.raises(RequestRejected, match=reason):
        encoded(entry, value)


def test_parts_of_a_time_are_read_in_utc() -> None:
    moment = "2024-03-01T01:30:00+02:00"
    parts = {"minute": 30, "hour": 23, "weekday": 3, "day": 29, "day_of_year": 60, "month": 2, "year": 2024}
    found = {part: encoded({**number(), "feature": "at", "of": part}, moment) for part in parts}
    assert found == {part: [float(value)] for part, value in parts.items()}
    assert math.isnan(encoded({**number(), "feature": "at", "of": "year"}, "")[0])


def test_a_table_knows_keys_missing_and_everything_else() -> None:
    whole = text(rows(*(1, 2), *(3, 4), *(5, 6), *(7, 8), width=2))
    assert [encoded(whole, value) for value in ("a", "b", None, "", "c")] == [[1, 2], [3, 4], [5, 6], [5, 6], [7, 8]]
    changed = text(CHANGES)
    found = [encoded(changed, value) for value in ("a", "b", None, "c")]
    assert found == [[0, 1, 9], [0, 0, 9], [0, 0, 8], [0, 0, 9]]


def test_texts_are_compared_as_they_are_and_half_a_surrogate_pair_is_unknown() -> None:
    entry = text(rows(1, 2, 3, 4, keys=("\u00e9", "\ufb01")))
    assert [encoded(entry, value)[0] for value in ("\u00e9", "e\u0301", "\ufb01", "fi", "\ud800")] == [1, 4, 2, 4, 4]


def test_a_table_of_numbers_is_asked_after_the_steps() -> None:
    entry = number(["fill", 2.0], ["divide", 2.0], table=rows(5, 6, 7, 8, keys=pack("d", [1.0, 0.0])))
    assert [encoded(entry, value)[0] for value in (2, None, -0.0, 3)] == [5, 5, 6, 8]
    assert encoded(number(table=rows(5, 7, 8, keys=pack("d", [1.0]))), None) == [7]


def a_model(*inputs: dict[str, Any], width: int) -> dict[str, Any]:
    estimator = linear(coefficients=[[1.0] * width])
    return body(encoder={"layout": "standard", "inputs": list(inputs)}, estimator=estimator)


def test_steps_stand_beside_compact_inputs_in_a_file() -> None:
    places = {"feature": "place", "as": "category", "categories": ["a", "b"], "missing": -0.5}
    model = CompiledModel.load(compiled.write(a_model(number(["fill", 1.5]), places, text(CHANGES), width=6)))
    assert model.encoder.expand(model.encode({"place": "b"})) == [1.5, 0.0, 1.0, 0.0, 0.0, 9.0]
    assert model.outputs([{"place": "b", "size": 0.5}]) == [[1 / (1 + math.exp(-(0.5 + 1 + 9 + 0.25)))]]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (number(["square"]), r"size: unknown step \['square'\]"),
        (number(["fill"]), "size: unknown step"),
        (number(["fill", 1, 2]), "size: unknown step"),
        (number([]), "size: unknown step"),
        (number("missing"), "size: unknown step"),  # type: ignore[arg-type]
        (number(["fill", "1"]), "wrong structure"),
        (number(["fill", 10**400]), "wrong structure"),
        (number(["divide", 0]), "size: a step divides by zero"),
        ({**number(), "of": "second"}, "size: unknown reading 'second'"),
        ({**number(), "of": ["number"]}, "wrong structure"),
        (number(required=1), "size: bad switches"),
        ({**number(), "steps": {}}, "steps must be a list"),
        ({**number(), "of": "text"}, "text needs a table and no steps"),
        (text(rows(1, 2, 3, 4), steps=[["missing"]]), "text needs a table and no steps"),
        (text(rows(1, 2, 3)), "place: the table's rows do not fit its keys"),
        (text(rows(1, 2, math.inf, 3)), "place: a table holds an infinite number"),
        (text(rows(1, 2, 3, 4, keys=("a", "a"))), "place: a key stands twice"),
        (text(rows(1, 2, 3, 4, keys=("a", 1))), "place: keys must be texts"),
        (number(table=rows(1, 2, 3, keys=pack("d", [NAN]))), "size: keys must be finite"),
        (number(table=rows(1, 2, 3, keys="?")), "packed array is damaged"),
        (text(rows(width=0)), "place: width must be a whole number above 0"),
        (text(rows(1, 2, 3, 4, width=True)), "place: width must be"),
        (text({**CHANGES, "rows": ""}), "either rows or changes"),
        (text({**CHANGES, "base": pack("d", [1.0])}), "base does not fit its width"),
        (text({**CHANGES, "at": pack("i", [1])}), "changes do not fit its keys"),
        (text({**CHANGES, "at": pack("i", [0, 0, 3])}), "a change lies outside the table"),
        (text({**CHANGES, "at": pack("i", [0, 0, -2])}), "a change lies outside the table"),
        (text({**CHANGES, "value": pack("d", [0, 0, NAN])}), "a table's number is not finite"),
        ({"feature": "at", "as": "calendar", "parts": []}, "at: bad parts of a time"),
        ({"feature": "at", "as": "calendar", "parts": ["hour", "hour"]}, "at: bad parts of a time"),
        ({"feature": "at", "as": "number", "parts": ["hour"]}, "at: bad parts of a time"),
    ],
)
def test_impossible_steps_are_refused_with_their_reason(entry: dict[str, Any], reason: str) -> None:
    with pytest.raises(ModelRejected, match=reason):
        compiled.write({**a_model(entry, width=1), "encoder": {"layout": "ordinal", "inputs": [entry]}})


def test_files_of_version_1_are_still_read() -> None:
    written = compiled.write(body())
    old = written.replace(b'"version":2', b'"version":1', 1)
    assert compiled.read(old) == compiled.read(written) == body()
