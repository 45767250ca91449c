"""A YAML file of the user -> values, with every problem named at once: file, key, what is allowed, what was found."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import yaml
from pydantic import BaseModel, ValidationError

from stacks.project import SynthesisRefused


@dataclass(frozen=True)
class Problem:
    """What is wrong at a key (dotted path, "" for the whole file)."""

    key: str
    text: str


def refuse(path: Path, problems: Iterable[Problem]) -> NoReturn:
    """Raise SynthesisRefused with every problem of a file, one a line."""
    lines = [f"  {problem.key}: {problem.text}" if problem.key else f"  {problem.text}" for problem in problems]
    count = f"{len(lines)} problem{'s' if len(lines) > 1 else ''}"
    raise SynthesisRefused("\n".join([f"{path}: {count}", *lines]))


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping that a file holds.

    Raises SynthesisRefused when the file is missing, is not YAML or UTF-8, repeats a key or holds no mapping.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        raw = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader that also refuses repeated keys
    except FileNotFoundError:
        refuse(path, [Problem("", "the file does not exist")])
    except UnicodeDecodeError as error:
        refuse(path, [Problem("", f"must be UTF-8 text: {error}")])
    except yaml.YAMLError as error:
        refuse(path, [Problem("", f"is not YAML: {' '.join(str(error).split())}")])
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        refuse(path, [Problem("", f"must be a mapping of keys to values, found {type(raw).__name__}")])
    return raw


def problems_of[Model: BaseModel](kind: type[Model], raw: Any) -> tuple[Model | None, list[Problem]]:
    """Return (the validated value, no problems), or (None, every problem with the path of its key)."""
    try:
        return kind.model_validate(raw), []
    except ValidationError as error:
        return None, [_problem(entry) for entry in error.errors(include_url=False)]


def _problem(entry: Any) -> Problem:
    path = [str(part) for part in entry["loc"] if not _is_branch(part)]
    found = entry["input"]
    text = entry["msg"].removeprefix("Value error, ")
    if entry["type"] == "extra_forbidden":
        text = "is not a key that is known here; see docs/model-yaml.md"
    elif entry["type"] == "missing":
        return Problem(".".join(path), "is missing")
    if isinstance(found, str | int | float | bool | None):
        text += f", found {found!r}"
    return Problem(".".join(path), text)


def _is_branch(part: Any) -> bool:
    """Pydantic names the branch of a union in the path; a user knows no such key."""
    return isinstance(part, str) and (part[:1].isupper() or "[" in part or part in ("str", "float", "int", "bool"))


class _Loader(yaml.SafeLoader):
    """YAML as people expect it: a repeated key is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, str) and key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} occurs twice", key_node.start_mark
                )
            seen.add(key if isinstance(key, str) else repr(key))
        return super().construct_mapping(node, deep)
