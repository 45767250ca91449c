"""A candidate that answers logged rows: what its own door says, and what it cannot know."""

import json

import pytest

from lifecycle import compiled
from lifecycle.errors import ModelRejected, SpecRejected
from lifecycle.prediction_log import PredictionLog
from lifecycle.request import RowChecker
from lifecycle.schema import Column, Contract, Kind, Task, contract_to_plain
from lifecycle.scoring import CompiledModel
from lifecycle.shadow import Refused, Shadow
from tests import live_package
from tests.live_package import ROW


@pytest.fixture
def code(tmp_path):
    (tmp_path / "features.py").write_text(live_package.FEATURES)
    return tmp_path


def model(code, **changes) -> CompiledModel:
    return CompiledModel.load(compiled.write(live_package.body(live_package.contract(**changes))), code)


def logged(candidate: CompiledModel, row: dict) -> dict:
    """The row as the log holds it after the door and a trip through JSON."""
    plain = contract_to_plain(candidate.contract)
    (typed,) = RowChecker(plain, learned=candidate.learned).rows_of({"rows": [row]})
    log = PredictionLog(plain, {"stage": "dev", "model": "late"})
    line = log.lines([typed], [{"prediction_id": "x"}], time_ms=1, latency_ms=1.0)[0]
    return json.loads(line)["row"]


def test_a_logged_row_gets_the_answer_that_the_live_door_gave(code):
    candidate = model(code)
    (typed,) = RowChecker(contract_to_plain(candidate.contract), learned=candidate.learned).rows_of({"rows": [ROW]})
    expected = candidate.score([typed], typed=True)[0]
    assert Shadow(candidate).answer(logged(candidate, {**ROW, "passenger": "Jane"})) == expected


def test_a_row_that_the_candidates_contract_refuses_says_why_without_its_values(code):
    columns = tuple(
        Column(name="distance", kind=Kind.NUMBER, min=0, max=100, max_null_share=0) if c.name == "distance" else c
        for c in live_package.COLUMNS
    )
    found = Shadow(model(code, columns=columns)).answer(logged(model(code), ROW))
    assert isinstance(found, Refused)
    assert found.reason.startswith("distance must be")
    assert "1400" not in found.reason


def test_a_row_that_features_py_cannot_compute_is_refused_by_name(code):
    found = Shadow(model(code)).answer({**logged(model(code), ROW), "origin": "FAIL"})
    assert isinstance(found, Refused)
    assert "KeyError" in found.reason


def test_a_model_with_a_private_feature_cannot_be_replayed():
    contract = Contract(
        task=Task.BINARY,
        target="late",
        positive="true",
        columns=(Column(name="distance", kind=Kind.NUMBER, private=True), Column(name="late", kind=Kind.BOOLEAN)),
    )
    body = live_package.body(contract)
    body["encoder"]["inputs"] = body["encoder"]["inputs"][:1]
    body["estimator"]["coefficients"] = [[1.0]]
    body["learned"], body["features_sha256"] = {}, None
    with pytest.raises(ModelRejected, match="distance: private, so not in the prediction log"):
        Shadow(CompiledModel.load(compiled.write(body)))


def test_another_features_py_than_the_candidates_is_refused(code):
    (code / "features.py").write_text("def features(row):\n    return {'far': False}\n")
    with pytest.raises(SpecRejected):
        model(code)
