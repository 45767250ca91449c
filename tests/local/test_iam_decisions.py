"""Allow or deny, without an account: statements, conditions, and what of two policies counts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.iam.decision import Denied, Granted, Need, decide
from local.iam.statements import PolicyError, Statement, statements

ROLE = ("AWS", "arn:aws:iam::123456789012:role/job")
KEY = "arn:aws:kms:us-east-1:123456789012:key/one"
OBJECT = "arn:aws:s3:::data/runs/a/b.json"


def allow(action: str | list[str], resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def read(*written: dict[str, Any]) -> tuple[Statement, ...]:
    return statements({"Statement": list(written)}, "Grants")


def answer(
    need: Need, *own: dict[str, Any], others: tuple[dict[str, Any], ...] = (), principal: tuple[str, str] = ROLE
) -> bool:
    return isinstance(decide(need, need.context, principal, read(*own), read(*others)), Granted)


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        (allow("s3:GetObject", OBJECT), True),
        (allow("s3:getobject", OBJECT), True),
        (allow("s3:Get*", "arn:aws:s3:::data/runs/*"), True),
        (allow(["s3:PutObject", "s3:GetObject"], "arn:aws:s3:::data/runs/?/b.json"), True),
        (allow("s3:GetObject", "arn:aws:s3:::data"), False),
        (allow("s3:GetObject", "arn:aws:s3:::DATA/runs/*"), False),
        (allow("s3:GetObject", "arn:aws:s3:::data/runs/[a-z]/b.json"), False),
        (allow("s3:PutObject", OBJECT), False),
        (allow("s3:GetObjectVersion", OBJECT), False),
    ],
)
def test_actions_ignore_case_and_resources_do_not_and_both_know_two_wildcards(
    statement: dict[str, Any], allowed: bool
) -> None:
    assert answer(Need("s3:GetObject", OBJECT), statement) is allowed


def test_what_nobody_allows_is_refused_in_the_words_of_aws() -> None:
    refused = decide(Need("s3:GetObject", OBJECT), {}, ROLE, (), ())
    assert refused == Denied("because no identity-based policy allows the s3:GetObject action")


@pytest.mark.parametrize("side", ["own", "others"])
def test_an_explicit_deny_of_either_side_wins(side: str) -> None:
    deny = allow("s3:*") | {"Effect": "Deny"}
    own = (allow("s3:*"), *((deny,) if side == "own" else ()))
    others = ({**deny, "Principal": "*"},) if side == "others" else ()
    verdict = decide(Need("s3:GetObject", OBJECT), {}, ROLE, read(*own), read(*others))
    assert isinstance(verdict, Denied)
    assert "explicit deny" in verdict.why


def test_a_resource_policy_that_names_the_role_is_enough_and_another_role_is_not() -> None:
    named = allow("s3:GetObject", OBJECT, Principal={"AWS": ROLE[1]})
    assert answer(Need("s3:GetObject", OBJECT), others=(named,))
    assert not answer(Need("s3:GetObject", OBJECT), others=(named | {"Principal": {"AWS": f"{ROLE[1]}s"}},))


def test_a_roles_own_policy_opens_a_key_only_where_the_keys_policy_hands_over_to_the_account() -> None:
    own = allow("kms:Decrypt", KEY)
    root = allow("kms:*", Principal={"AWS": "arn:aws:iam::123456789012:root"})
    assert not answer(Need("kms:Decrypt", KEY), own)
    assert answer(Need("kms:Decrypt", KEY), own, others=(root,))
    assert not answer(Need("kms:Decrypt", KEY), others=(root,))


def test_a_service_needs_a_policy_that_names_it() -> None:
    service = ("Service", "events.amazonaws.com")
    need = Need("sqs:SendMessage", "arn:aws:sqs:us-east-1:123456789012:looks")
    assert answer(need, others=(allow("sqs:*", Principal={"Service": service[1]}),), principal=service)
    assert not answer(need, others=(allow("sqs:*", Principal={"AWS": "*"}),), principal=service)


RULE = {"aws:sourcearn": "arn:aws:events:e:1:rule/a"}
LEADING = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["a#*"]}}


@pytest.mark.parametrize(
    ("condition", "context", "met"),
    [
        ({"StringLike": {"s3:prefix": ["runs/*", "profiles/*"]}}, {"s3:prefix": "profiles/a"}, True),
        ({"StringLike": {"s3:prefix": "runs/*"}}, {"s3:prefix": ""}, False),
        ({"StringLike": {"s3:prefix": "runs/*"}}, {}, False),
        ({"StringEquals": {"s3:prefix": ["a.zip"]}}, {"s3:prefix": "a.zip"}, True),
        ({"StringEquals": {"s3:prefix": ["*"]}}, {"s3:prefix": "a.zip"}, False),
        ({"ArnLike": {"AWS:SourceArn": "arn:aws:events:*:1:rule/*"}}, RULE, True),
        ({"ArnLike": {"aws:SourceArn": "arn:*:rule/a"}}, RULE, False),
        ({"Bool": {"aws:SecureTransport": "false"}}, {"aws:securetransport": "true"}, False),
        (LEADING, {"dynamodb:leadingkeys": ("a#1", "a#2")}, True),
        (LEADING, {"dynamodb:leadingkeys": ("a#1", "b#2")}, False),
        (LEADING, {}, True),
        (
            {"StringEquals": {"aws:SourceAccount": "1"}, "ArnLike": {"aws:SourceArn": "arn:aws:events:e:1:rule/a"}},
            {"aws:sourceaccount": "1", "aws:sourcearn": "arn:aws:events:e:1:rule/b"},
            False,
        ),
    ],
)  # fmt: skip
def test_every_condition_of_a_statement_must_hold(
    condition: dict[str, Any], context: dict[str, Any], met: bool
) -> None:
    (statement,) = read(allow("s3:*", Condition=condition))
    assert statement.met(context) is met


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (allow("s3:*", Condition={"NumericLessThan": {"s3:prefix": "1"}}), "condition operator NumericLessThan"),
        (allow("s3:*", Condition={"StringEqualsIfExists": {"s3:prefix": "1"}}), "operator StringEqualsIfExists"),
        (allow("s3:*", Condition={"StringEquals": {"aws:PrincipalTag/a": "1"}}), "condition key aws:PrincipalTag/a"),
        ({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}, "policy element NotAction"),
        ({"Effect": "Deny", "Action": "s3:*", "NotResource": "*"}, "policy element NotResource"),
        (allow("s3:*", "arn:aws:s3:::data/${aws:username}"), "policy variable"),
    ],
)
def test_what_the_engine_cannot_evaluate_is_refused_by_name(statement: dict[str, Any], named: str) -> None:
    with pytest.raises(PolicyError, match=named.replace("/", ".").replace("$", "\\$")):
        read(statement)


@given(st.text("ab*/:", max_size=12), st.text("ab*/:", max_size=12))
def test_a_pattern_without_wildcards_fits_itself_only(pattern: str, found: str) -> None:
    (statement,) = read(allow("s3:GetObject", pattern.replace("*", "")))
    assert (statement.resource(found) is not None) == (found == pattern.replace("*", ""))
