"""CloudFormation's intrinsic functions: template value + scope -> plain value.

Only the functions that the product's stacks contain; any other is a problem that the preflight reports by name.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

PSEUDO_PARAMETERS = frozenset({"AWS::Partition", "AWS::Region", "AWS::AccountId", "AWS::URLSuffix", "AWS::StackId"})
_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]+)\}")


class UnresolvableError(Exception):
    """A template value that cannot be worked out; the message names the function and the reason."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Where values come from: `refs` holds pseudo parameters, parameters and created resources."""

    refs: Mapping[str, Any]
    attributes: Callable[[str, str], Any]
    imports: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Use:
    """One use of an intrinsic function. `target` is a logical id, a parameter, or None where it names neither."""

    function: str
    target: str | None = None
    attribute: str | None = None


def function_of(value: Any) -> str | None:
    """Return the name of the intrinsic function that `value` calls, None when it is plain data."""
    if isinstance(value, dict) and len(value) == 1:
        name = next(iter(value))
        if name in ("Ref", "Condition") or str(name).startswith("Fn::"):
            return str(name)
    return None


def uses(value: Any) -> Iterator[Use]:
    """Yield every use of an intrinsic function inside `value`, known or not."""
    name = function_of(value)
    if name == "Ref":
        yield Use(name, str(value["Ref"]))
    elif name == "Fn::GetAtt":
        logical_id, attribute = _attribute(value["Fn::GetAtt"])
        yield Use(name, logical_id, attribute)
    elif name == "Fn::Sub" and isinstance(value[name], str):
        yield Use(name)
        yield from (_use_in_text(match[2]) for match in _PLACEHOLDER.finditer(value[name]) if not match[1])
    else:
        if name is not None:
            yield Use(name)
        children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        for child in children:
            yield from uses(child)


def resolve(value: Any, scope: Scope) -> Any:
    """Return `value` with every intrinsic function worked out.

    Raises
    ------
    UnresolvableError
        when a reference, attribute or import does not exist, or a function is not supported.
    """
    name = function_of(value)
    if name is not None:
        return _call(name, value[name], scope)
    if isinstance(value, dict):
        return {key: resolve(child, scope) for key, child in value.items()}
    if isinstance(value, list):
        return [resolve(item, scope) for item in value]
    return value


def _use_in_text(text: str) -> Use:
    logical_id, dot, attribute = text.partition(".")
    return Use("Fn::GetAtt", logical_id, attribute) if dot else Use("Ref", logical_id)


def _call(name: str, argument: Any, scope: Scope) -> Any:
    if name not in _CALLS:
        raise UnresolvableError(f"{name} is not supported; supported are {', '.join(sorted(FUNCTIONS))}")
    return _CALLS[name](argument, scope)


def _ref(argument: str, scope: Scope) -> Any:
    if argument not in scope.refs:
        raise UnresolvableError(f"Ref {argument}: there is no such parameter, or resource before this one")
    return scope.refs[argument]


def _join(argument: Any, scope: Scope) -> str:
    separator, parts = argument
    return str(separator).join(str(part) for part in resolve(parts, scope))


def _select(argument: Any, scope: Scope) -> Any:
    index, members = argument
    return resolve(members, scope)[int(index)]


def _split(argument: Any, scope: Scope) -> list[str]:
    separator, text = argument
    return str(resolve(text, scope)).split(str(separator))


def _sub(argument: Any, scope: Scope) -> str:
    if not isinstance(argument, str):
        raise UnresolvableError("Fn::Sub with a map of variables is not supported; write ${LogicalId} or Fn::Join")
    return _PLACEHOLDER.sub(lambda match: _placeholder(match, scope), argument)


def _attribute(argument: Any) -> tuple[str, str]:
    logical_id, attribute = argument if isinstance(argument, list) else str(argument).split(".", 1)
    return str(logical_id), str(attribute)


def _placeholder(match: re.Match[str], scope: Scope) -> str:
    if match[1]:
        return f"${{{match[2]}}}"
    use = _use_in_text(match[2])
    target = str(use.target)
    return str(_ref(target, scope) if use.attribute is None else scope.attributes(target, use.attribute))


def substitute(text: str, values: Mapping[str, str]) -> str:
    """Replace the placeholders `${AWS::...}` of an assembly's own files (asset destinations) by `values`."""
    return re.sub(r"\$\{(AWS::\w+)\}", lambda match: values[match[1]], text)


_CALLS: Final[dict[str, Callable[[Any, Scope], Any]]] = {
    "Ref": _ref,
    "Fn::GetAtt": lambda argument, scope: scope.attributes(*_attribute(argument)),
    "Fn::ImportValue": lambda argument, scope: scope.imports(str(resolve(argument, scope))),
    "Fn::Join": _join,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
}
FUNCTIONS: Final = frozenset(_CALLS)
