"""The pinned `cdk` against the engine: what it shows, and how it is told that it cannot deploy."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.clients.conftest import MODEL, ROOT, Shell, path_with

pytestmark = pytest.mark.slow

DIFF = ("cdk", "diff", "--method=template", "--app")
DEPLOY = ("cdk", "deploy", "--all", "--require-approval", "never", "--app")


@pytest.fixture(scope="module")
def cdk(shell: Shell) -> Shell:
    """The shell of somebody who has put `.venv/bin` on the PATH."""
    return replace(shell, environment={**shell.environment, "PATH": path_with(ROOT / ".venv")})


@pytest.fixture(scope="module")
def edited(cdk: Shell) -> Path:
    """An assembly that `cdk synth` made after an edit of model.yaml; the deployed one stays where it is."""
    described = cdk.folder / "models" / MODEL / "model.yaml"
    before = described.read_text()
    described.write_text(before.replace("random-forest", "extra-trees"))
    try:
        ran = cdk.run("cdk", "synth", "--quiet", "--output", "edited.out")
    finally:
        described.write_text(before)
    assert ran.returncode == 0, ran.stderr
    return cdk.folder / "edited.out"


def test_synth_changes_no_template_that_an_edit_does_not_touch(cdk: Shell, edited: Path) -> None:
    template = "perennial-dev-shared.template.json"
    assert (edited / template).read_bytes() == (cdk.folder / "cdk.out" / template).read_bytes()


def test_diff_shows_no_difference_where_there_is_none(cdk: Shell) -> None:
    ran = cdk.run(*DIFF, "cdk.out")
    assert ran.returncode == 0, ran.stderr
    assert "Number of stacks with differences: 0" in ran.stdout + ran.stderr


def test_diff_shows_what_an_edit_changes(cdk: Shell, edited: Path) -> None:
    ran = cdk.run(*DIFF, str(edited))
    said = ran.stdout + ran.stderr
    assert ran.returncode == 0, said
    assert "Output SpecId" in said
    assert "DefinitionString" in said
    assert "Number of stacks with differences: 3" in said


def test_deploying_what_is_deployed_changes_nothing(cdk: Shell) -> None:
    ran = cdk.run(*DEPLOY, "cdk.out")
    said = ran.stdout + ran.stderr
    assert ran.returncode == 0, said
    assert said.count("(no changes)") == 7


def test_deploying_a_change_is_refused_with_the_command_that_does_it(cdk: Shell, edited: Path) -> None:
    ran = cdk.run(*DEPLOY, str(edited))
    said = ran.stdout + ran.stderr
    assert ran.returncode != 0
    assert "run `perennial local up`" in said
