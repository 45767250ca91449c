import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from lifecycle import encoding
from lifecycle.encoding import Encoder, typed_row
from lifecycle.errors import RequestRejected

PLACES = {"feature": "place", "as": "category", "categories": ["b", "a"], "missing": 0.5}
SIZE = {"feature": "size", "as": "number"}
AT = {"feature": "at", "as": "calendar"}
SCALED = {**SIZE, "fill": [2.0], "mean": [1.0], "scale": [0.5]}
ORDINAL = Encoder({"layout": "ordinal", "inputs": [SIZE, PLACES, AT]})
STANDARD = Encoder({"layout": "standard", "inputs": [SCALED, PLACES]})


@pytest.mark.parametrize(
    ("value", "number"),
    [(1, 1.0), (1.5, 1.5), (True, 1.0), (1e38, 1e38), (-1e38, -1e38), (-0.0, 0.0), (2**53 + 1, 2.0**53)],
)
def test_usable_numbers_are_taken_as_float(value: Any, number: float) -> None:
    assert ORDINAL.encode({"size": value})[0] == number


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf, 1.0000001e38, 10**400])
def test_what_is_no_usable_number_counts_as_missing(value: Any) -> None:
    assert math.isnan(ORDINAL.encode({"size": value})[0])
    assert STANDARD.encode({"size": value})[0] == 2.0


def test_categories_are_their_index_and_missing_or_unseen_ones_the_code_for_it() -> None:
    codes = [ORDINAL.encode({"place": value})[1] for value in ("b", "a", "c", "", None)]
    assert codes == [0.0, 1.0, 0.5, 0.5, 0.5]


def test_the_standard_layout_scales_numbers_within_bounds_and_spreads_categories() -> None:
    assert STANDARD.expand(STANDARD.encode({"size": 3.0, "place": "a"})) == [4.0, 0.0, 1.0]
    assert STANDARD.expand(STANDARD.encode({"size": 1e38, "place": None})) == [1e4, 0.0, 0.0]
    assert STANDARD.expand(STANDARD.encode({"size": -1e38, "place": "zz"})) == [-1e4, 0.0, 0.0]


@pytest.mark.parametrize(
    "value",
    [
        "2024-02-29T23:30:00Z",
        "2024-02-29T23:30:00",
        "2024-03-01T01:30:00+02:00",
        "2024-02-29 23:30:00.000001+00:00",
        datetime(2024, 2, 29, 23, 30, tzinfo=UTC),
        datetime(2024, 3, 1, 5, 30, tzinfo=timezone(timedelta(hours=6))),
    ],
)
def test_times_become_calendar_parts_in_utc(value: Any) -> None:
    assert ORDINAL.encode({"at": value})[2:] == [23.0, 3.0, 29.0, 2.0]


def test_a_missing_time_has_no_calendar_parts() -> None:
    assert all(math.isnan(part) for part in ORDINAL.encode({"at": None})[2:])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"size": "3"}, r"size: expected a number or true/false, got '3' \(str\)"),
        ({"place": 3}, r"place: expected text, got 3 \(int\)"),
        ({"place": ["a"] * 99}, r"place: expected text, got \['a'.*… \(list\)"),
        ({"at": "yesterday"}, "at: expected a time like"),
        ({"at": 5}, "at: expected ISO 8601 text"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "outside the years"),
    ],
)
def test_values_of_another_type_are_refused_by_name(row: dict[str, Any], reason: str) -> None:
    with pytest.raises(RequestRejected, match=reason):
        ORDINAL.encode(row)


def test_user_code_sees_typed_values_and_none_for_what_is_missing() -> None:
    kinds = [(kind, kind) for kind in encoding.CONVERTERS]
    row = {"number": 1, "integer": 2.0, "boolean": False, "category": "x", "text": "", "datetime": "2024-01-01"}
    assert typed_row(kinds, {**row, "extra": 1}) == {
        "number": 1.0,
        "integer": 2,
        "boolean": False,
        "category": "x",
        "text": None,
        "id": None,
        "datetime": datetime(2024, 1, 1, tzinfo=UTC),
    }
    assert typed_row(kinds, {"integer": math.nan, "number": math.inf})["integer"] is None
    with pytest.raises(RequestRejected, match="boolean: expected true or false, got 1"):
        typed_row(kinds, {"boolean": 1})
