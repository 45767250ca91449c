"""Nothing is granted that nobody needs: what no role ever used in all of tests/e2e stands in docs/permissions.md.

`make test` runs these tests after the others, which leave behind what they used: they are the full run that is judged.
"""

import fnmatch
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.conftest import FULL_RUN, ROOT

pytestmark = pytest.mark.slow

NEEDED = ("closed_loop", "feedback", "openapi", "own_data", "prediction_log", "rollouts", "serverless", "uploads")
HEADING = "## Granted, and never used on the laptop"
_KIND = re.compile(r"-(\w+?)Role[0-9A-F]*-[0-9a-f]{12}$")
_GENERATED = (
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<key>"),
    (r"[0-9a-f]{64}", "<asset>"),
    (r"-[0-9a-f]{12}(?![0-9a-f])", ""),
    (r"perennial-dev-(?:<model>|shared)-[a-z]*-?(\w+?(?:Function|Role))\w*", r"<\1>"),
    (r"(perennial-dev-(?:<model>|shared)(?:-[a-z]+)?-[A-Za-z]+?)[0-9A-F]{8}", r"\1"),
    (r"(Machine|perennial-dev-shared-(?:data|artifacts))[0-9A-Fa-f]{8}", r"\1"),
    (r"/apis/\w+", "/apis/<api>"),
    (r"^arn:aws:", ""),
    (r"us-east-1:123456789012:", ""),
    (r":us-east-1:", ":"),
)
Grant = tuple[str, str, str]
"""A kind of role, an action and a resource, in which names of models and generated names are replaced."""


@dataclass(frozen=True)
class Reason:
    """One row of the table: whose grants it explains, each part a pattern."""

    roles: tuple[str, ...]
    actions: tuple[str, ...]
    resources: tuple[str, ...]

    def explains(self, grant: Grant) -> bool:
        role, action, resource = grant
        return _fits(role, self.roles) and _fits(action, self.actions) and _fits(resource, self.resources)


def _fits(text: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(text, pattern) for pattern in patterns)


def reasons() -> list[Reason]:
    """The rows of the table in docs/permissions.md."""
    section = (ROOT / "docs" / "permissions.md").read_text().split(HEADING)[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    return [Reason(*(tuple(re.findall(r"`([^`]+)`", cell)) for cell in row[:3])) for row in rows[2:]]


def grants(run: list[dict[str, Any]]) -> Iterator[tuple[Grant, bool]]:
    """Every grant of every role of every engine of a full run, and whether it was used there."""
    for models, roles in (engine for process in run for engine in process["engines"]):
        for name, told in roles.items():
            found = _KIND.search(name)
            kind = found[1] if found else "Predict"
            for state in ("used", "unused"):
                for _, action, resource in told[state]:
                    yield (kind, action, _plain(resource, models)), state == "used"


def _plain(resource: str, models: Iterable[str]) -> str:
    for model in models:
        resource = re.sub(rf"(?<![A-Za-z0-9]){model}(?![A-Za-z0-9])", "<model>", resource)
    for pattern, instead in _GENERATED:
        resource = re.sub(pattern, instead, resource)
    return resource


def test_what_is_granted_and_never_used_is_explained_and_nothing_else_is() -> None:
    run = [json.loads(file.read_text()) for file in FULL_RUN.glob("*.json")]
    if missing := set(NEEDED) - {name for process in run for name in process["ran"]}:
        pytest.skip(f"judges a full run; these tests did not run before: {', '.join(sorted(missing))}")
    seen: dict[Grant, bool] = {}
    for grant, used in grants(run):
        seen[grant] = seen.get(grant, False) or used
    unused = sorted(grant for grant, used in seen.items() if not used)
    table = reasons()
    assert [grant for grant in unused if not any(row.explains(grant) for row in table)] == []
    gone = [row for row in table if not any(row.explains(grant) for grant in seen)]
    assert gone == [], "explained, but granted no more"
