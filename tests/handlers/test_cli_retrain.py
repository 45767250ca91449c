"""`perennial retrain` says what was decided, why and until when; `perennial status` shows the newest decision."""

import json
from pathlib import Path

import boto3
import pytest
from moto.awslambda_simple.models import lambda_simple_backends
from moto.core.config import default_user_config

from cli import monitoring
from cloud.ledger import LedgerTable
from lifecycle import ledger, names
from lifecycle.ledger import Entry
from tests import windows
from tests.handlers.deployed_stacks import stack
from tests.handlers.test_cli_commands import ended, error_of, json_of

REGION, FUNCTION = "us-east-1", "decide"
ROLE = "arn:aws:iam::123456789012:role/any"


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ledger_table: str) -> Path:
    (tmp_path / "app.py").write_text("")
    (tmp_path / "stages.yaml").write_text("test: {region: us-east-1}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("PERENNIAL_STAGE", raising=False)
    monkeypatch.setitem(default_user_config["lambda"], "use_docker", False)
    function = boto3.client("lambda", REGION)
    boto3.client("iam", REGION).create_role(RoleName="any", AssumeRolePolicyDocument="{}")
    for name in (FUNCTION, "predict"):
        function.create_function(
            FunctionName=name, Runtime="python3.12", Role=ROLE, Handler="a.b", Code={"ZipFile": b"none"}
        )
    machine = boto3.client("stepfunctions", REGION).create_state_machine(
        name="m", definition='{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}', roleArn=ROLE
    )["stateMachineArn"]
    stack("perennial-test-shared", {"ArtifactBucket": "artifacts", names.OUTPUT_LEDGER_TABLE: ledger_table})
    training = {names.OUTPUT_RETRAIN: FUNCTION, names.OUTPUT_TRAINING_MACHINE: machine, "Dataset": "flights"}
    stack("perennial-test-flights-training", {**training, names.OUTPUT_PACKAGE_GROUP: "flights"})
    serving = {names.OUTPUT_PREDICT_FUNCTION: "predict", names.OUTPUT_DEPLOYMENT_MACHINE: machine}
    stack("perennial-test-flights-serving", serving)
    return tmp_path


def answers(decision: str, reason: str, until: str | None = None, execution: str | None = None) -> None:
    """Let the function answer this once."""
    said = {"decision": decision, "reason": reason, "until": until, "execution": execution}
    lambda_simple_backends["123456789012"][REGION].lambda_simple_results_queue.append(json.dumps(said))


def decide(at: str, decision: str, until: str | None) -> None:
    """Write a decision to the ledger."""
    detail = {"decision": decision, "reason": "a run was started less than 24 hours ago", "until": until}
    entry = Entry(subject=ledger.model("flights"), kind=ledger.RETRAINING_DECIDED, id=at, at=at, detail=detail)
    LedgerTable(boto3.client("dynamodb", REGION), "ledger").append(entry)


def said_of(capsys: pytest.CaptureFixture[str], code: int, *more: str) -> str:
    assert ended("retrain", "flights", "--reason", "new fares", *more) == code
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return " ".join(said.out.split())


def test_a_run_that_starts_is_said_with_its_reason_and_where_to_follow_it(
    deployed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers("start", "asked for by hand (new fares)", execution="retrain-1")
    said = said_of(capsys, 0)
    assert "A run of flights starts: asked for by hand (new fares)" in said
    assert "perennial status" in said
    answers("start", "asked for by hand (new fares)")
    assert "Labels become rows, rows a data version" in said_of(capsys, 0)


def test_a_run_that_must_wait_is_said_until_when_and_the_command_fails(
    deployed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers("wait", "30 runs were started this month", until="2026-12-01T00:00:00Z")
    assert "30 runs were started this month. Ask again after 2026-12-01T00:00:00Z" in said_of(capsys, 1)
    answers("no", "the dataset has no version to learn from: upload one")
    assert "No run: the dataset has no version to learn from" in said_of(capsys, 1)


def test_machines_read_the_decision_as_one_json_value(deployed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers("start", "asked for by hand (x)", execution="retrain-1")
    assert json_of(capsys, "retrain", "flights", "--reason", "x", "--over-budget") == {
        "model": "flights", "decision": "start", "reason": "asked for by hand (x)", "until": None,
        "execution": "retrain-1",
    }  # fmt: skip


def test_an_order_needs_a_reason_and_a_model_that_is_deployed(
    deployed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "--reason is empty" in error_of(capsys, 2, "retrain", "flights", "--reason", " ")
    assert "reason" in error_of(capsys, 2, "retrain", "flights")
    assert "delays" in error_of(capsys, 3, "retrain", "delays", "--reason", "x")


def test_status_shows_the_newest_decision(deployed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert json_of(capsys, "status")[0]["retraining"] is None
    decide("2026-11-21T10:00:00Z", "start", None)
    decide("2026-11-21T11:00:00Z", "wait", "2026-11-22T10:00:00Z")
    assert json_of(capsys, "status")[0]["retraining"]["decision"] == "wait"
    assert ended("status") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "retraining 2026-11-21 11:00:00 a new run waits until 2026-11-22 10:00 UTC: a run was started" in said


def test_a_refusal_that_goes_on_is_shown_with_every_window_that_has_alerts() -> None:
    futile = {"at": windows.iso(5), "decision": "no", "reason": "learned from these data already", "until": None}
    assert monitoring.with_decision(windows.drifted(), futile)["retraining"] == futile
    started = {**futile, "decision": "start"}
    assert monitoring.with_decision(windows.drifted(), started).get("retraining") != started
