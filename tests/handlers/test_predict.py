"""The predict function: packages as a deployment leaves them, events as API Gateway sends them."""

import base64
import gzip
import json
import math
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdas.live_model import LiveModel, Place
from lambdas.predict import answer
from lifecycle.errors import MissingSetting, ModelRejected, SpecRejected
from lifecycle.prediction_id import time_of
from lifecycle.problem import CONTENT_TYPE
from lifecycle.settings import Predict
from tests import live_package
from tests.live_package import ROW, event

SETTINGS = Place(stage="dev", model="late")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def package(tmp_path) -> Path:
    return live_package.write(tmp_path / "task")


@pytest.fixture
def live(package) -> LiveModel:
    found = LiveModel.load(package, SETTINGS)
    assert found is not None
    return found


def ask(live, *rows) -> tuple[int, dict]:
    body = json.dumps({"rows": rows})
    return result(answer(live, SETTINGS, event("/models/late/predictions", body=body)))


def result(response) -> tuple[int, dict]:
    return response["statusCode"], json.loads(response["body"])


def logged(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_rows_are_answered_with_probability_decision_and_who_says_so(live):
    status, body = ask(live, ROW, {**ROW, "distance": 200, "origin": "JFK"})
    assert status == 200
    assert (body["model"], body["model_version"]) == ("late", "3")
    assert body["contract_id"] == live_package.contract().contract_id
    first, second = body["predictions"]
    assert first["probability"] == pytest.approx(0.78583498)
    assert first["decision"] is True
    assert second["decision"] is False


def test_every_prediction_has_an_id_of_its_own(live):
    _, body = ask(live, ROW, ROW, ROW)
    ids = [prediction["prediction_id"] for prediction in body["predictions"]]
    assert len(set(ids)) == 3
    assert all(uuid.UUID(identity).version == 7 for identity in ids)


def test_a_prediction_id_says_when_the_request_came_and_its_log_line_says_the_same(live, capsys):
    before = time.time()
    _, body = ask(live, ROW)
    [line] = logged(capsys)
    when = time_of(body["predictions"][0]["prediction_id"])
    assert before - 0.001 <= when <= time.time()
    assert line["time"] == round(when * 1000)


def test_each_row_leaves_one_line(live, capsys):
    _, body = ask(live, ROW, ROW)
    predictions = logged(capsys)
    assert [line["prediction_id"] for line in predictions] == [p["prediction_id"] for p in body["predictions"]]
    line = predictions[0]
    assert (line["kind"], line["model_version"], line["data_version"]) == ("prediction", "3", "d" * 64)
    assert line["row"]["distance"] == 1400
    assert "passenger" not in line["row"]
    assert 0 < line["latency_ms"] < 10_000


def test_without_a_prediction_log_nothing_is_written(tmp_path, capsys):
    live = LiveModel.load(live_package.write(tmp_path / "quiet", log=False), SETTINGS)
    assert ask(live, ROW)[0] == 200
    assert logged(capsys) == []


def test_a_line_names_the_published_version_that_answered(package, capsys):
    there = {"STAGE": "dev", "MODEL": "late", "AWS_LAMBDA_FUNCTION_VERSION": "7"}
    ask(LiveModel.load(package, Place.from_env(there)), ROW)
    assert logged(capsys)[0]["arm"] == "7"


def probe(**body) -> dict:
    request = event("/models/late/predictions", body=json.dumps(body))
    return request | {"requestContext": {**request["requestContext"], "perennial": "probe"}}


def test_a_probe_is_answered_and_leaves_no_line(live, capsys):
    status, body = result(answer(live, SETTINGS, probe(rows=[ROW])))
    assert (status, len(body["predictions"])) == (200, 1)
    assert answer(live, SETTINGS, probe(rows=[{}]))["statusCode"] == 422
    assert answer(None, SETTINGS, probe(rows=[ROW]))["statusCode"] == 503
    assert capsys.readouterr().out == ""


def test_what_a_caller_sends_cannot_make_a_request_a_probe(live, capsys):
    request = event("/models/late/predictions", body=json.dumps({"rows": [ROW]}), perennial="probe")
    answer(live, SETTINGS, request | {"queryStringParameters": {"perennial": "probe"}})
    assert logged(capsys)


def test_a_request_that_we_cannot_answer_leaves_a_failure_line(capsys):
    assert answer(None, SETTINGS, event("/models/late/predictions", body="{}"))["statusCode"] == 503
    failure, metric = logged(capsys)
    assert (failure["kind"], failure["status"], failure["request_id"]) == ("failure", 503, "r-1")
    assert metric["RequestsFailed"] == 1


@pytest.mark.parametrize("closed", [True, False])
def test_a_standard_output_that_is_closed_or_a_broken_pipe_costs_no_answer(package, closed):
    spoil = "sys.stdout.close()" if closed else "r, w = os.pipe(); os.close(r); os.dup2(w, 1)"
    code = f"""
import json, os, sys
from lambdas.predict import handler
request = {json.dumps(event("/models/late/predictions", body=json.dumps({"rows": [ROW]})))!r}
{spoil}
answers = [handler(json.loads(request), None)["statusCode"] for _ in range(3)]
os.write(2, repr(answers).encode())
os._exit(0)
"""
    assert "[200, 200, 200]" in started(package, code).stderr


def test_a_log_that_cannot_be_written_does_not_cost_an_answer(live, monkeypatch):
    class Full:
        def write(self, _text):
            raise OSError("No space left on device")

        def flush(self):
            raise OSError("No space left on device")

    monkeypatch.setattr(sys, "stdout", Full())
    monkeypatch.setattr(sys, "stderr", Full())
    assert ask(live, ROW)[0] == 200


def test_wrong_rows_are_refused_by_row_and_field_and_leave_no_line(live, capsys):
    status, body = ask(live, ROW, {"distance": "far", "origin": "LGA"})
    assert status == 422
    assert [(e["row"], e["field"]) for e in body["errors"]] == [(1, "distance"), (1, "origin")]
    assert logged(capsys) == []


def test_rows_that_features_py_cannot_compute_are_all_named(live):
    status, body = ask(live, {**ROW, "origin": "FAIL"}, ROW, {**ROW, "origin": "FAIL"})
    assert status == 422
    assert [error["row"] for error in body["errors"]] == [0, 2]
    assert "KeyError" in body["errors"][0]["message"]


def explain(live, value, *rows) -> tuple[int, dict]:
    body = json.dumps({"rows": list(rows)})
    request = event("/models/late/predictions", body=body) | {"queryStringParameters": {"explain": value}}
    return result(answer(live, SETTINGS, request))


def test_explanations_come_when_asked_for_and_sum_to_the_log_odds(live):
    status, body = explain(live, "true", ROW)
    assert status == 200
    prediction = body["predictions"][0]
    explanation, score = prediction["explanation"], prediction["probability"]
    assert explanation["of"] == "log_odds"
    total = explanation["base"] + sum(explanation["contributions"].values())
    assert total == pytest.approx(math.log(score / (1 - score)), abs=1e-9)
    assert "explanation" not in explain(live, "false", ROW)[1]["predictions"][0]


def test_explanations_are_not_logged(live, capsys):
    explain(live, "true", ROW)
    assert all("explanation" not in line for line in logged(capsys))


@pytest.mark.parametrize(("value", "rows", "status"), [("maybe", 1, 400), ("true,true", 1, 400), ("true", 21, 413)])
def test_what_cannot_be_explained_is_refused(live, value, rows, status):
    assert explain(live, value, *[ROW] * rows)[0] == status


def test_a_gzipped_request_is_answered(live):
    data = base64.b64encode(gzip.compress(json.dumps({"rows": [ROW]}).encode())).decode()
    request = event("/models/late/predictions", body=data, content_encoding="gzip") | {"isBase64Encoded": True}
    assert result(answer(live, SETTINGS, request))[0] == 200


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"body": "{"}, 400),
        ({"body": '{"rows": [NaN]}'}, 400),
        ({"body": None}, 400),
        ({"body": '{"rows": []}'}, 422),
        ({"body": "[]"}, 422),
        ({"body": json.dumps({"rows": [ROW] * 4})}, 413),
        ({"headers": {"content-type": "text/csv"}, "body": "a,b"}, 415),
        ({"headers": {"content-encoding": "gzip"}, "body": "not gzip"}, 400),
    ],
)
def test_what_is_wrong_with_a_request_chooses_the_status(live, change, status):
    response = answer(live, SETTINGS, event("/models/late/predictions", body="{}") | change)
    assert response["statusCode"] == status
    assert response["headers"]["content-type"] == CONTENT_TYPE
    body = json.loads(response["body"])
    assert (body["status"], body["type"]) == (status, "about:blank")
    assert "Traceback" not in response["body"]


def test_the_live_model_describes_itself(live):
    status, body = result(answer(live, SETTINGS, event("/models/late", "GET")))
    assert status == 200
    assert (body["task"], body["classes"], body["positive"], body["threshold"]) == (
        "binary",
        ["false", "true"],
        "true",
        0.5,
    )
    columns = {column["name"]: column for column in body["columns"]}
    assert columns["distance"] == {"name": "distance", "kind": "number", "required": True, "min": 0, "max": 5000}
    assert columns["cabin"]["categories"] == ["eco", "first"]
    assert columns["fee"]["required"] is False
    assert "late" not in columns


def test_the_door_is_held_by_the_contract_inside_the_live_model_not_by_the_newest_one(tmp_path):
    package = live_package.write(tmp_path / "rolled-back")
    newer = live_package.contract(extra_columns="reject")
    for file in package.glob("spec-*.json"):
        file.unlink()
    elsewhere = live_package.write(tmp_path / "newer", rules=newer)
    [spec] = elsewhere.glob("spec-*.json")
    (package / spec.name).write_bytes(spec.read_bytes())
    assert ask(LiveModel.load(package, SETTINGS), {**ROW, "unknown": 1})[0] == 200


def test_before_the_first_deployment_there_is_no_model(tmp_path, capsys):
    assert LiveModel.load(tmp_path, SETTINGS) is None
    status, body = ask(None, ROW)
    assert status == 503
    assert body["detail"].startswith("no model yet")
    assert [line.get("error") for line in logged(capsys)] == [body["detail"], None]


def test_the_place_is_read_from_the_variables_that_the_stack_sets():
    place = Place.from_env(Predict(stage="prod", model="churn").to_env())
    assert (place.stage, place.model) == ("prod", "churn")
    with pytest.raises(MissingSetting, match="STAGE and MODEL"):
        Place.from_env({})


def damage_model(package):
    file = package / "model" / "compiled.json"
    file.write_bytes(file.read_bytes()[:-20])


def damage_release(package):
    (package / "model" / "release.json").write_text('{"compiled_sha256": ')


def swap_model(package):
    other = live_package.write(package.parent / "other", rules=live_package.contract(min_rows=7))
    (package / "model" / "compiled.json").write_bytes((other / "model" / "compiled.json").read_bytes())


def change_features(package):
    (package / "features.py").write_text("def features(row): return {}")


@pytest.mark.parametrize("damage", [damage_model, damage_release, swap_model, change_features])
def test_a_package_whose_parts_do_not_belong_together_is_not_served(package, damage):
    damage(package)
    with pytest.raises((ModelRejected, SpecRejected)):
        LiveModel.load(package, SETTINGS)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = {column.name: JSON | st.just(ROW.get(column.name)) for column in live_package.COLUMNS}
ROWS = st.lists(st.fixed_dictionaries({}, optional=FIELDS) | st.just(ROW) | JSON, max_size=4)
BODIES = st.one_of(
    st.text(max_size=60),
    JSON.map(json.dumps),
    ROWS.map(lambda rows: json.dumps({"rows": rows})),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(body=BODIES, coded=st.booleans(), encoding=st.sampled_from(["identity", "gzip", "br"]))
def test_no_request_is_ever_a_fault_of_ours(live, body, coded, encoding):
    request = event("/models/late/predictions", body=body, content_encoding=encoding) | {"isBase64Encoded": coded}
    status, answered = result(answer(live, SETTINGS, request))
    assert status in (200, 400, 413, 415, 422)
    assert status == 200 or answered["status"] == status


def started(package: Path, code: str) -> subprocess.CompletedProcess:
    """Run `code` in a process as Lambda starts it, with the package as its task root."""
    environment = {
        "LAMBDA_TASK_ROOT": str(package),
        "STAGE": "dev",
        "MODEL": "late",
        "PYTHONPATH": str(ROOT),
        "PATH": os.environ["PATH"],
    }
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)


ANSWER = "import json, lambdas.predict as p; print('ANSWER', json.dumps(p.handler(json.loads({!r}), None)))"


def test_the_deployed_handler_answers(package):
    request = json.dumps(event("/models/late/predictions", body=json.dumps({"rows": [ROW]})))
    output = started(package, ANSWER.format(request)).stdout
    assert json.loads(output.split("ANSWER ")[1])["statusCode"] == 200


def test_a_damaged_package_answers_503_and_the_log_says_why(package):
    damage_model(package)
    output = started(package, ANSWER.format(json.dumps(event("/models/late", "GET")))).stdout
    lines, response = output.split("ANSWER ")
    assert [json.loads(line).get("error") for line in lines.splitlines()] == ["ModelRejected", "ModelRejected", None]
    assert json.loads(response)["statusCode"] == 503
    assert "compiled" not in json.loads(response)["body"]


def test_an_unforeseen_fault_is_a_500_without_internals_and_a_log_line(package):
    output = started(package, ANSWER.format(json.dumps({"rawPath": "/models/late"}))).stdout
    lines, response = output.split("ANSWER ")
    trace, failure, _metric = map(json.loads, lines.splitlines())
    assert (trace["error"], failure["error"]) == ("KeyError", "KeyError")
    assert "trace" not in failure
    body = json.loads(json.loads(response)["body"])
    assert body["status"] == 500
    assert "requestContext" not in json.dumps(body)


def test_starting_imports_nothing_heavy(package):
    code = "import sys, lambdas.predict; print(sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = started(package, code).stdout
    for name in (
        "boto3",
        "botocore",
        "aws_lambda_powertools",
        "numpy",
        "polars",
        "pydantic",
        "uuid",
        "logging",
        "dataclasses",
    ):
        assert repr(name) not in loaded
