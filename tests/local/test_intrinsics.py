"""Intrinsic functions of templates."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.intrinsics import Scope, UnresolvableError, Use, resolve, uses

ATTRIBUTES = {("Queue", "Arn"): "arn:queue"}
SCOPE = Scope(
    {"AWS::Region": "us-east-1", "AWS::StackId": "arn:aws:x:stack/name/uuid", "Queue": "url"},
    lambda logical_id, name: ATTRIBUTES[logical_id, name],
    {"shared-Key": "arn:key"}.__getitem__,
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(min_size=1).filter(lambda k: k[0].islower()), inner),
)


@given(PLAIN)
def test_plain_data_resolves_to_itself(value: Any) -> None:
    assert resolve(value, SCOPE) == value
    assert list(uses(value)) == []


@given(st.lists(st.text("abc"), min_size=1))
def test_split_undoes_join_and_select_picks(parts: list[str]) -> None:
    joined = {"Fn::Join": ["/", parts]}

    assert resolve({"Fn::Split": ["/", joined]}, SCOPE) == parts
    last = len(parts) - 1
    assert resolve({"Fn::Select": [last, {"Fn::Split": ["/", joined]}]}, SCOPE) == parts[-1]


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ({"Ref": "Queue"}, "url"),
        ({"Ref": "AWS::Region"}, "us-east-1"),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, "arn:queue"),
        ({"Fn::GetAtt": "Queue.Arn"}, "arn:queue"),
        ({"Fn::ImportValue": "shared-Key"}, "arn:key"),
        ({"Fn::ImportValue": {"Fn::Join": ["-", ["shared", "Key"]]}}, "arn:key"),
        ({"Fn::Sub": "${AWS::Region}/${Queue}/${Queue.Arn}/${!Literal}"}, "us-east-1/url/arn:queue/${Literal}"),
        ({"Fn::Select": ["2", {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}, "uuid"),
    ],
)
def test_the_functions_that_our_stacks_use_resolve(value: Any, resolved: Any) -> None:
    assert resolve(value, SCOPE) == resolved


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"Fn::If": ["Yes", 1, 2]}, "Fn::If is not supported"),
        ({"Ref": "Nobody"}, "Ref Nobody"),
        ({"Fn::Sub": ["${x}", {"x": "y"}]}, "Fn::Sub with a map"),
    ],
)
def test_anything_else_is_refused_by_name(value: Any, message: str) -> None:
    with pytest.raises(UnresolvableError, match=message):
        resolve(value, SCOPE)


def test_uses_finds_functions_inside_arguments_and_text() -> None:
    value = {"Fn::Join": ["", [{"Fn::Sub": "${A}${B.Arn}${!C}"}, {"Fn::Cidr": [{"Ref": "D"}]}]]}

    assert list(uses(value)) == [
        Use("Fn::Join"),
        Use("Fn::Sub"),
        Use("Ref", "A"),
        Use("Fn::GetAtt", "B", "Arn"),
        Use("Fn::Cidr"),
        Use("Ref", "D"),
    ]
