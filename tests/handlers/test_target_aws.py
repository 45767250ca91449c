"""The one end-to-end body on AWS, as moto plays it: what it refuses before it makes anything."""

from pathlib import Path

import boto3
import pytest

from tests.handlers.deployed_stacks import stack
from tests.target.on_aws import Allowance, aws
from tests.target.place import STAGE

REGION = "us-east-1"
MINE = "123456789012"


def refusal(folder: Path, account: str) -> str:
    with pytest.raises(pytest.UsageError) as refused, aws(folder, Allowance(account, 5.0), REGION):
        pytest.fail("it began")
    assert not any(folder.iterdir())
    return str(refused.value)


def test_credentials_of_another_account_are_refused(tmp_path: Path) -> None:
    assert f"of account {MINE}, not of 999999999999" in refusal(tmp_path, "999999999999")


def test_a_stage_that_is_there_already_is_left_alone(tmp_path: Path) -> None:
    stack(f"perennial-{STAGE}-shared", {})
    assert "exists in account" in refusal(tmp_path, MINE)
    names = [found["StackName"] for found in boto3.client("cloudformation", REGION).describe_stacks()["Stacks"]]
    assert names == [f"perennial-{STAGE}-shared"]


def test_an_endpoint_in_awss_place_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    assert "is not AWS" in refusal(tmp_path, MINE)
