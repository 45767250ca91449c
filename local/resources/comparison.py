"""What was asked, what AWS says is there -> where they differ."""

from collections.abc import Iterator
from typing import Any


def differences(asked: Any, found: Any, exact: frozenset[str] = frozenset(), path: str = "") -> list[str]:
    """Return the paths at which `found` lacks or contradicts `asked`.

    `found` may hold more than was asked (defaults of the service), except below the paths in `exact`. Lists are
    compared as sets; 60, "60" and true, "true" are the same value, as CloudFormation takes either.
    """
    return list(_differences(asked, found, exact, path))


def _differences(asked: Any, found: Any, exact: frozenset[str], path: str) -> Iterator[str]:
    if isinstance(asked, dict):
        if not isinstance(found, dict):
            yield f"{path}: asked {asked!r}, found {found!r}"
            return
        if path in exact and (more := sorted(set(found) - set(asked))):
            yield f"{path}: found {', '.join(more)}, which was not asked"
        for key, value in asked.items():
            below = f"{path}.{key}" if path else str(key)
            yield from _differences(value, found.get(key), exact | ({below} if path in exact else set()), below)
    elif isinstance(asked, list):
        if not isinstance(found, list) or not _same_members(asked, found, exact, path):
            yield f"{path}: asked {asked!r}, found {found!r}"
    elif _text(asked) != _text(found):
        yield f"{path}: asked {asked!r}, found {found!r}"


def _same_members(asked: list[Any], found: list[Any], exact: frozenset[str], path: str) -> bool:
    left = list(found)
    for item in asked:
        match = next((other for other in left if not differences(item, other, exact, path)), None)
        if match is None:
            return False
        left.remove(match)
    return not left


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
