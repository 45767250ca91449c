"""What was asked, what AWS says is there -> where they differ."""

import json
from collections.abc import Iterator
from typing import Any

_EXACT = frozenset({"Variables", "InputPathsMap", "NotificationConfiguration"})
"""Maps whose keys are the user's, and one whose keys are switches: nothing may be there that was not asked for."""


def differences(asked: Any, found: Any, path: str = "") -> list[str]:
    """Return a line for each place where `found` lacks or contradicts `asked`.

    `found` may hold more than was asked (defaults of the service) except in JSON documents and the maps of
    `_EXACT`. Lists are compared as sets; 60 and "60", true and "true" are the same, as CloudFormation takes either.
    """
    return list(_differences(asked, found, path))


def _differences(asked: Any, found: Any, path: str) -> Iterator[str]:
    if isinstance(asked, dict) and isinstance(found, dict):
        if path.rpartition(".")[2] in _EXACT and (more := sorted(set(found) - set(asked))):
            yield f"{path}: found {', '.join(more)}, which was not asked"
        for key, value in asked.items():
            yield from _differences(value, found.get(key), f"{path}.{key}" if path else str(key))
    elif not _same(asked, found):
        yield f"{path}: asked {asked!r}, found {found!r}"


def _same(asked: Any, found: Any) -> bool:
    if isinstance(asked, list):
        return isinstance(found, list) and _same_members(asked, found)
    return _text(asked) == _text(found) or _document(asked) == _document(found)


def _document(value: Any) -> Any:
    if not isinstance(value, str) or not value.startswith("{"):
        return value
    try:
        return json.loads(value)
    except ValueError:
        # a template of a document, such as an input transformer's, is not one itself
        return value


def _same_members(asked: list[Any], found: list[Any]) -> bool:
    left = list(found)
    for item in asked:
        # an equal member before one that only holds what was asked, which another may need
        match = next((at for at, other in enumerate(left) if item == other), None)
        if match is None:
            match = next((at for at, other in enumerate(left) if not differences(item, other)), None)
        if match is None:
            return False
        del left[match]
    return not left


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
