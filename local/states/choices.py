"""Choice rules: which transition the data asks for."""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local.states import paths
from local.states.paths import PathMissing


def choose(choices: Sequence[Mapping[str, Any]], data: Any, context: Mapping[str, Any]) -> str | None:
    """Return Next of the first rule that holds, or None. Raises PathMissing when a variable is not there."""
    for rule in choices:
        if holds(rule, data, context):
            return str(rule["Next"])
    return None


def holds(rule: Mapping[str, Any], data: Any, context: Mapping[str, Any]) -> bool:
    """Tell whether one rule holds; a value of another type than the operator's never does."""
    if "And" in rule:
        return all(holds(part, data, context) for part in rule["And"])
    if "Or" in rule:
        return any(holds(part, data, context) for part in rule["Or"])
    if "Not" in rule:
        return not holds(rule["Not"], data, context)
    name, expected = next((key, value) for key, value in rule.items() if key not in ("Variable", "Next", "Comment"))
    try:
        value = paths.read(rule["Variable"], data, context)
    except PathMissing:
        if name == "IsPresent":
            return expected is False
        raise
    return _COMPARE[name](value, expected)


def _number(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda value, expected: (
        isinstance(value, (int, float)) and not isinstance(value, bool) and compare(value, expected)
    )


_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "IsPresent": lambda _, expected: expected is True,
    "IsNull": lambda value, expected: (value is None) is expected,
    "BooleanEquals": lambda value, expected: isinstance(value, bool) and value is expected,
    "StringEquals": lambda value, expected: isinstance(value, str) and value == expected,
    "NumericEquals": _number(operator.eq),
    "NumericGreaterThan": _number(operator.gt),
    "NumericGreaterThanEquals": _number(operator.ge),
    "NumericLessThan": _number(operator.lt),
    "NumericLessThanEquals": _number(operator.le),
}
