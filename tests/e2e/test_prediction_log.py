"""From an upload to predictions, from there to lines in S3, back from one line to its model, and on to a replay."""

import gzip
import json
import re
import time
from typing import Any

import pytest

from lifecycle import keys, names
from tests.e2e.conftest import Lab, perennial, rows_as_csv, wait_until
from tests.e2e.test_uploads import MODEL

pytestmark = pytest.mark.slow

ROWS = [{"key": f"k-{number}", "x": number / 40, "z": "abc"[number % 3]} for number in range(40)]


@pytest.fixture(scope="module")
def asked(lab: Lab) -> dict[str, Any]:
    """The answer of the live model to all rows."""
    if lab.live_version(MODEL) is None:
        lab.upload(MODEL, "first.csv", rows_as_csv(600, 1))
        wait_until(lambda: lab.live_version(MODEL), "live model")
    answer = lab.predict(MODEL, ROWS)
    assert answer.status == 200
    return dict(answer.body)


def lines(lab: Lab) -> dict[str, dict[str, Any]]:
    """Every prediction in the log so far, by its id."""
    s3, bucket = lab.client("s3"), lab.shared[names.OUTPUT_DATA_BUCKET]
    found = {}
    for entry in s3.list_objects_v2(Bucket=bucket, Prefix=keys.predictions(MODEL)).get("Contents", []):
        assert re.fullmatch(rf"predictions/{MODEL}/\d{{4}}/\d\d/\d\d/\d\d/[\w-]+\.gz", entry["Key"])
        body = gzip.decompress(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()).decode()
        records = [json.loads(line) for line in body.splitlines() if line.startswith("{")]
        found |= {record["prediction_id"]: record for record in records if record["kind"] == "prediction"}
    return found


def all_lines(lab: Lab, asked: dict[str, Any]) -> dict[str, dict[str, Any]]:
    wanted = {prediction["prediction_id"] for prediction in asked["predictions"]}
    wait_until(lambda: wanted <= lines(lab).keys(), "line of every prediction")
    return lines(lab)


def json_of(lab: Lab, *arguments: str) -> Any:
    return json.loads(perennial(lab.root, *arguments, "--json").stdout)


def test_every_answered_row_arrives_in_s3_as_it_was_answered(lab: Lab, asked: dict[str, Any]) -> None:
    found = all_lines(lab, asked)
    for row, prediction in zip(ROWS, asked["predictions"], strict=True):
        line = found[prediction["prediction_id"]]
        assert (line["row"]["x"], line["row"]["z"]) == (row["x"], row["z"])
        assert (line["probability"], line["decision"]) == (prediction["probability"], prediction["decision"])
        assert (line["model_version"], line["schema"]) == (asked["model_version"], 2)
        assert line["arm"].isdigit()


def test_one_prediction_leads_back_to_its_run_data_and_files(lab: Lab, asked: dict[str, Any]) -> None:
    all_lines(lab, asked)
    identity = asked["predictions"][7]["prediction_id"]
    found = json_of(lab, "predictions", identity, "--model", MODEL)
    assert found["row"]["key"] == "k-7"
    assert found["training"]["run_id"].startswith(f"{MODEL}-")
    assert found["training"]["status"] == "succeeded"
    assert found["model"]["gates"]
    assert "first.csv" in [file["name"] for file in found["data"]["files"]]
    assert found["code"]["serving"]


def test_logged_rows_are_replayed_with_the_next_version_before_anybody_meets_it(
    lab: Lab, asked: dict[str, Any]
) -> None:
    all_lines(lab, asked)
    before = {package["version"] for package in json_of(lab, "models", MODEL)}
    lab.upload(MODEL, f"replayed-{time.time_ns()}.csv", rows_as_csv(900, 23))

    def registered() -> int | None:
        return max({package["version"] for package in json_of(lab, "models", MODEL)} - before, default=None)

    candidate = wait_until(registered, "a next version")
    why = next(package["why"] for package in json_of(lab, "models", MODEL) if package["version"] == candidate)
    assert re.search(r"replay of \d\d+ rows: [\d.]+% of the logged decisions change, within the gate's", why)
    found = json_of(lab, "replay", MODEL, "--candidate", str(candidate), "--since", "1d")
    assert found["rows"] >= len(ROWS)
    assert found["mean_difference"] > 0
    assert found["unreadable"] == found["refused"] == found["cut"] == 0
    assert asked["model_version"] in {entry["model_version"] for entry in found["by_version"]}
    same = json_of(lab, "replay", MODEL, "--candidate", asked["model_version"], "--since", "1d")
    own = next(entry for entry in same["by_version"] if entry["model_version"] == asked["model_version"])
    assert (own["changed_decisions"], own["mean_difference"]) == (0, 0.0)
