"""A request's parameters against the service's own model, as AWS looks at them before it does anything else.

botocore's clients check types and required members, and leave lengths, patterns and choices to the service; here all of
it is checked, for whoever calls. Each shape becomes one function, made once: some calls carry thousands of values.
Source of the messages: what AWS answers ("1 validation error detected: Value ... at ... failed to satisfy constraint").
"""

import base64
import functools
from collections.abc import Callable, Mapping
from typing import Any, Final

import regex
from moto.core.parse import default_timestamp_parser

from local.api import ApiError

Reader = Callable[[Any], Any]
"""Takes a value off the wire, returns it by botocore's member names and types; raises `_Wrong`."""

_CODES: Final[Mapping[str, str]] = {
    "apigatewayv2": "BadRequestException",
    "cloudformation": "ValidationError",
    "iam": "ValidationError",
    "logs": "InvalidParameterException",
    "monitoring": "ValidationError",
    "s3": "InvalidArgument",
    "sns": "InvalidParameter",
    "sqs": "InvalidParameterValue",
    "sts": "ValidationError",
    "tagging": "InvalidParameterException",
}
"""What services call a value that their model does not allow; all others say ValidationException."""

_NO_NUMBERS: Final = ("NaN", "Infinity", "-Infinity")  # JSON has none: they come as text
_SHOWN_CHARACTERS: Final = 200
_UTF_16: Final = (r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")
"""Java counts in pairs of surrogates; some patterns say so."""


class _Wrong(Exception):
    """A value that the model does not allow; `path` grows on the way out."""

    def __init__(self, said: str, value: Any = None, *, malformed: bool = False) -> None:
        super().__init__(said)
        self.value = value
        self.malformed = malformed
        self.path: list[str] = []


def read(service: str, shape: Any, value: Any, *, json: bool) -> dict[str, Any]:
    """Return the members of an operation's input; `json`: as they came in JSON, else as a parser left them.

    Raises
    ------
    ApiError
        SerializationException for values of another type, the service's own code for all else.
    """
    try:
        members: dict[str, Any] = _reader(shape, json)(value)
    except _Wrong as wrong:
        where = ".".join(wrong.path)
        if wrong.malformed:
            raise ApiError("SerializationException", f"{where or 'The body'}: {wrong}") from wrong
        shown = "null" if wrong.value is None else f"'{str(wrong.value)[:_SHOWN_CHARACTERS]}'"
        message = f"1 validation error detected: Value {shown} at '{where}' failed to satisfy constraint: {wrong}"
        raise ApiError(_CODES.get(service, "ValidationException"), message) from wrong
    return members


@functools.lru_cache(maxsize=1024)
def _reader(shape: Any, json: bool) -> Reader:
    return _Compiler(json).reader(shape)


class _Compiler:
    """Makes the reader of one operation's input."""

    def __init__(self, json: bool) -> None:
        self._json = json
        self._made: dict[str, Reader] = {}

    def reader(self, shape: Any) -> Reader:
        """Return the reader of a shape; shapes may hold themselves."""
        if shape.type_name not in ("structure", "list", "map"):
            return _scalar(shape, self._json)
        if shape.name not in self._made:
            self._made[shape.name] = lambda value: self._made[shape.name](value)  # noqa: PLW0108 - made below
            self._made[shape.name] = getattr(self, f"_{shape.type_name}")(shape)
        return self._made[shape.name]

    def _structure(self, shape: Any) -> Reader:
        if getattr(shape, "is_document_type", False):
            return lambda value: value
        members = {
            (inner.serialization.get("name", name) if self._json else name): (name, self.reader(inner))
            for name, inner in shape.members.items()
        }
        required = shape.required_members

        def read_structure(value: Any) -> dict[str, Any]:
            if type(value) is not dict:
                raise _Wrong("an object is needed here", malformed=True)
            made = {}
            for given, item in value.items():
                if item is None:
                    continue
                known = members.get(given)
                if known is None:
                    raise _inside(given, _Wrong(f"Member must be one of: {', '.join(sorted(members))}", item))
                try:
                    made[known[0]] = known[1](item)
                except _Wrong as wrong:
                    raise _inside(known[0], wrong) from None
            for name in required:
                if name not in made:
                    raise _inside(name, _Wrong("Member must not be null"))
            return made

        return read_structure

    def _list(self, shape: Any) -> Reader:
        inner, sized = self.reader(shape.member), _sizes(shape, len)

        def read_list(value: Any) -> list[Any]:
            if type(value) is not list:
                raise _Wrong("a list is needed here", malformed=True)
            sized(value)
            made = []
            for number, item in enumerate(value, 1):
                try:
                    made.append(inner(item))
                except _Wrong as wrong:
                    raise _inside("member", wrong, number) from None
            return made

        return read_list

    def _map(self, shape: Any) -> Reader:
        key, inner, sized = self.reader(shape.key), self.reader(shape.value), _sizes(shape, len)

        def read_map(value: Any) -> dict[str, Any]:
            if not isinstance(value, dict):
                raise _Wrong("an object is needed here", malformed=True)
            sized(value)
            made = {}
            for name, item in value.items():
                try:
                    made[key(name)] = inner(item)
                except _Wrong as wrong:
                    raise _inside(str(name), wrong) from None
            return made

        return read_map


def _inside(name: str, wrong: _Wrong, number: int | None = None) -> _Wrong:
    """Return an error with one more step of the way to it, as AWS spells it (`logEvents.1.member.timestamp`)."""
    step = name[:1].lower() + name[1:]
    wrong.path.insert(0, step if number is None else f"{number}.{step}")
    return wrong


def _scalar(shape: Any, json: bool) -> Reader:
    kind = shape.type_name
    if kind == "blob":
        sized = _sizes(shape, len)
        return lambda value: sized(_bytes(value) if json else value)
    if kind == "timestamp":
        return _moment if json else lambda value: value
    if kind == "string" and not getattr(shape, "jsonvalue", False):
        return _text(shape)
    if kind in ("integer", "long", "float", "double"):
        return _number(_sizes(shape, lambda value: value, "value"), whole=kind in ("integer", "long"))
    return _of_type(bool if kind == "boolean" else str)


def _of_type(kind: type) -> Reader:
    def read_value(value: Any) -> Any:
        if type(value) is not kind:
            raise _Wrong(f"{type(value).__name__} cannot be converted to {kind.__name__}", malformed=True)
        return value

    return read_value


def _number(sized: Reader, *, whole: bool) -> Reader:
    def read_number(value: Any) -> Any:
        if type(value) is float and whole and value.is_integer():
            value = int(value)
        elif not whole and value in _NO_NUMBERS:
            value = float(value)
        if type(value) is not int and (whole or type(value) is not float):
            raise _Wrong(f"{type(value).__name__} cannot be converted to a number", malformed=True)
        return sized(value)

    return read_number


def _text(shape: Any) -> Reader:
    typed, sized, pattern = _of_type(str), _sizes(shape, len), shape.metadata.get("pattern")
    matches = regex.compile(pattern.replace(*_UTF_16)).fullmatch if pattern else None
    enum = frozenset(shape.enum)
    if sized is _same and matches is None and not enum:
        return typed

    def read_text(value: Any) -> Any:
        typed(value)
        if matches is not None and matches(value) is None:
            raise _Wrong(f"Member must satisfy regular expression pattern: {pattern}", value)
        if enum and value not in enum:
            raise _Wrong(f"Member must satisfy enum value set: [{', '.join(shape.enum)}]", value)
        return sized(value)

    return read_text


def _same(value: Any) -> Any:
    return value


def _sizes(shape: Any, size: Callable[[Any], float], what: str = "length") -> Reader:
    """Return what refuses values that are too small or too large for the shape, and returns all others."""
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low in (None, 0) and high is None:
        return _same

    def sized(value: Any) -> Any:
        if low is not None and size(value) < low:
            raise _Wrong(f"Member must have {what} greater than or equal to {low}", value)
        if high is not None and size(value) > high:
            raise _Wrong(f"Member must have {what} less than or equal to {high}", value)
        return value

    return sized


def _bytes(value: Any) -> bytes:
    try:
        return base64.b64decode(value)
    except (ValueError, TypeError) as error:
        raise _Wrong(f"this is not base64: {error}", malformed=True) from error


def _moment(value: Any) -> Any:
    try:
        return default_timestamp_parser(value)
    except (ValueError, TypeError, OverflowError, RuntimeError) as error:
        raise _Wrong(f"this is no time: {error}", malformed=True) from error
