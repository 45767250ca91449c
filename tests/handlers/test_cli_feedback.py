"""`perennial feedback` against AWS as moto plays it: what it refuses, and how it reads a report."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from lifecycle import keys
from tests.handlers.test_cli_commands import checkout, deployed, ended, error_of, json_of, stack

__all__ = ["checkout", "deployed"]
ID = "017f22e2-79b0-70cc-b8c4-dc0c0c07398f"


@pytest.fixture
def logging(deployed: Path) -> Path:
    """A model with a prediction log beside the one without."""
    stack("perennial-test-late-serving", {"PredictFunction": "p", "PredictionStream": "s"})
    (deployed / "labels.csv").write_text(f"prediction_id,label\n{ID},true\n")
    return deployed


def reported(name: str, **facts: Any) -> None:
    """Leave the report of an upload, as the stage's function would (the bucket has no versions here)."""
    empty = {"refused": None, "rows": 1, "counts": {"recorded": 1}, "refused_rows": []}
    body = json.dumps({**empty, **facts})
    boto3.client("s3", "us-east-1").put_object(Bucket="data", Key=keys.feedback_report("late", name, "null"), Body=body)


@pytest.mark.parametrize(
    "words",
    [[], ["--id", ID], ["--label", "true"], ["labels.csv", "--id", ID], ["labels.csv", "--correct"]],
)
def test_a_file_or_one_label_is_asked_for(words: list[str], logging: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "name a file, or --id and --label" in error_of(capsys, 2, "feedback", "late", *words)


def test_a_model_without_a_prediction_log_takes_none(logging: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = error_of(capsys, 1, "feedback", "flights", "labels.csv")
    assert "takes no feedback" in said
    assert "prediction_log" in said


def test_a_file_that_is_not_there_is_a_wrong_use(logging: Path) -> None:
    assert ended("feedback", "late", "nowhere.csv") == 2


def test_a_file_is_uploaded_and_followed_to_its_report(logging: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reported("labels.csv")
    assert json_of(capsys, "feedback", "late", "labels.csv")["counts"] == {"recorded": 1}
    uploaded = boto3.client("s3", "us-east-1").get_object(Bucket="data", Key="feedback/late/labels.csv")
    assert uploaded["Body"].read() == (logging / "labels.csv").read_bytes()


def test_refused_rows_are_shown_and_the_command_fails(logging: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = {"row": 7, "prediction_id": ID, "status": "unknown", "message": "not in the log"}
    reported("labels.csv", counts={"recorded": 0, "unknown": 25}, refused_rows=[row] * 25)
    assert ended("feedback", "late", "labels.csv") == 1
    said = capsys.readouterr().out
    assert "not in the log" in said
    assert "and 5 more" in said


def test_a_file_that_could_not_be_read_says_why(logging: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reported("labels.csv", refused="labels.csv is empty. Delete it, or upload its rows.", rows=0)
    assert "labels.csv is empty" in error_of(capsys, 1, "feedback", "late", "labels.csv")
