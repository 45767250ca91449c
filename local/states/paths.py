"""Reference paths of JSONPath (`$.a.b`) -> the value they name, or a copy with the value put there."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_STEP = re.compile(r"\.([^\W\d][\w-]*)")


class PathMissing(Exception):
    """A path names nothing in the data it was applied to."""


@lru_cache(maxsize=1024)
def steps(path: str) -> tuple[str, ...]:
    """Return the keys of a reference path. Raises ValueError when it is another kind of JSONPath.

    >>> steps("$.run.families")
    ('run', 'families')
    """
    at = 2 if path.startswith("$$") else 1
    found: list[str] = []
    if not path.startswith("$"):
        raise ValueError(f"{path!r} is no path: it must begin with $")
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            raise ValueError(f"{path!r} is not a reference path ($.a.b); indexes, filters and wildcards are refused")
        found.append(match[1])
        at = match.end()
    return tuple(found)


def read(path: str, data: Any, context: Mapping[str, Any]) -> Any:
    """Return what `path` names in the data (`$`) or in the context object (`$$`). Raises PathMissing."""
    value: Any = context if path.startswith("$$") else data
    for step in steps(path):
        if not isinstance(value, dict) or step not in value:
            raise PathMissing(path)
        value = value[step]
    return value


def put(path: str, data: Any, value: Any) -> Any:
    """Return `data` with `value` at `path`, missing objects made. Raises PathMissing when something is in the way."""
    return _put(steps(path), data, value, path)


def _put(rest: tuple[str, ...], data: Any, value: Any, path: str) -> Any:
    if not rest:
        return value
    if not isinstance(data, dict):
        raise PathMissing(path)
    return {**data, rest[0]: _put(rest[1:], data.get(rest[0], {}), value, path)}
