"""The real `aws`, as a user of docs/clients.md types it: the page's own lines, in its order."""

import json
from dataclasses import replace

import pytest

from tests.clients.conftest import MODEL, Shell, lane, page, path_with, wait_for_package
from tests.e2e.conftest import Lab, wait_until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def aws(shell: Shell) -> Shell:
    """The shell of somebody who has the `aws` command."""
    path = path_with(lane("clients"))
    return replace(shell, environment={**shell.environment, "PATH": path, "AWS_PAGER": ""})


def test_a_user_looks_uploads_approves_and_invokes(lab: Lab, aws: Shell) -> None:
    looked = aws.lines(page("sh aws look"))
    assert "perennial-dev-churn-training" in looked
    assert "perennial-dev-churn-errors" in looked
    aws.lines(page("sh aws upload"))
    package = wait_for_package(lab)
    shown = aws.lines(page("sh aws approve"))
    assert package in shown
    assert "run_id" in shown
    wait_until(lambda: lab.live_version(MODEL), "live version", 60)
    answered = aws.lines(page("sh aws invoke"))
    assert '"StatusCode": 200' in answered
    response = json.loads((aws.folder / "answer.json").read_text())
    assert response["statusCode"] == 200
    [prediction] = json.loads(response["body"])["predictions"]
    assert 0 < prediction["probability"] < 1
    asked = json.loads(aws.lines(page("sh curl")))
    assert asked["model_version"] == "1"
    assert asked["predictions"][0]["probability"] == prediction["probability"]


def test_what_the_engine_does_not_have_is_refused_by_name_in_the_terminal(aws: Shell) -> None:
    ran = aws.run("aws", "ec2", "describe-instances")
    assert ran.returncode != 0
    assert "laptop engine has no service 'ec2'" in ran.stderr


def test_keys_of_nobody_are_refused_in_the_terminal(aws: Shell) -> None:
    ran = aws.run("aws", "s3", "ls", AWS_ACCESS_KEY_ID="AKIANOBODY0000000000")
    assert ran.returncode != 0
    assert "AKIANOBODY0000000000" in ran.stderr
