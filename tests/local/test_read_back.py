"""Every property of the synthesized templates is read back from the service that it was given to, or is in the table.

What a deployed resource was asked for is changed in one place at a time, in memory only: reading back must then find
that it is other than asked. What nobody finds is not read back, whatever the deployer says.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from local.api import ACCOUNT
from local.closed_set import FILE
from local.keeping import Nowhere
from local.resource_steps import NotAsAskedError, read_back
from local.resources.catalogue import IGNORED, KINDS
from local.stack_state import StackResource
from stacks.project import Project
from stacks.synthesis import synthesize
from tests.infrastructure.world import FIXTURES, ROOT
from tests.issuer import running
from tests.local.deployer_world import REGION, World, world

pytestmark = pytest.mark.slow

MODEL = "-price-"
DOCUMENT = ROOT / "docs" / "deployer.md"


@dataclass
class Rows(Nowhere):
    """What the deployer keeps of its stacks: the resources, as they were asked for at last."""

    resources: dict[tuple[str, str], StackResource] = field(default_factory=dict)

    def put(self, part: str, key: str, value: object) -> None:
        if isinstance(value, StackResource):
            self.resources[part, key] = value


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, list[StackResource]]]:
    """The shared stack and those of one model of the infrastructure tests, which uses all; its issuer is there."""
    folder = tmp_path_factory.mktemp("read-back")
    with running(folder) as issuer, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(issuer.certificate))
        synthesize(Project(code=ROOT, home=FIXTURES), stage="prod", outdir=folder / "cdk.out")
        keep_one_model(folder / "cdk.out" / "manifest.json")
        here = {"https://issuer.example": issuer.address, "012345678901": ACCOUNT, "eu-west-1": REGION}
        for file in (folder / "cdk.out").glob("*.json"):
            file.write_text(reduce(lambda text, one: text.replace(*one), here.items(), file.read_text()))
        rows = Rows()
        with world(folder / "cdk.out", rows) as engine:
            engine.deployer.deploy(engine.folder, lambda *_: None)
            yield engine, list(rows.resources.values())


def keep_one_model(manifest: Path) -> None:
    content = json.loads(manifest.read_bytes())
    wanted = {name: one for name, one in content["artifacts"].items() if MODEL in name or "-shared" in name}
    for one in wanted.values():
        one["dependencies"] = [name for name in one.get("dependencies", []) if name in wanted]
    manifest.write_text(json.dumps({**content, "artifacts": wanted}))


def used() -> set[tuple[str, str]]:
    """Return type and property path of all that the templates use, as docs/engine.md lists them."""
    listed = json.loads(FILE.read_bytes())["templates"]["resources"]
    return {(kind, path) for kind, paths in listed.items() for path in paths if kind not in IGNORED}


def listed() -> dict[tuple[str, str], str]:
    """Return the table of what is not read back: type and path to reason."""
    section = DOCUMENT.read_text().partition("## What is not read back")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (AWS::\S+) \| `([^`]+)` \| (.+) \|$", section, re.MULTILINE)
    return {(kind, path): reason for kind, path, reason in rows}


def other(value: Any) -> Any:
    """Return something else of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, dict):
        return {**value, "Other": "x"} if not value else {**value, (key := next(iter(value))): other(value[key])}
    if isinstance(value, list):
        return [other(value[0]), *value[1:]] if value else ["other"]
    if value in ("true", "false"):
        return "false" if value == "true" else "true"
    try:
        return json.dumps(other(json.loads(value)))
    except ValueError:
        return f"{value}x"


def changed(value: Any, path: list[str]) -> Any:
    """Return `value` with what is at `path` changed (in the first member of a list that has it), else LookupError."""
    if not path:
        return other(value)
    if isinstance(value, list):
        for at, member in enumerate(value):
            try:
                return [*value[:at], changed(member, path), *value[at + 1 :]]
            except LookupError:
                continue
        raise LookupError(path[0])
    return {**value, path[0]: changed(value[path[0]], path[1:])}


def is_missed(engine: World, resource: StackResource, properties: dict[str, Any]) -> bool:
    """Whether reading back finds that the resource is not as asked for."""
    kind = KINDS[resource.type]
    subject = kind.subject(engine.clients, resource.name, properties, id=resource.id)
    try:
        read_back(kind, subject)
    except (NotAsAskedError, ClientError, BotoCoreError, LookupError):
        return True
    return False


def test_a_property_is_read_back_or_listed_with_a_reason(deployed: tuple[World, list[StackResource]]) -> None:
    engine, resources = deployed
    unread, without = set(), set()
    for kind, path in sorted(used()):
        for resource in (one for one in resources if one.type == kind):
            try:
                properties = changed(resource.properties, path.split("."))
            except LookupError:
                continue
            if not is_missed(engine, resource, properties):
                unread.add((kind, path))
            break
        else:
            without.add((kind, path))

    assert without == set()
    assert unread == set(listed())


def test_what_the_deployer_does_not_compare_has_the_reason_that_the_table_gives() -> None:
    named = {(kind, path): KINDS[kind].unread.get(path.partition(".")[0]) for kind, path in listed()}

    assert named == listed()
    assert {(kind, name) for kind, name, *_ in ((k, p.partition(".")[0]) for k, p in listed())} == {
        (kind.type, name) for kind in KINDS.values() for name in kind.unread
    }


def test_the_code_of_a_function_is_its_asset(deployed: tuple[World, list[StackResource]]) -> None:
    engine, resources = deployed
    for function in (one for one in resources if one.type == "AWS::Lambda::Function"):
        code = function.properties["Code"]
        stored = engine.client("s3").get_object(Bucket=code["S3Bucket"], Key=code["S3Key"])["Body"].read()
        found = engine.client("lambda").get_function_configuration(FunctionName=function.id)["CodeSha256"]
        assert found == base64.b64encode(hashlib.sha256(stored).digest()).decode()
