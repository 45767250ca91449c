"""The winner of a run on logged traffic, before it is registered."""

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from lambdas import register_model, replay_candidate, wiring
from lifecycle import compiled, keys
from lifecycle.errors import SpecRejected
from lifecycle.prediction_id import ids_of
from lifecycle.spec import Gates, ModelSpec, ReplayGate
from tests import live_package

from .conftest import SPEC, World

RUN = "flights-1a2b3c4d-a1"
GATED = replace(SPEC, gates=Gates(replay=ReplayGate(min_rows=20, max_changed_decisions=0.1)))


@pytest.fixture
def gated(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    deploy(GATED, tmp_path, monkeypatch)
    card = {
        "winner": {"family": "logistic-regression", "job": "job-1"}, "task": "binary", "slices": [],
        "objective": {"metric": "log_loss", "unit": None},
        "metrics": {"winner": {"log_loss": 0.4}, "dummy": {"log_loss": 0.6}, "champion": None}, "comparison": None,
        "compiled": {"sha256": "ab" * 32, "bytes": 10, "parity": {"rows": 5, "equal": 5, "worst": 0.0}},
    }  # fmt: skip
    write(world, keys.run("flights", RUN, "evaluation", "scorecard.json"), card)
    write(world, keys.run_record("flights", RUN), {"run_id": RUN, "started_at": "2026-11-21T11:00:00Z"})
    return world


def deploy(spec: ModelSpec, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for old in root.glob("spec-*.json"):
        old.unlink()
    (root / spec.file_name).write_bytes(spec.to_bytes())
    monkeypatch.setenv("SPEC_ID", spec.spec_id)
    wiring.settings.cache_clear()
    wiring.packaged_spec.cache_clear()


def write(world: World, key: str, value: Any) -> None:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    world.s3.put_object(Bucket="artifact-bucket", Key=key, Body=body)


def candidate(world: World, shift: float = 0.0) -> None:
    body = live_package.body(SPEC.contract)
    body["estimator"]["intercept"] = [shift]
    write(world, keys.run("flights", RUN, "evaluation", "compiled.json"), compiled.write(body))


def log(world: World, rows: int, *, ago: float = 3600.0) -> None:
    """What the same model without a shift answered, near its threshold."""
    at = wiring.now() - ago
    ids = ids_of(int(at * 1000), b"".join((n << 8).to_bytes(10) for n in range(rows)))
    fact = {"kind": "prediction", "schema": 2, "time": int(at * 1000), "arm": "2", "model_version": "1"}
    lines = [
        json.dumps({**fact, "prediction_id": identity, "probability": 0.45, "decision": False, "row": ROW})
        for identity in ids
    ]
    key = keys.predictions_of_hour("flights", at) + f"{ago}.gz"
    world.s3.put_object(Bucket="data-bucket", Key=key, Body=gzip.compress("\n".join(lines).encode()))


ROW = {"flight": "F1", "origin": "JFK", "distance": 1100.0}
EVENT = {"run_id": RUN, "version": "d" * 64}


def test_a_candidate_that_decides_otherwise_is_registered_as_rejected_with_the_numbers(gated: World) -> None:
    candidate(gated, shift=2.0)
    log(gated, 30)
    assert replay_candidate.handler(EVENT, None) == {"rows": 30, "approved": False}
    answer = register_model.handler(EVENT, None)
    assert answer["status"] == "Rejected"
    assert answer["reasons"] == ["replay of 30 rows: 100.00% of the logged decisions change, above the gate's 10.00%"]
    kept = gated.read("artifact-bucket", keys.run("flights", RUN, "evaluation", "replay.json"))
    assert (kept["changed_decisions"], kept["by_version"][0]["arm"]) == (30, "2")


def test_a_candidate_that_decides_alike_is_approved_and_its_reasons_say_how_far_it_is(gated: World) -> None:
    candidate(gated)
    log(gated, 30)
    assert replay_candidate.handler(EVENT, None)["approved"]
    answer = register_model.handler(EVENT, None)
    assert answer["status"] == "Approved"
    assert any("0.00% of the logged decisions change" in reason for reason in answer["reasons"])
    assert any("beats the dummy" in reason for reason in answer["reasons"])


def test_without_traffic_nothing_is_judged_and_the_reason_says_so(gated: World) -> None:
    candidate(gated, shift=2.0)
    log(gated, 10)
    log(gated, 100, ago=8 * 86_400)
    assert replay_candidate.handler(EVENT, None) == {"rows": 10, "approved": True}
    reasons = register_model.handler(EVENT, None)["reasons"]
    assert any("fewer than 20: replay judges nothing" in reason for reason in reasons)


def test_busy_hours_do_not_hide_the_others(gated: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_candidate, "ROWS_AN_HOUR", 25)
    candidate(gated)
    log(gated, 200, ago=7200)
    log(gated, 10, ago=3600)
    assert replay_candidate.handler(EVENT, None)["rows"] == 35


def test_registering_waits_for_the_replay_that_its_gate_asks_for(gated: World) -> None:
    with pytest.raises(Exception, match=r"replay\.json does not exist"):
        register_model.handler(EVENT, None)
    assert boto3.client("sagemaker").list_model_packages()["ModelPackageSummaryList"] == []


def test_a_machine_that_asks_without_a_gate_was_deployed_apart_from_its_model(world: World) -> None:
    with pytest.raises(SpecRejected, match=r"has no gates\.replay"):
        replay_candidate.handler(EVENT, None)


def test_a_winner_that_an_endpoint_will_serve_is_not_replayed_and_the_verdict_says_why(gated: World) -> None:
    body = {**live_package.body(SPEC.contract), "estimator": {"kind": "endpoint", "link": "identity", "nan": False}}
    write(gated, keys.run("flights", RUN, "evaluation", "compiled.json"), compiled.write(body))
    log(gated, 50)
    assert replay_candidate.handler({"run_id": RUN, "version": "d" * 64}, None) == {"rows": 0, "approved": True}
    registered = register_model.handler({"run_id": RUN, "version": "d" * 64}, None)
    assert any("replay judges nothing: an endpoint will serve this model" in text for text in registered["reasons"])
    assert registered["status"] == "Approved"
