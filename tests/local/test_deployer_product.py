"""The product's own stacks on the engine's deployer: all of them, and nothing in the deployer beyond them."""

from collections import defaultdict
from pathlib import Path

import pytest

from local.assembly import Assembly, read_assembly
from local.deployer import DeploymentError
from local.preflight import property_paths
from local.resources.catalogue import KINDS
from stacks.project import Project
from stacks.synthesis import synthesize
from tests.infrastructure.world import FIXTURES, ROOT
from tests.local.deployer_world import world

pytestmark = pytest.mark.slow

PSEUDO = {"AWS::AccountId": "123456789012", "AWS::Region": "us-east-1", "AWS::Partition": "aws"}


@pytest.fixture(scope="module")
def cdk_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cdk.out")
    synthesize(Project.at(ROOT), stage="dev", outdir=folder)
    return folder


@pytest.fixture(scope="module")
def fixtures_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models of the infrastructure tests in the stage that lets browsers in; one of them is behind tokens."""
    folder = tmp_path_factory.mktemp("fixtures")
    synthesize(Project(code=ROOT, home=FIXTURES), stage="prod", outdir=folder)
    return folder


def stacks_of(folder: Path) -> Assembly:
    return read_assembly(folder, PSEUDO)


def test_every_stack_of_the_example_deploys_and_is_then_left_alone(cdk_out: Path) -> None:
    with world(cdk_out) as engine:
        engine.deployer.deploy(cdk_out, lambda *_: None)

        names = [stack.name for stack in stacks_of(cdk_out).stacks]
        assert {engine.stack(name)["StackStatus"] for name in names} == {"CREATE_COMPLETE"}
        again: list[tuple[str, str, str]] = []
        engine.deployer.deploy(cdk_out, lambda *line: again.append(line))
        assert again == [(name, name, "UNCHANGED") for name in names]


def test_the_deployer_knows_no_type_and_no_property_that_the_stacks_do_not_use(
    cdk_out: Path, fixtures_out: Path
) -> None:
    used: dict[str, set[str]] = defaultdict(set)
    for stack in (*stacks_of(cdk_out).stacks, *stacks_of(fixtures_out).stacks):
        for resource in stack.template["Resources"].values():
            used[resource["Type"]] |= set(property_paths(resource.get("Properties", {})))

    unused = [
        f"{kind.type}: {path}"
        for kind in KINDS.values()
        for path in kind.properties.split()
        if not any(f"{found}.".startswith(f"{path.removesuffix('.*')}.") for found in used[kind.type])
    ]
    assert unused == []


def test_an_issuer_that_cannot_be_reached_stops_the_deployment_by_name(tmp_path: Path) -> None:
    """The models of the infrastructure tests have one behind tokens of https://issuer.example."""
    synthesize(Project(code=ROOT, home=FIXTURES), stage="dev", outdir=tmp_path)

    with world(tmp_path) as engine, pytest.raises(DeploymentError, match=r"Authorizer.*Invalid issuer"):
        engine.deployer.deploy(tmp_path, lambda *_: None)
