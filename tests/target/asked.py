"""What the synthesized templates ask for, beside what a place says there is.

A value of the template that only a deployment knows (`Ref`, `Fn::GetAtt`) is followed to the physical name of the
resource that it names; everything else must be there as written.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.target.place import Place


@dataclass(frozen=True)
class Asked:
    """One resource of a template: its properties, its physical name, and those of its stack by logical name."""

    stack: str
    logical: str
    properties: Mapping[str, Any]
    physical: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.physical[self.logical]


def resources(place: Place, kind: str) -> Iterator[Asked]:
    """Every resource of a type in the templates that were deployed."""
    for path in sorted((place.folder / "cdk.out").glob("*.template.json")):
        stack = path.name.removesuffix(".template.json")
        found = json.loads(path.read_text())["Resources"]
        wanted = {logical: r.get("Properties", {}) for logical, r in found.items() if r["Type"] == kind}
        if wanted:
            physical = physical_names(place, stack)
            for logical, properties in wanted.items():
                yield Asked(stack, logical, properties, physical)


def physical_names(place: Place, stack: str) -> dict[str, str]:
    pages = place.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    return {r["LogicalResourceId"]: r["PhysicalResourceId"] for page in pages for r in page["StackResourceSummaries"]}


def templates(folder: Path) -> list[str]:
    """The names of the stacks of an assembly."""
    return [path.name.removesuffix(".template.json") for path in sorted((folder / "cdk.out").glob("*.template.json"))]


def differences(asked: Any, found: Any, physical: Mapping[str, str], where: str = "") -> list[str]:
    """Where `found` is not what a template asks for; members that it does not mention may be anything."""
    if isinstance(asked, dict) and len(asked) == 1 and next(iter(asked)).startswith(("Fn::", "Ref")):
        return [] if _refers(asked, found, physical) else [f"{where}: {found!r} is not what {asked} names"]
    if isinstance(asked, dict):
        if not isinstance(found, dict):
            return [f"{where}: {found!r} where {sorted(asked)} are asked for"]
        parts = [differences(value, found.get(key), physical, f"{where}.{key}") for key, value in asked.items()]
        return [problem for part in parts for problem in part]
    if isinstance(asked, list):
        if not isinstance(found, list) or len(found) != len(asked):
            return [f"{where}: {found!r} where {asked!r} is asked for"]
        both = zip(asked, found, strict=True)
        parts = [differences(a, f, physical, f"{where}[{number}]") for number, (a, f) in enumerate(both)]
        return [problem for part in parts for problem in part]
    # SQS answers every attribute as text
    same = asked == found or (isinstance(found, str) and _text(asked) == found)
    return [] if same else [f"{where}: {found!r}, asked for {asked!r}"]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _refers(asked: Mapping[str, Any], found: Any, physical: Mapping[str, str]) -> bool:
    (function, value), *_ = asked.items()
    if not isinstance(found, str) or not found or "unknown" in found:
        return False
    if function == "Ref" and value in physical:
        return found == physical[value]
    if function == "Fn::GetAtt":
        # a queue's physical name is its URL, an attribute its ARN: both end in the name
        return found.rsplit("/", 1)[-1].rsplit(":", 1)[-1] == physical[value[0]].rsplit("/", 1)[-1].rsplit(":", 1)[-1]
    return True
