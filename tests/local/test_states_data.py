"""Paths, payload templates and error matching: pure rules of the state language."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.states import expressions, paths
from local.states.expressions import IntrinsicFailed, resolve
from local.states.failures import Retries, StateFailed, matches

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
NAMES = st.lists(st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,8}", fullmatch=True), min_size=1, max_size=4)


@given(NAMES, VALUES)
def test_what_was_put_at_a_path_is_read_there(names: list[str], value: Any) -> None:
    path = "$." + ".".join(names)
    before = {"kept": 1, names[0]: {}}
    after = paths.put(path, before, value)
    assert paths.read(path, after, {}) == value
    assert before == {"kept": 1, names[0]: {}} or names[0] == "kept"


@given(st.text(), st.text())
def test_format_puts_any_text_in_place(first: str, second: str) -> None:
    made = resolve({"t.$": "States.Format('{}/{}', $.a, $.b)"}, {"a": first, "b": second}, {})
    assert made == {"t": f"{first}/{second}"}


@given(st.text(max_size=40))
def test_any_text_is_an_expression_or_a_clear_refusal(text: str) -> None:
    with suppress(ValueError):
        assert isinstance(expressions.parse(text), expressions.Call | expressions.Path)


def test_intrinsics_take_paths_and_texts() -> None:
    template = {"x.$": "States.Array('it\\'s', $$.Id , $.l)", "y": [{"z.$": "States.ArrayLength($.l)"}]}
    assert resolve(template, {"l": [7, 8]}, {"Id": "e"}) == {"x": ["it's", "e", [7, 8]], "y": [{"z": 2}]}


def test_escaped_braces_are_text() -> None:
    assert resolve({"t.$": r"States.Format('\{{}\}', $.n)"}, {"n": 5}, {}) == {"t": "{5}"}


@pytest.mark.parametrize("call", ["States.Format('{}', $.o)", "States.Format('{}')", "States.ArrayLength('x')"])
def test_an_intrinsic_says_what_it_cannot_use(call: str) -> None:
    with pytest.raises(IntrinsicFailed, match=r"States\."):
        resolve({"t.$": call}, {"o": {}}, {})


def failure(error: str, *, of_task: bool = True) -> StateFailed:
    return StateFailed(error, "why", of_task=of_task)


@pytest.mark.parametrize(
    ("equals", "error", "expected"),
    [
        ("States.ALL", "Anything", True),
        ("States.ALL", "States.Timeout", True),
        ("States.ALL", "States.Runtime", False),
        ("States.ALL", "States.DataLimitExceeded", False),
        ("States.DataLimitExceeded", "States.DataLimitExceeded", True),
        ("States.Runtime", "States.Runtime", False),
        ("States.TaskFailed", "SomeError", True),
        ("States.TaskFailed", "States.Timeout", False),
        ("LookupError", "KeyError", False),
    ],
)
def test_errors_match_as_aws_matches_them(equals: str, error: str, expected: bool) -> None:
    assert matches([equals], failure(error)) is expected


def test_retries_wait_longer_each_time_and_end() -> None:
    entry = {"ErrorEquals": ["E"], "IntervalSeconds": 10, "BackoffRate": 3, "MaxAttempts": 3}
    retries = Retries([entry])
    assert [retries.delay(failure("E")) for _ in range(4)] == [10, 30, 90, None]
    assert retries.count == 3


def test_the_first_retry_entry_that_matches_decides() -> None:
    none = {"ErrorEquals": ["E"], "MaxAttempts": 0}
    assert Retries([none, {"ErrorEquals": ["States.ALL"]}]).delay(failure("E")) is None


def test_a_template_is_json_again() -> None:
    assert json.loads(json.dumps(resolve({"a": [1, {"b.$": "$"}]}, {"c": 2}, {}))) == {"a": [1, {"b": {"c": 2}}]}
