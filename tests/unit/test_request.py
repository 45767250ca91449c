"""Rows of a request against the contract of the live model."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.problem import ERRORS_LISTED, Problem
from lifecycle.request import RowChecker
from lifecycle.schema import Column, Contract, Kind, Task, contract_to_plain


def checker(*columns: Column, max_rows: int = 1000, learned=None, **rules) -> RowChecker:
    contract = Contract(
        task=Task.BINARY, target="late", columns=(*columns, Column(name="late", kind=Kind.BOOLEAN)), **rules
    )
    return RowChecker(contract_to_plain(contract), learned=learned, max_rows=max_rows)


def accepted(column: Column, value, **more):
    return checker(column, **more).rows_of({"rows": [{column.name: value}]})[0][column.name]


def refused(column: Column, value, **more) -> str:
    with pytest.raises(Problem) as found:
        checker(column, **more).rows_of({"rows": [{column.name: value}]})
    assert found.value.status == 422
    [error] = found.value.errors
    assert (error["row"], error["field"]) == (0, column.name)
    return error["message"]


NUMBER = Column(name="x", kind=Kind.NUMBER, min=0, max=150)
INTEGER = Column(name="n", kind=Kind.INTEGER, min=1, max=10)
CABIN = Column(name="cabin", kind=Kind.CATEGORY, categories=("eco", "first"))


@pytest.mark.parametrize("value", [0, 150, 149.5, 1])
def test_a_number_within_its_range_is_accepted_as_float(value):
    found = accepted(NUMBER, value)
    assert found == value
    assert isinstance(found, float)


@pytest.mark.parametrize("value", [-0.001, 151, 1e308, 10**400, float("inf"), float("nan")])
def test_a_number_outside_its_range_is_refused_with_the_range(value):
    assert "between 0 and 150" in refused(NUMBER, value)


@pytest.mark.parametrize("value", ["12", True, [1], {"a": 1}, "NaN"])
def test_what_is_no_number_is_refused_where_a_number_belongs(value):
    assert refused(NUMBER, value).startswith("must be a number")


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 10**400, 1e39])
def test_a_number_that_no_model_can_compute_with_is_refused_without_a_range_too(value):
    assert "compute with" in refused(Column(name="x", kind=Kind.NUMBER), value)


def test_a_whole_number_may_be_written_with_a_point():
    assert accepted(INTEGER, 3.0) == 3
    assert isinstance(accepted(INTEGER, 3.0), int)


@pytest.mark.parametrize("value", [3.5, "3", False])
def test_a_fraction_a_text_and_a_boolean_are_no_whole_number(value):
    assert refused(INTEGER, value).startswith("must be a whole number")


@pytest.mark.parametrize(("value", "kept"), [(True, True), (False, False)])
def test_a_boolean_is_true_or_false(value, kept):
    assert accepted(Column(name="b", kind=Kind.BOOLEAN), value) is kept


@pytest.mark.parametrize("value", [1, 0, "true", "yes"])
def test_numbers_and_texts_are_no_booleans(value):
    assert "true or false" in refused(Column(name="b", kind=Kind.BOOLEAN), value)


def test_a_category_outside_the_contracts_list_is_refused_with_the_list():
    assert refused(CABIN, "business") == "must be one of eco, first, got 'business'"


def test_a_category_never_seen_is_refused_only_when_the_contract_says_so():
    learned = {"dest": ["BOS", "LAX"]}
    assert accepted(Column(name="dest", kind=Kind.CATEGORY), "XXX", learned=learned) == "XXX"
    assert "BOS, LAX" in refused(Column(name="dest", kind=Kind.CATEGORY, unseen="reject"), "XXX", learned=learned)


def test_a_whole_number_stands_for_its_digits_in_a_category():
    assert accepted(Column(name="zip", kind=Kind.CATEGORY), 10115) == "10115"


@pytest.mark.parametrize(
    ("value", "hour"),
    [("2013-01-01", 0), ("2013-01-01T10:15:00Z", 10), ("2013-01-01 10:15", 10), ("2013-01-01T10:15:00+02:00", 8)],
)
def test_a_time_is_iso_8601_and_read_once_into_utc(value, hour):
    found = accepted(Column(name="at", kind=Kind.DATETIME), value)
    assert found == datetime(2013, 1, 1, hour, 15 * (":15" in value), tzinfo=UTC)
    assert found.tzinfo is UTC


@pytest.mark.parametrize("value", ["yesterday", "01.02.2013", "2013-02-30", 1357035300, True])
def test_other_spellings_of_a_time_are_refused(value):
    assert "2026-11-21T10:00:00Z" in refused(Column(name="at", kind=Kind.DATETIME), value)


@pytest.mark.parametrize("kind", list(Kind))
def test_null_empty_text_and_an_absent_field_are_missing(kind):
    column = Column(name="x", kind=kind)
    assert accepted(column, None) is None
    assert accepted(column, "") is None
    assert checker(column).rows_of({"rows": [{}]}) == [{"x": None}]


@pytest.mark.parametrize("kind", list(Kind))
def test_a_value_that_must_be_there_may_be_neither_null_nor_absent(kind):
    column = Column(name="x", kind=kind, max_null_share=0)
    assert refused(column, None) == "may not be null"
    with pytest.raises(Problem) as found:
        checker(column).rows_of({"rows": [{"y": 1}]})
    assert found.value.errors == [{"row": 0, "field": "x", "message": "is missing"}]


def test_an_absent_field_takes_the_default_and_null_does_not():
    column = Column(name="fee", kind=Kind.NUMBER, default=2.5, max_null_share=0)
    assert checker(column).rows_of({"rows": [{}]}) == [{"fee": 2.5}]
    assert refused(column, None) == "may not be null"


def test_an_unknown_field_is_ignored_or_refused_as_the_contract_says():
    rows = {"rows": [{"x": 1, "y": 2}]}
    assert checker(NUMBER).rows_of(rows) == [{"x": 1.0}]
    with pytest.raises(Problem) as found:
        checker(NUMBER, extra_columns="reject").rows_of(rows)
    assert found.value.errors == [{"row": 0, "field": "y", "message": "is not a column of this model"}]


def test_the_label_is_never_a_field_of_a_strict_request():
    with pytest.raises(Problem, match="1 problem in 1 of 1 rows") as found:
        checker(NUMBER, extra_columns="reject").rows_of({"rows": [{"x": 1, "late": True}]})
    assert found.value.errors[0]["message"] == "is the label: leave it out"


def test_all_errors_of_all_rows_are_found_at_once():
    with pytest.raises(Problem) as found:
        checker(NUMBER, INTEGER).rows_of({"rows": [{"x": "a"}, {"x": 1, "n": 2}, {"x": 999, "n": 1.5}, 7]})
    assert [(e["row"], e["field"]) for e in found.value.errors] == [(0, "x"), (2, "x"), (2, "n"), (3, None)]


def test_the_list_of_errors_ends_somewhere_and_says_so():
    with pytest.raises(Problem) as found:
        checker(NUMBER).rows_of({"rows": [{"x": "a"}] * 200})
    assert len(found.value.errors) == ERRORS_LISTED
    assert found.value.detail.startswith(f"200 problems in 200 of 200 rows (the first {ERRORS_LISTED} are listed)")


def test_the_value_of_a_private_column_is_not_repeated():
    assert "Jane" not in refused(Column(name="x", kind=Kind.NUMBER, private=True), "Jane Doe")


def test_a_long_value_is_not_repeated_in_full():
    assert len(refused(NUMBER, "x" * 10_000)) < 100


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"rows": []}, "is empty"),
        ({}, "is missing"),
        ({"rows": {"x": 1}}, "must be a list of objects, got an object"),
        ({"rows": None}, "must be a list of objects, got null"),
        ({"rows": [{"x": 1}], "columns": []}, "is unknown here"),
    ],
)
def test_a_document_of_another_shape_is_refused_by_name(document, message):
    with pytest.raises(Problem) as found:
        checker(NUMBER).rows_of(document)
    assert found.value.status == 422
    assert message in found.value.errors[0]["message"]


@pytest.mark.parametrize("document", [[{"x": 1}], "rows", 7, True, None])
def test_a_document_that_is_no_object_is_refused(document):
    with pytest.raises(Problem, match="must be an object"):
        checker(NUMBER).rows_of(document)


def test_more_rows_than_the_model_takes_are_too_large():
    with pytest.raises(Problem, match="at most 2") as found:
        checker(NUMBER, max_rows=2).rows_of({"rows": [{"x": 1}] * 3})
    assert found.value.status == 413


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
EVERY_KIND = [Column(name=str(kind), kind=kind) for kind in Kind]


def outcome(document) -> tuple[list[dict], Problem | None]:
    try:
        return checker(*EVERY_KIND).rows_of(document), None
    except Problem as problem:
        return [], problem


@given(row=st.fixed_dictionaries({}, optional={str(kind): JSON for kind in Kind}))
def test_any_json_is_either_typed_rows_or_a_problem_that_can_be_written(row):
    clean, problem = outcome({"rows": [row]})
    types = {"number": float, "integer": int, "boolean": bool}
    for name, value in clean[0].items() if clean else ():
        assert value is None or isinstance(value, types.get(name, str))
    assert problem is None or json.loads(problem.response()["body"])["errors"]


@given(document=JSON)
def test_any_document_is_answered(document):
    clean, problem = outcome(document)
    assert clean or (problem is not None and problem.status == 422)


def test_the_defaults_that_the_door_assumes_are_those_of_a_column():
    column = Column(name="x", kind=Kind.CATEGORY)
    assert (column.max_null_share, column.unseen, column.private, column.default) == (1.0, "allow", False, None)
    assert contract_to_plain(Contract(task=Task.BINARY, target="late", columns=(column,)))["columns"] == [
        {"name": "x", "kind": "category"}
    ]
