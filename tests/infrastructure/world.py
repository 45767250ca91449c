"""What the tests of the stacks look at: a cloud assembly on disk."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = Path(__file__).parent / "fixtures"


@dataclass(frozen=True)
class Assembly:
    """A cloud assembly on disk."""

    folder: Path

    def template(self, name: str) -> dict[str, Any]:
        return json.loads((self.folder / f"{name}.template.json").read_bytes())

    @property
    def templates(self) -> dict[str, dict[str, Any]]:
        files = sorted(self.folder.glob("*.template.json"))
        return {file.name.removesuffix(".template.json"): json.loads(file.read_bytes()) for file in files}

    def resources(self, kind: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """(stack, logical id, resource) of every resource of a type."""
        for stack, template in self.templates.items():
            for name, resource in template["Resources"].items():
                if resource["Type"] == kind:
                    yield stack, name, resource

    def asset(self, stack: str, key: str) -> Path:
        """The staged source behind an asset's S3 key."""
        manifest = json.loads((self.folder / f"{stack}.assets.json").read_bytes())
        for entry in manifest["files"].values():
            if any(place["objectKey"] == key for place in entry["destinations"].values()):
                return (self.folder / entry["source"]["path"]).resolve()
        raise KeyError(key)


def flat(value: Any) -> str:
    """A property as text, with references in angle brackets."""
    if isinstance(value, dict) and len(value) == 1:
        (intrinsic, argument), *_ = value.items()
        if intrinsic == "Fn::Join":
            return "".join(flat(part) for part in argument[1])
        if intrinsic == "Fn::GetAtt":
            return f"<{'.'.join(argument)}>"
        if intrinsic in ("Ref", "Fn::ImportValue", "Fn::Sub"):
            return f"<{argument}>"
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def statements(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every statement of the identity policies of a role or policy."""
    properties = resource["Properties"]
    documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
    documents += [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
    for document in documents:
        yield from document["Statement"]


def listed(value: Any) -> list[Any]:
    """A value that may be one or many."""
    return value if isinstance(value, list) else [value]
