"""Predictions of a model that an endpoint serves: the same door, and a clear answer whatever the endpoint does."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from cloud.endpoint_runtime import CONFIG, Endpoint
from lambdas.live_model import LiveModel, Place
from lambdas.predict import answer
from lambdas.remote_scores import RemoteScores
from lifecycle import compiled, remote
from lifecycle.errors import ModelRejected
from lifecycle.scoring import CompiledModel
from stacks.functions import PREDICT_SECONDS
from tests import live_package
from tests.live_package import ROW, event

PLACE = Place(stage="dev", model="late")


class Runtime:
    """SageMaker's runtime: answers with what `does` returns or raises for the rows, and keeps what was asked."""

    def __init__(self, does: Callable[[list[Any]], Any]) -> None:
        self._does = does
        self.asked: list[dict[str, Any]] = []

    def invoke_endpoint(self, **given: Any) -> dict[str, Any]:
        self.asked.append({**given, "rows": json.loads(given["Body"])["rows"]})
        return {"Body": io.BytesIO(json.dumps(self._does(self.asked[-1]["rows"])).encode())}


def halves(rows: list[Any]) -> Any:
    return {"outputs": [[0.5]] * len(rows)}


def failing(code: str) -> Callable[[list[Any]], Any]:
    def fail(_: list[Any]) -> Any:
        raise ClientError({"Error": {"Code": code, "Message": "secret of the model"}}, "InvokeEndpoint")

    return fail


def slow(_: list[Any]) -> Any:
    raise ReadTimeoutError(endpoint_url="https://runtime")


def live(tmp_path: Path, does: Callable[[list[Any]], Any], max_rows: int = 3) -> tuple[LiveModel, Runtime]:
    rules = live_package.contract()
    body = {**live_package.body(rules), "estimator": {"kind": "endpoint", "link": "identity", "nan": False}}
    (tmp_path / "features.py").write_text(live_package.FEATURES)
    data = compiled.write(body)
    model, runtime = CompiledModel.load(data, tmp_path), Runtime(does)
    model.ask = RemoteScores(Endpoint("perennial-dev-late--3-0f0f0f0f", runtime))
    spec = {"serving": {"max_rows": max_rows}, "monitoring": {"prediction_log": True}}
    release = {**live_package.release(data, rules), "endpoint": "perennial-dev-late--3-0f0f0f0f"}
    return LiveModel(model, release, spec, PLACE), runtime


def ask(model: LiveModel, *rows: dict[str, Any], query: dict[str, str] | None = None) -> tuple[dict[str, Any], Any]:
    given = event("/models/late/predictions", body=json.dumps({"rows": rows}))
    response = answer(model, PLACE, {**given, "queryStringParameters": query} if query else given)
    return response, json.loads(response["body"])


def test_all_rows_of_a_request_are_asked_for_at_once_encoded_as_in_training(tmp_path: Path) -> None:
    model, runtime = live(tmp_path, halves)
    response, body = ask(model, ROW, {**ROW, "origin": "JFK"})
    assert response["statusCode"] == 200
    assert [entry["probability"] for entry in body["predictions"]] == [0.5, 0.5]
    [asked] = runtime.asked
    assert asked["EndpointName"] == "perennial-dev-late--3-0f0f0f0f"
    assert asked["rows"] == [[0.8, 1.0, 0.0], [0.8, 0.0, 1.0]]


def test_the_log_line_of_a_remote_prediction_is_like_any_other(tmp_path: Path, capsys: Any) -> None:
    model, _ = live(tmp_path, halves)
    ask(model, ROW)
    [line] = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert (line["kind"], line["probability"], line["row"]["distance"]) == ("prediction", 0.5, 1400)


@pytest.mark.parametrize(
    ("does", "again", "said"),
    [
        (failing("ThrottlingException"), "2", "at once"),
        (failing("ServiceUnavailable"), "10", "starting"),
        (slow, "10", "starting"),
        (failing("ModelError"), None, "failed"),
        (failing("ValidationError"), None, "failed"),
        (failing("AccessDeniedException"), None, "failed"),
        (lambda _: {"outputs": []}, None, "failed"),
        (lambda _: [1, 2], None, "failed"),
    ],
)
def test_what_the_endpoint_does_wrong_is_a_503_that_says_whether_to_ask_again(
    tmp_path: Path, capsys: Any, does: Callable[[list[Any]], Any], again: str | None, said: str
) -> None:
    model, runtime = live(tmp_path, does)
    response, body = ask(model, ROW)
    assert response["statusCode"] == body["status"] == 503
    assert response["headers"].get("retry-after") == again
    assert said in body["detail"]
    assert "secret" not in response["body"]
    assert len(runtime.asked) == 1, "asking again is the caller's: two answers may not fit into one request's time"
    [line] = [json.loads(text) for text in capsys.readouterr().out.splitlines() if '"failure"' in text]
    assert line["status"] == 503


def test_waiting_for_an_endpoint_leaves_time_to_answer() -> None:
    assert CONFIG.connect_timeout + CONFIG.read_timeout <= PREDICT_SECONDS - 5
    assert CONFIG.retries["total_max_attempts"] == 1


def test_a_request_never_holds_more_rows_than_one_question_to_the_endpoint(tmp_path: Path) -> None:
    fits = remote.rows_at_once(3)
    assert fits * (3 * remote.NUMBER_BYTES + 2) <= remote.BODY_BYTES
    model, _ = live(tmp_path, halves, max_rows=10_000_000)
    assert json.loads(model.describe()["body"])["max_rows"] == fits
    few, _ = live(tmp_path, halves, max_rows=7)
    assert json.loads(few.describe()["body"])["max_rows"] == 7


def test_an_explanation_is_refused_with_the_reason(tmp_path: Path) -> None:
    model, runtime = live(tmp_path, halves)
    response, body = ask(model, ROW, query={"explain": "true"})
    assert response["statusCode"] == 422
    assert "endpoint serves this model" in body["detail"]
    assert runtime.asked == []


def test_describing_a_model_asks_nothing_of_its_endpoint(tmp_path: Path) -> None:
    model, runtime = live(tmp_path, slow)
    described = json.loads(model.describe(probed=True)["body"])
    assert described["endpoint"] == "perennial-dev-late--3-0f0f0f0f"
    assert runtime.asked == []


def test_a_package_whose_release_names_no_endpoint_is_not_loaded(tmp_path: Path) -> None:
    package = live_package.write(tmp_path)
    rules = live_package.contract()
    body = {**live_package.body(rules), "estimator": {"kind": "endpoint", "link": "identity", "nan": False}}
    data = compiled.write(body)
    (package / "model" / "compiled.json").write_bytes(data)
    (package / "model" / "release.json").write_text(json.dumps(live_package.release(data, rules)))
    with pytest.raises(ModelRejected, match="names no endpoint"):
        LiveModel.load(package, PLACE)
