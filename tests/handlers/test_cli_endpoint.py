"""An endpoint in AWS's place: named on the line or by the variable that every client obeys, and never mistaken."""

import os
from pathlib import Path

import boto3
import pytest

from cli import target
from cli.main import run
from cloud.operator import Operator
from tests.handlers.deployed_stacks import stack

URL = "http://127.0.0.1:4566"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "app.py").write_text("")
    (tmp_path / "stages.yaml").write_text("test: {region: us-east-1}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("PERENNIAL_STAGE", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    return tmp_path


def error_of(capsys: pytest.CaptureFixture[str], code: int, *arguments: str) -> str:
    with pytest.raises(SystemExit) as end:
        run([*arguments])
    assert end.value.code == code
    return " ".join(capsys.readouterr().err.split())


def test_a_named_endpoint_is_asked_and_is_not_called_aws(checkout: Path) -> None:
    found = target.find(stage=None, where="aws", endpoint=URL)
    assert found.client("s3").meta.endpoint_url == URL
    assert found.where == f"stage test at {URL}, not on AWS"
    assert not found.is_local


def test_the_variable_of_every_client_is_obeyed_and_told(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", URL)
    found = target.find(stage=None, where=None)
    assert found.client("sqs").meta.endpoint_url == URL
    assert "not on AWS" in found.where


def test_without_either_aws_is_asked(checkout: Path) -> None:
    found = target.find(stage=None, where=None)
    assert found.where == "stage test on AWS in us-east-1"
    assert found.client("sqs").meta.endpoint_url.endswith(".amazonaws.com")


def test_a_running_engine_gives_way_to_a_named_endpoint(checkout: Path) -> None:
    state = checkout / ".perennial" / "engine.json"
    state.parent.mkdir()
    engine = f'{{"pid": {os.getpid()}, "stage": "test", "region": "us-east-1", "endpoint": "http://e",'
    state.write_text(f'{engine} "access_key": "k", "secret_key": "s"}}')
    assert target.find(stage=None, where=None).is_local
    assert not target.find(stage=None, where="aws", endpoint=URL).is_local


def test_predictions_are_never_asked_of_aws_in_an_endpoints_name(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stack("perennial-test-shared", {"ApiUrl": "https://a1.execute-api.us-east-1.amazonaws.com"})
    assert target.find(stage=None, where="aws").door().url.endswith(".amazonaws.com")
    played = {"cloudformation": boto3.client("cloudformation", "us-east-1")}  # by moto, whatever the address
    operator = Operator(region="us-east-1", endpoint=URL, _clients=played)
    elsewhere = target.Target(stage="test", operator=operator)
    with pytest.raises(SystemExit) as end:
        elsewhere.door()
    assert end.value.code == 3
    assert "has no HTTP API of its own" in capsys.readouterr().err


def test_what_is_no_address_is_refused(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = error_of(capsys, 2, "status", "--endpoint-url", "localhost:4566")
    assert "found 'localhost:4566'" in said


@pytest.mark.parametrize("other", ["--local", "--aws"])
def test_an_endpoint_excludes_the_other_places(checkout: Path, capsys: pytest.CaptureFixture[str], other: str) -> None:
    assert "exclude each other" in error_of(capsys, 2, "status", other, f"--endpoint-url={URL}")
