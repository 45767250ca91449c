"""The command line against AWS as moto plays it: exit codes, one JSON value on standard output, errors in words."""

import json
import time
from pathlib import Path
from typing import Any

import boto3
import pytest

from cli.main import run
from tests.handlers.deployed_stacks import stack

REGION = "us-east-1"
OUTPUTS = {"DataBucket": "data", "ArtifactBucket": "artifacts", "ApiUrl": "https://api.example", "ApiId": "a1"}
VERSION = "ab" * 32
OLDER = "cd" * 32


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "app.py").write_text("")
    (tmp_path / "stages.yaml").write_text("test: {region: us-east-1}\nprod: {region: us-east-1}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("PERENNIAL_STAGE", raising=False)
    return tmp_path


@pytest.fixture
def deployed(checkout: Path) -> Path:
    for bucket in ("data", "artifacts"):
        boto3.client("s3", REGION).create_bucket(Bucket=bucket)
    stack("perennial-test-shared", OUTPUTS)
    stack("perennial-test-flights-training", {"Dataset": "flights", "PackageGroup": "flights", "SpecId": "5" * 64})
    stack("perennial-test-flights-serving", {"PredictFunction": "perennial-test-flights-predict"})
    return checkout


def manifest(version: str, cut_at: str, **objects: str) -> None:
    listed = [{"name": f"{n}.csv", "sha256": digest, "size": 1500} for n, digest in objects.items()]
    body = {"schema": 1, "dataset": "flights", "version": version, "cut_at": cut_at, "objects": listed}
    boto3.client("s3", REGION).put_object(
        Bucket="data", Key=f"versions/flights/{version}/manifest.json", Body=json.dumps(body)
    )


def ended(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        run([*arguments])
    return int(end.value.code or 0)


def json_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert ended(*arguments, "--json") == 0
    return json.loads(capsys.readouterr().out)


def error_of(capsys: pytest.CaptureFixture[str], code: int, *arguments: str) -> str:
    assert ended(*arguments) == code
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return " ".join(said.err.split())


@pytest.mark.parametrize(
    "command",
    ["new", "local", "local up", "local run", "doctor", "upload", "data", "data list", "data show", "data diff",
     "train", "status", "runs", "models", "approve", "deploy", "live", "rollback", "predict", "openapi", "predictions",
     "feedback", "replay", "retrain", "logs", "destroy"],
)  # fmt: skip
def test_help_works_anywhere_and_shows_an_example(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ended(*command.split(), "--help") == 0
    said = capsys.readouterr().out
    assert f"perennial {command}" in said
    assert command in ("local", "data") or "Example" in said


def test_outside_a_checkout_the_message_says_where_to_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in (["status"], ["doctor"], ["local", "up"]):
        assert "no Perennial checkout" in error_of(capsys, 2, *command)


def test_an_unknown_stage_is_named_beside_the_known_ones(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = error_of(capsys, 2, "status", "--stage", "nope")
    assert "'nope'" in said
    assert "test, prod" in said


@pytest.mark.parametrize("text", ["", "[]", "test: us-east-1", "a: [", "test: {}"])
def test_a_wrong_stages_file_is_no_stack_trace(text: str, checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (checkout / "stages.yaml").write_text(text)
    assert "stages.yaml cannot be read" in error_of(capsys, 2, "status")


@pytest.mark.parametrize(
    "command",
    [["status"], ["models"], ["runs", "flights"], ["data", "list", "flights"], ["approve", "flights", "1"], ["logs"],
     ["train", "flights", "--data", "a"], ["destroy", "--yes"]],
)  # fmt: skip
def test_a_stage_that_is_not_deployed_says_how_to_deploy_it(
    command: list[str], checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = error_of(capsys, 3, *command)
    assert "cdk deploy --all -c stage=test" in said or "has no stacks" in said


@pytest.mark.parametrize("command", [["status"], ["models"], ["logs"], ["data", "list", "flights"]])
def test_without_credentials_the_message_says_how_to_get_them(
    command: list[str], checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(checkout / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(checkout / "none"))
    assert "aws configure" in error_of(capsys, 3, *command)


def test_an_unknown_profile_is_named(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert "nobody" in error_of(capsys, 3, "status")


def test_local_without_an_engine_says_how_to_start_one(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "perennial local up" in error_of(capsys, 3, "status", "--local")
    assert ended("status", "--local", "--aws") == 2


def test_an_upload_goes_under_incoming(deployed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (deployed / "jan.csv").write_text("a,b\n1,2\n")
    assert json_of(capsys, "upload", "flights", "jan.csv", "--ready") == {"dataset": "flights", "files": ["jan.csv"]}
    keys = {o["Key"] for o in boto3.client("s3", REGION).list_objects_v2(Bucket="data")["Contents"]}
    assert keys == {"incoming/flights/jan.csv", "incoming/flights/_READY"}


def test_an_upload_that_nothing_would_look_at_is_refused(deployed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (deployed / "jan.csv").write_text("a\n")
    (deployed / "jan.txt").write_text("a\n")
    (deployed / "other").mkdir()
    (deployed / "other" / "jan.csv").write_text("a\n")
    assert "known: flights" in error_of(capsys, 2, "upload", "nope", "jan.csv")
    assert ".parquet" in error_of(capsys, 2, "upload", "flights", "jan.txt")
    assert "jan.csv" in error_of(capsys, 2, "upload", "flights", "jan.csv", "other/jan.csv")
    assert "does not exist" in error_of(capsys, 2, "upload", "flights", "none.csv")
    assert "Contents" not in boto3.client("s3", REGION).list_objects_v2(Bucket="data")


def test_data_versions_are_listed_shown_and_compared(deployed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest(OLDER, "2026-01-01T00:00:00Z", jan="1", feb="2", old="3")
    manifest(VERSION, "2026-02-01T00:00:00Z", jan="1", feb="9", new="4")
    assert [row["version"] for row in json_of(capsys, "data", "list", "flights")] == [VERSION[:12], OLDER[:12]]
    assert [row["name"] for row in json_of(capsys, "data", "show", "flights", "ab")] == [
        "jan.csv",
        "feb.csv",
        "new.csv",
    ]
    changes = {row["name"]: row["change"] for row in json_of(capsys, "data", "diff", "flights", "cd", "ab")}
    assert changes == {"new.csv": "added", "old.csv": "deleted", "feb.csv": "replaced"}
    assert OLDER[:12] in error_of(capsys, 2, "data", "show", "flights", "zz")
    assert "known: flights" in error_of(capsys, 2, "data", "list", "nope")


def test_train_names_the_known_versions_when_the_digits_fit_none(
    deployed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest(VERSION, "2026-02-01T00:00:00Z", jan="1")
    assert VERSION[:12] in error_of(capsys, 2, "train", "flights", "--data", "zz")


def test_status_and_models_of_an_unknown_model_name_the_known_ones(
    deployed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (["runs", "nope"], ["models", "nope"], ["approve", "nope", "1"], ["predict", "nope", "x.csv"]):
        assert "Models there: flights" in error_of(capsys, 3, *command)


def test_runs_are_listed_newest_first_and_one_brings_its_reports(
    deployed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    s3 = boto3.client("s3", REGION)
    for number, day in (("a1", "01"), ("a2", "02")):
        record = {"run_id": f"flights-{number}", "version": VERSION, "dataset": "flights", "status": "rejected",
                  "started_at": f"2026-01-{day}T00:00:00Z", "reason": "new data version"}  # fmt: skip
        s3.put_object(Bucket="artifacts", Key=f"runs/flights/flights-{number}/run.json", Body=json.dumps(record))
    s3.put_object(Bucket="artifacts", Key="runs/flights/flights-a1/validation/report.html", Body=b"<p>")
    assert [row["run"] for row in json_of(capsys, "runs", "flights")] == ["flights-a2", "flights-a1"]
    assert json_of(capsys, "runs", "flights", "flights-a1")["status"] == "rejected"
    assert (deployed / ".perennial/reports/flights-a1/validation/report.html").read_bytes() == b"<p>"
    assert "perennial runs flights" in error_of(capsys, 1, "runs", "flights", "flights-a9")


def test_logs_are_found_by_the_stage_and_filtered(deployed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs = boto3.client("logs", REGION)
    mine = "perennial-test-flights-serving-PredictLogsC25933C3-11382a1d32b0"
    for group in (mine, "perennial-prod-shared-CutVersionLogsDA12B280-46588b6c4ec4"):
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName="s")
        now = 1000 * int(time.time())
        events = [{"timestamp": now - 7_200_000, "message": "old"}, {"timestamp": now - 1000, "message": "[new] :key:"}]
        logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)
    assert [(row["group"], row["text"]) for row in json_of(capsys, "logs")] == [(mine, "[new] :key:")]
    assert [row["text"] for row in json_of(capsys, "logs", "predict", "--since", "1d")] == ["old", "[new] :key:"]
    assert ended("logs") == 0
    assert "flights-serving Predict  [new] :key:" in capsys.readouterr().out
    assert "flights-serving Predict" in error_of(capsys, 1, "logs", "nix")
    assert "10m" in error_of(capsys, 2, "logs", "--since", "soon")


def test_new_writes_a_model_and_refuses_what_cannot_be_one(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "".join(f"{i},{i % 7},{i % 2}\n" for i in range(200))
    (checkout / "churn.csv").write_text("x,z,y\n" + rows)
    assert "columns are: x, z, y" in error_of(capsys, 1, "new", "churn", "--from", "churn.csv", "--target", "nope")
    made = json_of(capsys, "new", "churn", "--from", "churn.csv", "--target", "y")
    assert (checkout / made["path"]).exists()
    assert "exists" in error_of(capsys, 1, "new", "churn", "--from", "churn.csv", "--target", "y")
    assert ended("new", "other", "--from", "none.csv", "--target", "y") == 2


def test_predict_refuses_what_holds_no_rows(deployed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (deployed / "rows.json").write_text("[5]")
    (deployed / "broken.json").write_text("{")
    assert "no file" in error_of(capsys, 2, "predict", "flights", "none.csv")
    assert "no rows" in error_of(capsys, 2, "predict", "flights", "rows.json")
    assert "not JSON" in error_of(capsys, 2, "predict", "flights", "broken.json")


def test_destroy_with_json_asks_nothing(deployed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--yes" in error_of(capsys, 2, "destroy", "--json")


def test_doctor_without_credentials_says_for_each_line_what_to_do(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "package.json").write_text('{"devDependencies": {"aws-cdk": "2.0.0"}}')
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(checkout / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(checkout / "none"))
    assert ended("doctor", "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert "credentials" in {row["check"] for row in found if not row["ok"]}
    assert [row["check"] for row in found if not row["ok"] and not row["to_do"]] == []
