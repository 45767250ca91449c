"""Reference paths of JSONPath (`$.a.b[0]`) -> the value they name, or a copy with the value put there."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_STEP = re.compile(r"\.([^\W\d][\w-]*)|\[(\d+)\]|\['((?:[^'\\]|\\.)+)'\]")


class PathMissing(Exception):
    """A path names nothing in the data it was applied to."""


@lru_cache(maxsize=1024)
def steps(path: str) -> tuple[str | int, ...]:
    """Return the keys and indexes of a reference path. Raises ValueError when it is another kind of JSONPath.

    >>> steps("$.run.families[0]")
    ('run', 'families', 0)
    """
    at = 2 if path.startswith("$$") else 1
    found: list[str | int] = []
    if not path.startswith("$"):
        raise ValueError(f"{path!r} is no path: it must begin with $")
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            raise ValueError(f"{path!r} is not a reference path ($.a.b[0]); filters, slices and wildcards are refused")
        name, index, quoted = match.groups()
        found.append(name or (int(index) if index else re.sub(r"\\(.)", r"\1", quoted)))
        at = match.end()
    return tuple(found)


def read(path: str, data: Any, context: Mapping[str, Any]) -> Any:
    """Return what `path` names in the data (`$`) or in the context object (`$$`). Raises PathMissing."""
    value: Any = context if path.startswith("$$") else data
    for step in steps(path):
        try:
            if isinstance(step, int) and not isinstance(value, list):
                raise PathMissing(path)
            value = value[step]
        except (KeyError, IndexError, TypeError) as error:
            raise PathMissing(path) from error
    return value


def put(path: str, data: Any, value: Any) -> Any:
    """Return `data` with `value` at `path`, missing objects made. Raises PathMissing when something is in the way."""
    return _put(steps(path), data, value, path)


def _put(rest: tuple[str | int, ...], data: Any, value: Any, path: str) -> Any:
    if not rest:
        return value
    step = rest[0]
    if isinstance(step, int):
        if not isinstance(data, list) or step >= len(data):
            raise PathMissing(path)
        return [_put(rest[1:], item, value, path) if at == step else item for at, item in enumerate(data)]
    if not isinstance(data, dict):
        raise PathMissing(path)
    return {**data, step: _put(rest[1:], data.get(step, {}), value, path)}
