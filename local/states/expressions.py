"""Payload templates: JSON whose keys ending in `.$` hold paths or intrinsic functions -> plain JSON."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from local.states import paths
from local.states.allowed import INTRINSICS

_CALL = re.compile(r"(States\.\w+)\((.*)\)")
_ARGUMENT = re.compile(r"\s*(?:'((?:[^'\\]|\\.)*)'|(\$[^\s,)]*))\s*(,|$)")


class IntrinsicFailed(Exception):
    """An intrinsic function was given what it cannot use."""


@dataclass(frozen=True, slots=True)
class Call:
    """An intrinsic function and its arguments."""

    name: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Path:
    """A path as an argument or as the whole expression."""

    text: str


def resolve(template: Any, data: Any, context: Mapping[str, Any]) -> Any:
    """Return `template` with every `.$` field replaced. Raises PathMissing or IntrinsicFailed."""
    if isinstance(template, dict):
        return {
            key.removesuffix(".$"): _value(parse(value), data, context)
            if key.endswith(".$")
            else resolve(value, data, context)
            for key, value in template.items()
        }
    if isinstance(template, list):
        return [resolve(item, data, context) for item in template]
    return template


def expressions(template: Any) -> Iterator[tuple[str, Any]]:
    """Yield (field name, expression) of every `.$` field of a template."""
    if isinstance(template, dict):
        for key, value in template.items():
            if key.endswith(".$"):
                yield key, value
            else:
                yield from expressions(value)
    elif isinstance(template, list):
        for item in template:
            yield from expressions(item)


@lru_cache(maxsize=1024)
def parse(text: str) -> Path | Call:
    """Return an expression's tree. Raises ValueError when it is neither a path nor an allowed intrinsic function.

    Arguments are paths and quoted texts; functions inside functions are not used.
    """
    if text.startswith("$"):
        paths.steps(text)
        return Path(text)
    match = _CALL.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is neither a path nor an intrinsic function")
    if match[1] not in INTRINSICS:
        known = ", ".join(sorted(INTRINSICS))
        raise ValueError(f"{match[1]} is not one of the intrinsic functions that are used: {known}")
    return Call(match[1], tuple(_arguments(text, match[2])))


def _arguments(text: str, rest: str) -> Iterator[str | Path]:
    at, separator = 0, ","
    while separator:
        match = _ARGUMENT.match(rest, at)
        if match is None:
            raise ValueError(f"{text!r}: expected a path or a quoted text at argument {rest[at:]!r}")
        quoted, path, separator = match.groups()
        if path:
            paths.steps(path)
        # \{ and \} stay escaped: only States.Format knows what a brace means
        yield Path(path) if path else re.sub(r"\\([^{}])", r"\1", quoted)
        at = match.end()


def _value(tree: Any, data: Any, context: Mapping[str, Any]) -> Any:
    if isinstance(tree, Path):
        return paths.read(tree.text, data, context)
    if isinstance(tree, Call):
        arguments = [_value(argument, data, context) for argument in tree.arguments]
        try:
            return _FUNCTIONS[tree.name](*arguments)
        except (TypeError, ValueError) as error:
            raise IntrinsicFailed(f"{tree.name} cannot be applied to {arguments!r}: {error}") from error
    return tree


def _format(template: str, *arguments: Any) -> str:
    left = list(arguments)

    def fill(match: re.Match[str]) -> str:
        if match[0] != "{}":
            return match[0][1:]
        if not left:
            raise ValueError("more {} than arguments")
        value = left.pop(0)
        if isinstance(value, (dict, list)):
            raise ValueError("only strings, numbers, booleans and null can be formatted")
        return value if isinstance(value, str) else json.dumps(value)

    text = re.sub(r"\\[{}]|\{\}", fill, template)
    if left:
        raise ValueError("more arguments than {}")
    return text


def _length(items: Any) -> int:
    if not isinstance(items, list):
        raise TypeError("not an array")
    return len(items)


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "States.Array": lambda *items: list(items),
    "States.ArrayLength": _length,
    "States.Format": _format,
}
