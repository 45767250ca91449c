"""What really happened, told about predictions: over HTTP and by upload, with every status there is."""

import json
import time
from typing import Any

import pytest

from lifecycle import keys, ledger, names
from lifecycle.feedback import LATENESS_SECONDS
from lifecycle.prediction_id import ids_of
from tests.e2e.conftest import Lab, perennial, rows_as_csv, wait_until
from tests.e2e.test_prediction_log import lines
from tests.e2e.test_uploads import MODEL

pytestmark = pytest.mark.slow

ROW = {"key": "f", "x": 0.5, "z": "a"}
PATH = f"/models/{MODEL}/feedback"


@pytest.fixture(scope="module")
def known(lab: Lab) -> list[str]:
    """Ids of predictions that are in the log, and old enough for their hour to be read."""
    if lab.live_version(MODEL) is None:
        lab.upload(MODEL, "first.csv", rows_as_csv(600, 1))
        wait_until(lambda: lab.live_version(MODEL), "live model")
    made = predicted(lab, 12)
    wait_until(lambda: set(made) <= lines(lab).keys(), "line of every prediction")
    began = lab.now()
    wait_until(lambda: lab.now() > began + LATENESS_SECONDS, "predictions old enough to be looked for")
    return made


def predicted(lab: Lab, count: int) -> list[str]:
    return [found["prediction_id"] for found in lab.predict(MODEL, [ROW] * count).body["predictions"]]


def send(lab: Lab, *labels: dict[str, Any]) -> list[dict[str, Any]]:
    answer = lab.door.call("POST", PATH, json.dumps({"labels": labels}).encode())
    assert answer.status == 200, answer.body
    return list(answer.body["results"])


def of(prediction_id: str, label: Any, **others: Any) -> dict[str, Any]:
    return {"prediction_id": prediction_id, "label": label, **others}


def labels_of_the_target(lab: Lab) -> tuple[Any, Any]:
    """The two labels of the model, spelled as its column has them."""
    described = lab.door.call("GET", f"/models/{MODEL}").body
    classes = described["classes"]
    if set(classes) == {"true", "false"}:
        return True, False
    return tuple(int(c) if c.isdigit() else c for c in classes)  # type: ignore[return-value]


def test_every_status_is_answered_over_http(lab: Lab, known: list[str]) -> None:
    yes, no = labels_of_the_target(lab)
    now = lab.now()
    old, strange, absent = (ids_of(round(at * 1000), bytes(10))[0] for at in (now - 1e7, now + 1e6, now - 5000))
    first = send(lab, of(known[0], yes), of(known[1], no), of(known[2], "perhaps"))
    assert [result["status"] for result in first] == ["recorded", "recorded", "invalid"]
    young = predicted(lab, 1)[0]
    second = send(
        lab,
        of(known[0], yes),
        of(known[1], yes),
        of(known[1], yes, correct=True),
        of(young, yes),
        of(old, yes),
        of(strange, yes),
        of(absent, yes),
        of("mine", yes),
    )
    assert [result["status"] for result in second] == [
        "duplicate", "duplicate", "recorded", "pending", "late", "unknown", "unknown", "unknown"
    ]  # fmt: skip
    (third,) = send(lab, of(known[0], no))
    assert third["status"] == "contradicts"
    assert third["stored"] in ("true", str(yes))


def test_a_file_of_labels_is_read_once_and_reported(lab: Lab, known: list[str]) -> None:
    yes, no = labels_of_the_target(lab)
    text = "prediction_id,label\n" + "".join(f"{one},{yes}\n" for one in known[4:8]) + f"{known[8]},perhaps\n"
    report = upload(lab, "labels.csv", text.encode())
    assert report["counts"] | {"recorded": 4, "invalid": 1} == report["counts"]
    assert [(row["row"], row["status"]) for row in report["refused_rows"]] == [(5, "invalid")]
    lines_of = "".join(json.dumps(of(one, no)) + "\n" for one in known[4:6])
    assert upload(lab, "more.jsonl", lines_of.encode())["counts"]["contradicts"] == 2


def test_a_file_that_cannot_be_read_is_told_in_its_report_and_the_ledger(lab: Lab, known: list[str]) -> None:
    report = upload(lab, "wrong.csv", b"id,answer\n1,2\n")
    assert "prediction_id" in report["refused"]
    table = lab.shared[names.OUTPUT_LEDGER_TABLE]
    entries = lab.client("dynamodb").scan(TableName=table)["Items"]
    assert ledger.FEEDBACK_REFUSED in [entry["kind"]["S"] for entry in entries if "kind" in entry]


def test_the_command_line_sends_a_label_and_a_file(lab: Lab, known: list[str]) -> None:
    yes, _ = labels_of_the_target(lab)
    word = str(yes).lower()
    one = perennial(lab.root, "feedback", MODEL, "--id", known[9], "--label", word, "--json")
    assert json.loads(one.stdout)["status"] == "recorded"
    file = lab.root / "labels.csv"
    file.write_text(f"prediction_id,label\n{known[10]},{word}\n")
    assert json.loads(perennial(lab.root, "feedback", MODEL, str(file), "--json").stdout)["counts"]["recorded"] == 1


def test_a_request_that_is_none_is_a_problem_document(lab: Lab, known: list[str]) -> None:
    for body, status in ((b"", 400), (b"{", 400), (b'{"rows": []}', 422)):
        answer = lab.door.call("POST", PATH, body)
        assert (answer.status, answer.body["status"]) == (status, status)


def upload(lab: Lab, name: str, body: bytes) -> Any:
    """Upload a file of labels -> its report."""
    s3, bucket = lab.client("s3"), lab.shared[names.OUTPUT_DATA_BUCKET]
    unique = f"{time.time_ns()}-{name}"
    version = s3.put_object(Bucket=bucket, Key=keys.feedback(MODEL, unique), Body=body)["VersionId"]
    key = keys.feedback_report(MODEL, unique, version)

    def find() -> Any:
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=key).get("Contents", [])
        return json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) if listed else None

    return wait_until(find, f"report on {name}")
