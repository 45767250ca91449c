"""What counts as the same when a resource is read back."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.resources.comparison import differences

VALUES = st.recursive(
    st.booleans() | st.integers() | st.text("abc"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3),
    max_leaves=10,
)
MAPS = st.dictionaries(st.text("abc", min_size=1), VALUES, max_size=4)


@given(MAPS)
def test_a_thing_never_differs_from_itself(thing: dict[str, Any]) -> None:
    assert differences(thing, thing) == []


@given(MAPS, MAPS)
def test_what_was_not_asked_for_may_be_there(asked: dict[str, Any], more: dict[str, Any]) -> None:
    assert differences(asked, {**more, **asked}) == []


@given(MAPS, st.text("abc", min_size=1))
def test_what_is_missing_is_named(asked: dict[str, Any], name: str) -> None:
    found = {key: value for key, value in asked.items() if key != name}

    assert differences({**asked, name: "here"}, found) == [f"{name}: asked 'here', found None"]


@given(st.lists(VALUES, max_size=4), st.randoms())
def test_the_order_of_lists_does_not_matter(members: list[Any], random: Any) -> None:
    found = list(members)
    random.shuffle(found)

    assert differences({"list": members}, {"list": found}) == []


@given(MAPS)
def test_documents_are_compared_by_meaning(document: dict[str, Any]) -> None:
    assert differences({"Policy": json.dumps(document)}, {"Policy": json.dumps(document, indent=2)}) == []
    assert differences({"Policy": json.dumps(document)}, {"Policy": document}) == []


@pytest.mark.parametrize(
    ("asked", "found", "line"),
    [
        ({"Timeout": "60"}, {"Timeout": 60}, None),
        ({"Enabled": "true"}, {"Enabled": True}, None),
        ({"Rate": 50}, {"Rate": 50.0}, None),
        ({"Timeout": 60}, {"Timeout": 61}, "Timeout: asked 60, found 61"),
        ({"List": [1]}, {"List": [1, 2]}, "List: asked [1], found [1, 2]"),
        ({"Policy": '{"a": 1}'}, {"Policy": {"a": 1, "b": 2}}, "Policy: asked '{\"a\": 1}', found {'a': 1, 'b': 2}"),
        ({"Template": '{"key": <key>}'}, {"Template": '{"key": <other>}'}, "Template: asked"),
        ({"E": {"Variables": {}}}, {"E": {"Variables": {"OLD": "1"}}}, "E.Variables: found OLD, which was not asked"),
        ({"A": {"B": {"C": 1}}}, {"A": {"B": {}}}, "A.B.C: asked 1, found None"),
        ({"A": {"B": 1}}, {"A": None}, "A: asked {'B': 1}, found None"),
    ],
)
def test_differences_are_told_by_path(asked: dict[str, Any], found: dict[str, Any], line: str | None) -> None:
    told = differences(asked, found)

    assert told == [] if line is None else len(told) == 1 and told[0].startswith(line)
