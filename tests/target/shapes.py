"""The shape of events: which members there are and of what kind, whatever their values.

`events/<kind>.json` holds one fixture a kind: `from`, where it was taken (a page of AWS's documentation, or "aws" with
the day it was recorded), `optional`, members that AWS may leave out, and `event`. Whoever runs the body on AWS with
`--record` replaces what was copied from documentation by what really came.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).with_name("events")
EVENT_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def fixture(event: Mapping[str, Any]) -> Path:
    """Return where the fixture of an event's kind is."""
    kind = f"{event['source']} {event['detail-type']}".replace(" ", "-").lower()
    return FOLDER / f"{kind}{_variant(event)}.json"


def _variant(event: Mapping[str, Any]) -> str:
    """What tells two shapes of one kind apart: deletions of versioned objects, ends of executions."""
    detail = event["detail"]
    told = detail.get("deletion-type") or detail.get("status")
    return f"-{told.lower().replace(' ', '-')}" if isinstance(told, str) else ""


def differences(found: Mapping[str, Any], stored: Mapping[str, Any]) -> list[str]:
    """How an event's shape differs from a fixture's; none means that code written for one can read the other."""
    optional = frozenset(stored.get("optional", ()))
    here, there = dict(_members(found)), dict(_members(stored["event"]))
    missing = [f"{name} is missing" for name in there if name not in here and not _within(name, optional)]
    extra = [f"{name} is not in {stored['from']}" for name in here if name not in there and not _within(name, optional)]
    other = [
        f"{name} is {here[name]}, not {there[name]}"
        for name in here.keys() & there.keys()
        if here[name] != there[name] and "null" not in (here[name], there[name])
    ]
    return sorted([*missing, *extra, *other, *_envelope(found)])


def _envelope(event: Mapping[str, Any]) -> Iterator[str]:
    if not EVENT_ID.fullmatch(str(event.get("id"))):
        yield f"id is {event.get('id')!r}, not a UUID"
    if not TIME.fullmatch(str(event.get("time"))):
        yield f"time is {event.get('time')!r}, not ISO 8601 in whole seconds"


def _within(name: str, optional: frozenset[str]) -> bool:
    return any(name == member or name.startswith((f"{member}.", f"{member}[")) for member in optional)


def _members(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every member with its kind; a list counts as its first element."""
    if isinstance(value, Mapping):
        if name:
            yield name, "object"
        for key, part in value.items():
            yield from _members(part, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        yield name, "list"
        if value:
            yield from _members(value[0], f"{name}[]")
    elif isinstance(value, bool):
        yield name, "boolean"
    elif isinstance(value, int | float):
        yield name, "number"
    else:
        yield name, "null" if value is None else "text"


def read(path: Path) -> dict[str, Any]:
    stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return stored


def write(event: Mapping[str, Any], origin: str) -> Path:
    """Keep an event as the fixture of its kind; what is optional there stays so."""
    path = fixture(event)
    optional = read(path).get("optional", []) if path.exists() else []
    stored = {"from": origin, "optional": optional, "event": event}
    path.write_text(json.dumps(stored, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
