"""A policy document -> statements that can be asked: actions, resources, principals and conditions.

Source: IAM user guide, "IAM JSON policy elements" and "Condition operators". What is not known here is refused by name:
an element, operator or condition key that was ignored would let pass, or refuse, what AWS does not.
"""

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Context = Mapping[str, str | tuple[str, ...]]
"""What is known of a request by condition key in lower case; a tuple is a key of several values."""

CONDITION_KEYS = frozenset(
    {
        *("aws:sourceaccount", "aws:sourcearn", "aws:securetransport"),
        *("cloudwatch:namespace", "dynamodb:leadingkeys", "events:source", "iam:passedtoservice"),
        *("kms:encryptioncontext:aws:logs:arn", "kms:viaservice", "s3:prefix", "sts:externalid"),
    }
)
_ELEMENTS = frozenset({"Sid", "Effect", "Action", "Resource", "Principal", "Condition"})
_FOR_ALL = "ForAllValues:"


class PolicyError(ValueError):
    """A policy holds what the laptop engine cannot evaluate; the message names it."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One key of a condition block, and the test of each of its values."""

    key: str
    holds: Callable[[str], bool]
    for_all: bool

    def met(self, context: Context) -> bool:
        """Tell whether the context has the key with a value that fits (`for_all`: no value that does not)."""
        found = context.get(self.key)
        if self.for_all:
            return all(map(self.holds, (found,) if isinstance(found, str) else found or ()))
        return isinstance(found, str) and self.holds(found)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. `name` says where it stands, as `policy/number`; `principals` are (kind, who)."""

    name: str
    allows: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    principals: tuple[tuple[str, str], ...]
    conditions: tuple[Condition, ...]

    def action(self, action: str) -> str | None:
        """Return the pattern of the statement that `action` fits."""
        if action in self.actions:
            return action
        return next((p for p in self.actions if _pattern(p.lower()).fullmatch(action.lower())), None)

    def resource(self, resource: str) -> str | None:
        """Return the pattern of the statement that `resource` fits; a trust policy names none."""
        return next((p for p in self.resources if p == resource or _pattern(p).fullmatch(resource)), None)

    def met(self, context: Context) -> bool:
        """Tell whether every condition holds."""
        return all(condition.met(context) for condition in self.conditions)


def statements(document: Mapping[str, Any], name: str = "") -> tuple[Statement, ...]:
    """Return the statements of a policy document.

    Raises
    ------
    PolicyError
        for what `problems` names.
    """
    listed = _several(document["Statement"])
    if found := [text for statement in listed for text in problems(statement)]:
        raise PolicyError(f"{name}: {'; '.join(found)}")
    return tuple(_read(statement, f"{name}/{number}") for number, statement in enumerate(listed))


def problems(statement: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the engine does not know in a statement; values may be unresolved intrinsic functions."""
    for element in sorted(set(statement) - _ELEMENTS):
        yield f"policy element {element} is not supported"
    for operator, tests in statement.get("Condition", {}).items():
        if operator not in _OPERATORS:
            yield f"condition operator {operator} is not supported; supported are {', '.join(sorted(_OPERATORS))}"
        for key in tests:
            if key.lower() not in CONDITION_KEYS:
                yield f"condition key {key} is not supported; supported are {', '.join(sorted(CONDITION_KEYS))}"
    for value in _texts((statement.get("Resource"), statement.get("Condition"))):
        if "${" in value:
            yield f"policy variable in {value} is not supported"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, child in value.items():
            if name != "Fn::Sub":
                yield from _texts(child)
    elif isinstance(value, list | tuple):
        for child in value:
            yield from _texts(child)


def _read(written: Mapping[str, Any], name: str) -> Statement:
    principal = written.get("Principal", {})
    named = {"AWS": "*"} if principal == "*" else principal
    return Statement(
        name=name,
        allows=written["Effect"] == "Allow",
        actions=tuple(_several(written["Action"])),
        resources=tuple(_several(written.get("Resource", "*"))),
        principals=tuple((kind, who) for kind, several in named.items() for who in _several(several)),
        conditions=tuple(
            Condition(key.lower(), _test(operator, _several(wanted)), operator.startswith(_FOR_ALL))
            for operator, tests in written.get("Condition", {}).items()
            for key, wanted in tests.items()
        ),
    )


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@functools.lru_cache(4096)
def _pattern(text: str) -> re.Pattern[str]:
    """IAM knows two wildcards: `*` for any text and `?` for one character."""
    return re.compile("".join({"*": ".*", "?": "."}.get(c) or re.escape(c) for c in text), re.DOTALL)


def _like(found: str, wanted: str) -> bool:
    return _pattern(wanted).fullmatch(found) is not None


def _arn_like(found: str, wanted: str) -> bool:
    """The six parts of an ARN are compared one by one: a wildcard does not reach across a colon."""
    parts = found.split(":", 5), wanted.split(":", 5)
    return len(parts[0]) == len(parts[1]) and all(map(_like, *parts))


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "ArnLike": _arn_like,
    "Bool": lambda found, wanted: found.lower() == wanted.lower(),
    f"{_FOR_ALL}StringLike": _like,
    "StringEquals": lambda found, wanted: found == wanted,
    "StringLike": _like,
}


def _test(operator: str, wanted: Iterable[str]) -> Callable[[str], bool]:
    compare, values = _OPERATORS[operator], tuple(map(str, wanted))
    return lambda found: any(compare(found, value) for value in values)
