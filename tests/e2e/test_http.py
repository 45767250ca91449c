"""What a client of the API meets: problem documents that name row and field, never a 500."""

import gzip
import json
from typing import Any

import pytest
import urllib3

from cloud.door import Answer
from lifecycle import names
from tests.e2e.conftest import Lab, rows_as_csv, wait_until
from tests.e2e.test_uploads import MODEL

pytestmark = pytest.mark.slow

GOOD = {"key": "1", "x": 0.5, "z": "a"}


@pytest.fixture(scope="module", autouse=True)
def live(lab: Lab) -> None:
    if lab.live_version(MODEL) is None:
        lab.upload(MODEL, "first.csv", rows_as_csv(600, 1))
        wait_until(lambda: lab.live_version(MODEL), "live model")


def post(lab: Lab, body: bytes) -> Answer:
    return lab.door.call("POST", f"/models/{MODEL}/predictions", body)


def test_a_good_row_gets_probability_decision_and_its_ids(lab: Lab) -> None:
    answer = lab.predict(MODEL, [GOOD])
    assert answer.status == 200
    assert {"model_version", "contract_id", "predictions"} <= answer.body.keys()
    assert {"prediction_id", "probability", "decision"} <= answer.body["predictions"][0].keys()


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({**GOOD, "x": "half"}, "x"),
        ({**GOOD, "x": True}, "x"),
        ({"key": "1", "z": "a"}, "x"),
        ({**GOOD, "z": ["a"]}, "z"),
    ],
)
def test_a_bad_row_is_a_problem_that_names_row_and_field(lab: Lab, row: dict[str, Any], field: str) -> None:
    answer = lab.predict(MODEL, [GOOD, row])
    assert 400 <= answer.status < 500
    assert [(e["row"], e["field"]) for e in answer.body["errors"]] == [(1, field)]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"rows": []}', b'{"rows": 5}', b'{"rows": [5]}', b'{"rows": [{"x": NaN}]}', b"\xff\xfe"],
)
def test_a_malformed_body_is_a_problem_document(lab: Lab, body: bytes) -> None:
    answer = post(lab, body)
    assert 400 <= answer.status < 500
    assert {"type", "title", "status", "detail"} <= answer.body.keys()


def test_too_many_rows_are_refused_with_the_limit(lab: Lab) -> None:
    answer = lab.predict(MODEL, [GOOD] * 1001)
    assert 400 <= answer.status < 500
    assert "1,000" in answer.body["detail"]


def test_a_body_over_the_limit_is_refused(lab: Lab) -> None:
    assert post(lab, b'{"rows": [' + b" " * names.BODY_BYTES + b"]}").status == 413


def test_a_gzip_bomb_is_refused(lab: Lab) -> None:
    bomb = gzip.compress(b" " * (names.BODY_BYTES_UNZIPPED * 2))
    path = f"/models/{MODEL}/predictions"
    assert lab.door.call("POST", path, bomb, {"content-encoding": "gzip"}).status == 413


def test_an_unsigned_request_gets_the_gateways_own_answer(lab: Lab) -> None:
    url = lab.shared[names.OUTPUT_API_URL].rstrip("/") + f"/models/{MODEL}/predictions"
    answer = urllib3.PoolManager().request("POST", url, body=json.dumps({"rows": [GOOD]}))
    assert (answer.status, json.loads(answer.data)) == (403, {"message": "Forbidden"})


def test_an_unknown_path_is_a_problem_document(lab: Lab) -> None:
    answer = lab.door.call("GET", "/nowhere")
    assert answer.status == 404
    assert answer.body["status"] == 404
