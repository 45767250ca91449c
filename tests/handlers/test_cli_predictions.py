"""`perennial predictions` and `perennial replay` against AWS as moto plays it."""

import gzip
import hashlib
import json
import time
from pathlib import Path
from typing import Any

import boto3
import pytest

from cli.main import run
from lifecycle import compiled, keys
from lifecycle.prediction_id import ids_of
from lifecycle.prediction_log import PredictionLog
from lifecycle.request import RowChecker
from lifecycle.schema import contract_to_plain
from lifecycle.scoring import CompiledModel
from tests import live_package
from tests.handlers.deployed_stacks import stack
from tests.live_package import ROW

REGION = "us-east-1"
RUN = "late-1a2b3c4d-a1"
VERSION = "d" * 64
AGO = 600.0


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "app.py").write_text("")
    (tmp_path / "stages.yaml").write_text("test: {region: us-east-1}\n")
    (tmp_path / "models" / "late").mkdir(parents=True)
    (tmp_path / "models" / "late" / "features.py").write_text(live_package.FEATURES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    for bucket in ("data", "artifacts"):
        s3().create_bucket(Bucket=bucket)
    stack("perennial-test-shared", {"DataBucket": "data", "ArtifactBucket": "artifacts"})
    stack("perennial-test-late-training", {"Dataset": "late", "PackageGroup": "late"})
    stack("perennial-test-late-serving", {"PredictFunction": "p", "PredictionStream": "log"})
    boto3.client("sagemaker", REGION).create_model_package_group(ModelPackageGroupName="late")
    return tmp_path


def s3() -> Any:
    return boto3.client("s3", REGION)


def model(threshold: float = 0.5, shift: float = 0.0, **changes: Any) -> bytes:
    body = live_package.body(live_package.contract(**changes))
    body["threshold"] = threshold
    body["estimator"]["intercept"] = [shift]
    return compiled.write(body)


def register(data: bytes, run_id: str = RUN, **properties: str) -> None:
    key = keys.run("late", run_id, "evaluation", "compiled.json")
    s3().put_object(Bucket="artifacts", Key=key, Body=data)
    known = {"run_id": run_id, "compiled": key, "compiled_sha256": hashlib.sha256(data).hexdigest(), "family": "linear"}
    boto3.client("sagemaker", REGION).create_model_package(
        ModelPackageGroupName="late",
        ModelApprovalStatus="Approved",
        CustomerMetadataProperties={**known, **properties},
    )


def record_run() -> None:
    run_record = {
        "run_id": RUN, "dataset": "late", "version": VERSION, "status": "succeeded", "reason": "new data version",
        "started_at": "2026-11-21T10:00:00Z", "spec_id": "5" * 64, "code_asset": "c0de.zip", "image": "image:1",
        "lock_sha256": "1" * 64, "seed": 7, "parent": None,
        "registration": {"reasons": ["log_loss 0.4 beats the dummy's 0.6"]},
    }  # fmt: skip
    manifest = {"objects": [{"name": "one.csv", "sha256": "ab" * 32, "size": 1500, "version_id": "v", "key": "k"}]}
    for bucket, key, value in (
        ("artifacts", keys.run_record("late", RUN), run_record),
        ("data", keys.manifest("late", VERSION), manifest),
    ):
        s3().put_object(Bucket=bucket, Key=key, Body=json.dumps(value))


def log(data: bytes, rows: list[dict[str, Any]], code: Path, at: float | None = None) -> list[str]:
    """Write what a live model would have logged and return the ids."""
    at = time.time() - AGO if at is None else at
    live = CompiledModel.load(data, code / "models" / "late")
    plain = contract_to_plain(live.contract)
    typed = RowChecker(plain, learned=live.learned).rows_of({"rows": rows})
    ids = ids_of(int(at * 1000), b"".join(number.to_bytes(10) for number in range(256, 256 * (len(rows) + 1), 256)))
    answers = [{"prediction_id": i, **a} for i, a in zip(ids, live.score(typed, typed=True), strict=True)]
    facts = {"stage": "test", "model": "late", "model_version": "1", "contract_id": "c", "data_version": VERSION}
    writer = PredictionLog(plain, {**facts, "code_version": "asset.zip", "arm": "3"})
    lines = writer.lines(typed, answers, time_ms=int(at * 1000), latency_ms=1.5)
    key = keys.predictions_of_hour("late", at) + "a.gz"
    s3().put_object(Bucket="data", Key=key, Body=gzip.compress("\n".join([*lines, ""]).encode()))
    return ids


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


def test_one_prediction_leads_to_its_model_data_files_code_and_run(deployed, capsys):
    register(model())
    record_run()
    ids = log(model(), [ROW, {**ROW, "distance": 200}], deployed)
    found = json_of(capsys, "predictions", ids[1].upper())
    assert found["prediction"]["prediction_id"] == ids[1]
    assert (found["prediction"]["model"], found["prediction"]["arm"]) == ("late", "3")
    assert found["answer"]["decision"] is False
    assert found["row"]["distance"] == 200
    assert "passenger" not in found["row"]
    assert found["model"]["gates"] == ["log_loss 0.4 beats the dummy's 0.6"]
    assert (found["training"]["run_id"], found["training"]["seed"]) == (RUN, 7)
    assert found["data"]["files"] == [{"name": "one.csv", "sha256": "ab" * 32, "size": 1500}]
    assert (found["code"]["serving"], found["code"]["training"]) == ("asset.zip", "c0de.zip")


def test_it_reads_at_a_hundred_columns(deployed, capsys):
    register(model())
    record_run()
    (identity,) = log(model(), [ROW], deployed)
    assert ended("predictions", identity) == 0
    said = capsys.readouterr().out
    assert all(len(line) <= 100 for line in said.splitlines())
    for word in ("one.csv  1.5 kB", "probability", RUN, "beats the dummy"):
        assert word in said


def test_a_text_that_is_no_id_is_refused_with_an_example(deployed, capsys):
    assert "is no prediction id" in error_of(capsys, 2, "predictions", "c5b2a1a0-1111-4222-8333-444455556666")


def test_a_line_that_has_not_arrived_yet_is_no_missing_one(deployed, capsys):
    (fresh,) = ids_of(int((time.time() - 20) * 1000), bytes(10))
    assert "not in the log yet" in error_of(capsys, 1, "predictions", fresh)
    (old,) = ids_of(int((time.time() - 7200) * 1000), bytes(10))
    said = error_of(capsys, 1, "predictions", old)
    assert "is not in the log of late" in said
    assert "--late 48" in said
    (ahead,) = ids_of(int((time.time() + 7200) * 1000), bytes(10))
    assert "a time to come" in error_of(capsys, 1, "predictions", ahead)


def test_without_a_log_both_commands_say_so(deployed, capsys):
    stack("perennial-test-early-training", {"Dataset": "late", "PackageGroup": "late"})
    stack("perennial-test-early-serving", {"PredictFunction": "p"})
    (identity,) = ids_of(int(time.time() * 1000), bytes(10))
    assert "prediction_log: false" in error_of(capsys, 1, "predictions", identity, "--model", "early")
    assert "nothing to replay" in error_of(capsys, 1, "replay", "early", "--candidate", "1")


def test_a_package_that_is_gone_leaves_what_the_log_itself_knows(deployed, capsys):
    (identity,) = log(model(), [ROW], deployed)
    found = json_of(capsys, "predictions", identity)
    assert found["model"]["status"] == "no longer registered"
    assert found["data"]["version"] == VERSION


def test_replaying_the_same_model_changes_nothing(deployed, capsys):
    register(model())
    log(model(), [{**ROW, "distance": number * 100} for number in range(1, 30)], deployed)
    found = json_of(capsys, "replay", "--candidate", "1")
    assert (found["rows"], found["changed_decisions"], found["mean_difference"]) == (29, 0, 0.0)
    assert found["hidden"] == ["passenger"]


def test_replaying_another_model_counts_and_names_what_differs(deployed, capsys):
    register(model())
    register(model(threshold=0.9, shift=0.5))
    ids = log(model(), [{**ROW, "distance": number * 100} for number in range(1, 30)], deployed)
    found = json_of(capsys, "replay", "late", "--candidate", "2", "--since", "1h")
    assert found["rows"] == 29
    assert 0 < found["changed_decisions"] < 29
    assert found["by_version"][0]["arm"] == "3"
    assert set(ids) > {row["prediction_id"] for row in found["worst"]}
    assert ended("replay", "late", "--candidate", "2", "--limit", "10") == 0
    said = capsys.readouterr().out
    assert all(len(line) <= 100 for line in said.splitlines())
    assert "reached at 10" in said
    assert "perennial predictions ID" in said


def test_what_a_candidates_contract_would_refuse_is_counted_with_the_reason(deployed, capsys):
    columns = tuple(c for c in live_package.COLUMNS if c.name != "origin")
    origin = type(live_package.COLUMNS[0])(name="origin", kind="category", unseen="reject", categories=("JFK",))
    register(model(columns=(*columns, origin)))
    log(model(), [ROW, {**ROW, "origin": "JFK"}], deployed)
    found = json_of(capsys, "replay", "--candidate", "1")
    assert (found["rows"], found["refused"]) == (1, 1)
    assert found["refused_because"][0]["reason"].startswith("origin ")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--candidate", "9"], 1, "has no version 9; it has: 1"),
        (["--candidate", "1", "--since", "soon"], 2, "such as 12h or 7d"),
        (["--candidate", "1", "--since", "0d"], 2, "such as 12h or 7d"),
        (["--candidate", "1"], 1, "holds no prediction since"),
    ],
)
def test_a_replay_that_cannot_be_made_says_why(deployed, capsys, arguments, code, said):
    register(model())
    assert said in error_of(capsys, code, "replay", "late", *arguments)


def test_another_features_py_than_the_candidates_stops_the_replay(deployed, capsys):
    register(model())
    log(model(), [ROW], deployed)
    (deployed / "models" / "late" / "features.py").write_text("def features(row):\n    return {'far': True}\n")
    assert "features.py" in error_of(capsys, 1, "replay", "--candidate", "1")


def test_a_compiled_file_that_was_changed_is_not_used(deployed, capsys):
    register(model())
    key = keys.run("late", RUN, "evaluation", "compiled.json")
    s3().put_object(Bucket="artifacts", Key=key, Body=model(threshold=0.1))
    assert "is not the one that was registered" in error_of(capsys, 1, "replay", "--candidate", "1")


def test_one_of_several_models_must_be_named(deployed, capsys):
    stack("perennial-test-early-training", {"Dataset": "late", "PackageGroup": "late"})
    assert "deployed: early, late" in error_of(capsys, 2, "replay", "--candidate", "1")
