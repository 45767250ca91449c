"""The command line against a running engine: what an operator types after an upload."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Lab, perennial, rows_as_csv, wait_until
from tests.e2e.test_uploads import MODEL

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def live(lab: Lab) -> None:
    """A live model."""
    if lab.live_version(MODEL) is None:
        lab.upload(MODEL, "first.csv", rows_as_csv(600, 1))
        wait_until(lambda: lab.live_version(MODEL), "live model")


def answer(lab: Lab, *arguments: str) -> Any:
    return json.loads(perennial(lab.root, *arguments, "--json").stdout)


def test_status_and_models_name_what_is_live(lab: Lab) -> None:
    [standing] = [one for one in answer(lab, "status") if one["model"] == MODEL]
    assert str(standing["live"]["version"]) == lab.live_version(MODEL)
    assert {one["machine"] for one in standing["executions"]} == {"training", "deployment"}
    assert [one["run"] for one in answer(lab, "models", MODEL) if one["live"]] == [standing["live"]["run"]]
    assert "is live" in perennial(lab.root, "status").stdout


def test_a_run_brings_its_reports_to_the_disk(lab: Lab) -> None:
    run = next(one["run"] for one in answer(lab, "runs", MODEL) if one["registered"])
    assert answer(lab, "runs", MODEL, run)["run_id"] == run
    assert (lab.root / ".perennial/reports" / run / "evaluation/report.html").is_file()


def test_predictions_come_from_a_file_and_the_printed_curl_line_works(lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "ask.csv"
    file.write_bytes(rows_as_csv(50, 9))
    assert len(answer(lab, "predict", MODEL, str(file), "--limit", "5")) == 5
    line = perennial(lab.root, "predict", MODEL, str(file), "--show-curl").stdout
    ran = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert len(json.loads(ran.stdout)["predictions"]) == 1


def test_logs_of_the_predict_function_are_found(lab: Lab) -> None:
    lines = wait_until(lambda: answer(lab, "logs", "plain-serving", "--since", "7d"), "log lines")
    assert any('"kind": "prediction"' in line["text"] or "REPORT" in line["text"] for line in lines)


def test_data_versions_are_named_by_their_first_digits(lab: Lab) -> None:
    newest = answer(lab, "data", "list", MODEL)[0]["version"]
    assert answer(lab, "data", "show", MODEL, newest[:8])


def test_what_roles_are_granted_and_have_not_used_is_told_by_role_action_and_resource(lab: Lab) -> None:
    rows = json.loads(perennial(lab.root, "local", "grants", "--json").stdout)
    assert all(set(row) == {"role", "action", "resource", "statement"} for row in rows)
    assert "xray:PutTraceSegments" in {row["action"] for row in rows}, "the engine traces nothing"
    assert "s3:ListBucketVersions" not in {row["action"] for row in rows}, "the cutter lists what was uploaded"
