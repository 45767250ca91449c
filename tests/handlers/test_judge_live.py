"""A live model that is worse than the one before it on the same labelled rows is gone back from, once."""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from lambdas import judge_live, model_before, wiring
from lifecycle import claims, compiled, live, names
from lifecycle.claims import State, Taking
from lifecycle.errors import Unavailable
from lifecycle.feedback_label import Change, Label
from lifecycle.monitoring import Monitoring
from lifecycle.retraining import Retraining
from lifecycle.schema import contract_to_plain
from lifecycle.spec import ModelSpec

from .calls_made import counted
from .conftest import SPEC, World
from .deployments_world import FUNCTION, Predict, kinds, make_predict, package
from .feedback_world import HOUR, identity, labels, log, make_labels_table

RULES = replace(SPEC, monitoring=Monitoring(min_labels=40))
ROWS = 50
GROUPS = [("JFK", True, 0.9), ("EWR", False, 0.9), ("JFK", True, 0.8), ("EWR", False, 0.8), ("JFK", False, 0.7)]
EVENT = {"source": "perennial", "detail-type": "Model Monitored", "detail": {"stage": "test", "model": "flights"}}


def compiled_model(
    run_id: str, weight: float, *, contract: dict[str, Any] | None = None, estimator: dict[str, Any] | None = None
) -> bytes:
    """A model that says late when origin is JFK (weight > 0), or the other way round."""
    linear = {"kind": "linear", "link": "logistic", "coefficients": [[-weight, weight]], "intercept": [0.0]}
    return compiled.write(
        {
            "task": "binary",
            "family": "logistic-regression",
            "classes": ["false", "true"],
            "threshold": 0.5,
            "contract": contract_to_plain(SPEC.contract) | (contract or {}),
            "ids": {"run_id": run_id, "data_version": "d" * 64, "contract_id": SPEC.contract.contract_id},
            "features_sha256": None,
            "learned": {"origin": ["EWR", "JFK"]},
            "encoder": {
                "layout": "standard",
                "inputs": [{"feature": "origin", "as": "category", "categories": ["EWR", "JFK"], "missing": 0.5}],
            },
            "estimator": estimator or linear,
        }
    )


@pytest.fixture(autouse=True)
def fresh_function() -> None:
    """A function that remembers no model yet."""
    model_before.run_of.cache_clear()
    model_before.shadow_of.cache_clear()


@pytest.fixture
def predict(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Predict]:
    say(RULES, tmp_path)
    monkeypatch.setenv("LABELS_TABLE", make_labels_table())
    yield from make_predict(world)


def say(spec: ModelSpec, folder: Path) -> None:
    """Put another spec into the function's package."""
    for old in folder.glob("spec-*.json"):
        old.unlink()
    (folder / spec.file_name).write_bytes(spec.to_bytes())
    wiring.packaged_spec.cache_clear()


def go_live(world: World, run_id: str, body: bytes | None, arn: str | None = None) -> str:
    """Publish a version that holds the model of a run and move the alias there, as a deployment leaves it."""
    arn = arn or package(world, run_id)
    if body is not None:
        world.s3.put_object(Bucket="artifact-bucket", Key=compiled_key(run_id), Body=body)
    before = wiring.functions().alias(FUNCTION, names.LIVE)
    assert before is not None
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as target:
        release = {"package_arn": arn, "run_id": run_id, "asset_key": "predict.zip", "made_at": wiring.now()}
        target.writestr("model/release.json", json.dumps(release))
    number = wiring.functions().publish(FUNCTION, made.getvalue(), "").number
    back = before.version if live.parse(before.description) else None
    said = live.Live(package_arn=arn, run_id=run_id, since=int(wiring.now()), back=back)
    alias = replace(before, version=number, description=said.to_description(), weights={})
    wiring.functions().point(FUNCTION, names.LIVE, alias)
    return arn


def compiled_key(run_id: str) -> str:
    return f"runs/flights/{run_id}/evaluation/compiled.json"


def two_models(world: World, before: bytes | None = None) -> None:
    """A model that knows, and after it one that has it the wrong way round."""
    go_live(world, "good", before or compiled_model("good", 2.0))
    world.pass_time(HOUR)
    go_live(world, "bad", compiled_model("bad", -2.0))


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


def test_a_live_model_that_is_worse_is_gone_back_from_with_the_evidence(world: World, predict: Predict) -> None:
    two_models(world)
    serve(world, predict, right=False)
    found = judge()
    assert found["rolled_back"], found
    version, said = predict.live()
    assert said is not None
    assert (version, said.run_id, said.back, said.above) == ("2", "good", None, 2)
    judged = world.ledger("model#flights")[0]["detail"]
    assert (judged["rows"], judged["refused"], judged["metric"]) == (ROWS, 0, "log_loss")
    assert judged["live"] > judged["before"]
    assert 0 < judged["low"] < judged["difference"] < judged["high"]
    assert (judged["since"], judged["until"]) == ("2026-11-21T14:00:00Z", "2026-11-21T14:00:00Z")
    assert kinds(world) == ["live judged", "rollback asked", "rolled back"]
    told = world.ledger("model#flights")[-1]["detail"]
    assert told["by"] == "monitoring"
    assert f"on the same {ROWS} labelled rows: worse than it, by {judged['difference']:.6g}" in told["reason"]


def test_nothing_goes_to_and_fro(world: World, predict: Predict) -> None:
    two_models(world)
    serve(world, predict, right=False)
    assert judge(1)["rolled_back"]
    serve(world, predict, right=False, seen=1000)
    again = judge(2)
    assert not again["rolled_back"]
    assert "no version before it" in again["reason"]
    assert kinds(world).count("rolled back") == 1


def test_a_new_tenure_is_judged_anew_against_the_model_that_was_gone_back_to(world: World, predict: Predict) -> None:
    two_models(world)
    serve(world, predict, right=False)
    assert judge(1)["rolled_back"]
    go_live(world, "worse still", compiled_model("worse still", -3.0))
    assert "0 labelled rows of this tenure" in judge(2)["reason"], "labels of other tenures say nothing about this one"
    serve(world, predict, right=False, seen=1000)
    assert judge(3)["rolled_back"]
    version, said = predict.live()
    assert said is not None
    assert (version, said.run_id, said.above) == ("2", "good", 3)


def test_a_live_model_that_is_better_stays(world: World, predict: Predict) -> None:
    two_models(world, before=compiled_model("good", -2.0))
    serve(world, predict, right=True)
    found = judge()
    assert (found["rolled_back"], found["judged"]) == (False, True)
    assert "not significantly worse" in found["reason"]
    assert kinds(world) == []


def test_with_too_few_labels_nothing_is_judged_and_the_ledger_is_left_alone(world: World, predict: Predict) -> None:
    two_models(world)
    serve(world, predict, right=False, rows=35)
    assert "35 labelled rows of this tenure, fewer than 40" in judge()["reason"]
    assert kinds(world) == []


def test_labels_of_predictions_that_nobody_made_and_of_other_versions_do_not_count(
    world: World, predict: Predict
) -> None:
    two_models(world)
    at = wiring.now()
    label(*((identity(at, 5000 + n), "true") for n in range(20)))
    others = [identity(at, 9000 + n) for n in range(20)]
    log(at, *others, row={"origin": "JFK"}, probability=0.1, decision=False, model_version="1")
    label(*((one, "true") for one in others))
    serve(world, predict, right=False, rows=30)
    assert "30 labelled rows" in judge()["reason"]


def test_a_run_or_a_deployment_under_way_is_waited_for(world: World, predict: Predict) -> None:
    two_models(world)
    serve(world, predict, right=False)
    for number, claim in enumerate((claims.run("flights"), claims.deploy("flights"))):
        world.claims().take(Taking(claim=claim, owner="somebody", lease_seconds=7200), wiring.now())
        assert "is under way (somebody)" in judge(number)["reason"]
        world.claims().release(claim, "somebody")
    assert judge(9)["rolled_back"]


def test_a_rollout_that_has_part_of_the_traffic_is_waited_for(world: World, predict: Predict) -> None:
    two_models(world)
    serve(world, predict, right=False)
    alias = wiring.functions().alias(FUNCTION, names.LIVE)
    assert alias is not None
    wiring.functions().point(FUNCTION, names.LIVE, replace(alias, weights={"2": 0.1}))
    assert "a rollout is under way" in judge()["reason"]
    assert predict.weights() == {"2": 0.1}


def test_the_version_before_is_asked_once_however_often_the_live_one_is_judged(world: World, predict: Predict) -> None:
    two_models(world)
    serve(world, predict, right=True)
    assert [judge(number)["judged"] for number in (1, 2, 3)] == [True, True, True]
    assert len(predict.asked) == 1


def test_the_first_model_has_nobody_to_be_compared_with(world: World, predict: Predict) -> None:
    assert "no model is live" in judge(1)["reason"]
    go_live(world, "good", compiled_model("good", 2.0))
    serve(world, predict, right=False)
    assert "no version before it" in judge(2)["reason"]


ENDPOINT = {"kind": "endpoint", "link": "identity", "nan": False}


@pytest.mark.parametrize(
    ("before", "why"),
    [
        (None, "runs/flights/good/evaluation/compiled.json does not exist any more"),
        (compiled_model("good", 2.0, estimator=ENDPOINT), "an endpoint served it"),
        (
            compiled_model("good", 2.0, contract={"columns": [
                {"name": "origin", "kind": "category"}, {"name": "gate", "kind": "text", "max_null_share": 0},
                {"name": "late", "kind": "boolean"}]}),
            f"would refuse {ROWS} of {ROWS} rows that the live one answered (gate is missing)",
        ),
    ],
)  # fmt: skip
def test_a_model_before_that_cannot_be_asked_is_not_judged_and_the_ledger_says_why_once(
    world: World, predict: Predict, before: bytes | None, why: str
) -> None:
    go_live(world, "good", before)
    if before is None:
        world.s3.delete_object(Bucket="artifact-bucket", Key=compiled_key("good"))
    go_live(world, "bad", compiled_model("bad", -2.0))
    serve(world, predict, right=False)
    for number in (1, 2):
        found = judge(number)
        assert (found["rolled_back"], found["judged"]) == (False, False)
        assert why in found["reason"]
    [entry] = world.ledger("model#flights")
    assert entry["kind"] == "live judged"
    assert why in entry["detail"]["reason"]


def test_the_same_model_published_again_is_not_compared_with_itself(world: World, predict: Predict) -> None:
    arn = go_live(world, "bad", compiled_model("bad", -2.0))
    world.pass_time(1)
    go_live(world, "bad", None, arn)
    serve(world, predict, right=False)
    assert "holds the same model" in judge()["reason"]


def fail_once(monkeypatch: pytest.MonkeyPatch, service: str, operation: str, time: int = 1) -> None:
    """Let the `time`-th call of an operation not reach AWS: what a function that dies there leaves behind."""
    calls = []

    def fault(**_: Any) -> None:
        calls.append(1)
        if len(calls) == time:
            raise EndpointConnectionError(endpoint_url=service)

    wiring.client(service).meta.events.register_first(f"before-call.{service}.{operation}", fault)


def test_judging_lists_the_log_once_and_reads_each_hour_once(world: World, predict: Predict) -> None:
    two_models(world)
    for part in range(4):
        serve(world, predict, right=True, rows=10 * part + 10, seen=10 * part)
    with counted("s3", "dynamodb") as calls:
        assert judge()["judged"]
    assert (calls.log_listings(), len(calls.log_objects()), len(set(calls.log_objects()))) == (1, 20, 20)
    assert len(calls.label_hours()) == len(set(calls.label_hours()))


@pytest.mark.parametrize(
    ("service", "operation", "time"),
    [
        ("lambda", "Invoke", 2),  # the ledger: judged
        ("lambda", "UpdateAlias", 1),
        ("lambda", "Invoke", 6),  # the ledger: rolled back; the alias has moved
        ("events", "PutEvents", 1),
    ],
)
def test_a_function_that_dies_on_the_way_is_finished_by_the_next_one(
    world: World, predict: Predict, monkeypatch: pytest.MonkeyPatch, service: str, operation: str, time: int
) -> None:
    two_models(world)
    serve(world, predict, right=False)
    fail_once(monkeypatch, service, operation, time)
    with pytest.raises(Unavailable):
        judge(1)
    world.pass_time(HOUR)
    judge(2)
    version, said = predict.live()
    assert said is not None
    assert (version, said.run_id, said.above) == ("2", "good", 2)
    assert sorted(kinds(world)) == ["live judged", "rollback asked", "rolled back"]
    assert judge(3)["reason"].startswith("the live model has no version before it")
    held = world.claims().read(claims.judging("flights"))
    assert held is not None
    assert held.state is State.FREE


def test_of_two_that_judge_at_once_one_goes_back(world: World, predict: Predict) -> None:
    two_models(world)
    serve(world, predict, right=False)
    inside: list[dict[str, Any]] = []

    def meanwhile(**_: Any) -> None:
        if not inside:
            inside.append({})
            inside[0] = judge(2)

    wiring.client("s3").meta.events.register("before-call.s3.GetObject", meanwhile)
    assert judge(1)["rolled_back"]
    assert inside[0]["reason"] == "somebody else judges the live model now"
    assert kinds(world) == ["live judged", "rollback asked", "rolled back"]


def test_a_model_that_went_live_while_another_was_judged_stays(world: World, predict: Predict) -> None:
    two_models(world)
    serve(world, predict, right=False)
    newer: list[str] = []

    def meanwhile(**_: Any) -> None:
        if not newer:
            newer.append(go_live(world, "newer", compiled_model("newer", 2.0)))

    wiring.client("s3").meta.events.register("before-call.s3.GetObject", meanwhile)
    found = judge()
    assert not found["rolled_back"]
    assert predict.live()[0] == "4"
    assert "rolled back" not in kinds(world)


def test_a_model_whose_owner_does_not_want_it_is_never_gone_back_from(
    world: World, predict: Predict, tmp_path: Path
) -> None:
    two_models(world)
    serve(world, predict, right=False)
    say(replace(RULES, retraining=Retraining(go_back=False)), tmp_path)
    assert "go_back: false" in judge()["reason"]
