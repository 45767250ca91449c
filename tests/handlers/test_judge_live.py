"""A live model that is worse than the one before it on the same labelled rows is gone back from, once."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lambdas import judge_live, wiring
from lifecycle import compiled
from lifecycle.feedback_label import Change, Label
from lifecycle.schema import contract_to_plain

from .conftest import SPEC, World
from .deployments_world import Deployment, Predict, kinds, make_predict, package
from .feedback_world import HOUR, identity, labels, log, make_labels_table

Start = Callable[[str], str]
ROWS = 240
GROUPS = [("JFK", True, 0.9), ("EWR", False, 0.9), ("JFK", True, 0.8), ("EWR", False, 0.8), ("JFK", False, 0.7)]
EVENT = {"source": "perennial", "detail-type": "Model Monitored", "detail": {"stage": "test", "model": "flights"}}


def compiled_model(run_id: str, weight: float, **changes: Any) -> bytes:
    """A model that says late when origin is JFK (weight > 0), or the other way round."""
    contract = {**contract_to_plain(SPEC.contract), **changes}
    return compiled.write(
        {
            "task": "binary",
            "family": "logistic-regression",
            "classes": ["false", "true"],
            "threshold": 0.5,
            "contract": contract,
            "ids": {"run_id": run_id, "data_version": "d" * 64, "contract_id": SPEC.contract.contract_id},
            "features_sha256": None,
            "learned": {"origin": ["EWR", "JFK"]},
            "encoder": {
                "layout": "standard",
                "inputs": [{"feature": "origin", "as": "category", "categories": ["EWR", "JFK"], "missing": 0.5}],
            },
            "estimator": {
                "kind": "linear",
                "link": "logistic",
                "coefficients": [[-weight, weight]],
                "intercept": [0.0],
            },
        }
    )


@pytest.fixture
def predict(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Predict]:
    monkeypatch.setenv("LABELS_TABLE", make_labels_table())
    yield from make_predict(world)


def deploy(world: World, execution: Start, run_id: str, weight: float, **changes: Any) -> None:
    package(world, run_id)
    Deployment(execution(run_id), world).run()
    key = f"runs/flights/{run_id}/evaluation/compiled.json"
    world.s3.put_object(Bucket="artifact-bucket", Key=key, Body=compiled_model(run_id, weight, **changes))


def serve(world: World, predict: Predict, *, right: bool, rows: int = ROWS, seen: int = 0) -> None:
    """Predictions of the live model: flights from JFK are late, most of them; `right` says whether it knows."""
    _, said = predict.live()
    assert said is not None
    world.pass_time(HOUR)
    at = wiring.now()
    for place, (origin, late, score) in enumerate(GROUPS):
        ids = [identity(at, number) for number in range(seen + place, seen + rows, len(GROUPS))]
        said_late = (origin == "JFK") == right
        row = {"flight": f"F{place}", "origin": origin, "distance": 100.0}
        facts = {"probability": score if said_late else 1 - score, "decision": said_late}
        log(at, *ids, row=row, model_version=str(said.number), **facts)
        label(*((one, "true" if late else "false") for one in ids))
    world.pass_time(HOUR)


def label(*said: tuple[str, str], source: str = "r") -> None:
    at = wiring.now()
    told = [Label(prediction_id=one, label=value, recorded_at=at, source=source) for one, value in said]
    labels().write([Change(before=None, after=one) for one in told])


def judge(number: int = 1) -> dict[str, Any]:
    return judge_live.handler({**EVENT, "id": f"event-{number}"}, None)


def test_a_live_model_that_is_worse_is_gone_back_from_with_the_evidence(
    world: World, predict: Predict, execution: Start
) -> None:
    deploy(world, execution, "good", 2.0)
    deploy(world, execution, "bad", -2.0)
    serve(world, predict, right=False)
    found = judge()
    assert found["rolled_back"], found
    version, said = predict.live()
    assert said is not None
    assert (version, said.run_id, said.back, said.above) == ("2", "good", None, 2)
    judged = next(entry["detail"] for entry in world.ledger("model#flights") if entry["kind"] == "live judged")
    assert judged["rows"] == ROWS
    assert judged["live"] > judged["before"]
    assert 0 < judged["low"] < judged["difference"] < judged["high"]
    assert kinds(world)[-3:] == ["live judged", "rollback asked", "rolled back"]
    assert "log_loss of the live model" in world.ledger("model#flights")[-1]["detail"]["reason"]


def test_nothing_goes_to_and_fro(world: World, predict: Predict, execution: Start) -> None:
    deploy(world, execution, "good", 2.0)
    deploy(world, execution, "bad", -2.0)
    serve(world, predict, right=False)
    assert judge(1)["rolled_back"]
    serve(world, predict, right=False, seen=1000)
    again = judge(2)
    assert not again["rolled_back"]
    assert "no version before it" in again["reason"]
    assert kinds(world).count("rolled back") == 1
