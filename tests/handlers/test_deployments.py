"""An approval goes live exactly once, whatever happens on the way; `live` never shows a version without its model."""

import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lambdas import close_deployment, plan_deployment, probe_version, promote_model, publish_model, wiring
from lifecycle import claims, live, names
from lifecycle.claims import State
from lifecycle.deployment import fingerprint
from lifecycle.errors import NotReady, PromotionRejected

from .conftest import SPEC, World
from .deployments_world import FUNCTION, Deployment, Predict, aborted, asset, close, kinds, make_predict, package
from .test_runs import finish, machine, running, stop

Start = Callable[[str], str]


@pytest.fixture
def predict(world: World) -> Iterator[Predict]:
    yield from make_predict(world)


def plan(execution: str, **detail: Any) -> dict[str, Any]:
    event = {"execution": execution, "started_at": "2026-11-21T12:00:00Z", "detail": detail}
    return plan_deployment.handler(event, None)


def run(world: World, execution: Start, name: str, **detail: Any) -> Deployment:
    return Deployment(execution(name), world, detail).run()


def test_an_approved_model_becomes_the_live_version(world: World, predict: Predict, execution: Start) -> None:
    arn = package(world, "run-1")
    done = run(world, execution, "one")
    assert done.state["promoted"] == {"previous": "1", "live": "2"}
    assert done.visited == ["Plan", "Publish", "Probe", "Promote"], "the first model has nobody to be compared with"
    version, said = predict.live()
    assert said is not None
    assert (version, said.package_arn, said.run_id, said.back) == ("2", arn, "run-1", None)
    assert said.since == int(wiring.now())
    assert kinds(world) == ["deployment started", "version probed", "live"]
    entry = world.ledger("model#flights")[-1]["detail"]
    assert (entry["package_arn"], entry["version"], entry["data_version"]) == (arn, "2", "d" * 64)
    [announced] = [json.loads(e["Detail"]) for e in world.sent if e["DetailType"] == "Model Live"]
    assert announced["run_id"] == "run-1"
    code = done.state["published"]["code"]
    finished = world.claims().read(claims.package(arn, code))
    assert finished is not None
    assert finished.state is State.DONE


def test_the_package_holds_handler_model_and_release_readable_by_anyone(
    world: World, predict: Predict, execution: Start
) -> None:
    arn = package(world, "run-1")
    planned = plan(execution("one"))
    built = publish_model._package(wiring.settings(publish_model.Deploy), planned)
    assert built == publish_model._package(wiring.settings(publish_model.Deploy), planned)
    with zipfile.ZipFile(io.BytesIO(built)) as found:
        assert {entry.external_attr >> 16 & 0o777 for entry in found.infolist()} == {0o644}
        assert json.loads(found.read("model/compiled.json")) == {"run": "run-1"}
        release = json.loads(found.read("model/release.json"))
    assert release == {
        "model": "flights",
        "model_version": "1",
        "package_arn": arn,
        "run_id": "run-1",
        "data_version": "d" * 64,
        "contract_id": SPEC.contract.contract_id,
        "compiled_sha256": planned["compiled_sha256"],
        "asset_key": "predict.zip",
    }


@pytest.mark.parametrize("status", ["PendingManualApproval", "Rejected"])
def test_only_approved_models_are_deployed(world: World, predict: Predict, execution: Start, status: str) -> None:
    package(world, "run-1", status)
    assert plan(execution("one")) == {"go": False, "reason": "no model is approved"}
    assert predict.live() == ("1", None)


def test_a_duplicate_event_during_and_after_the_deployment_ends_quietly(
    world: World, predict: Predict, execution: Start
) -> None:
    package(world, "run-1")
    one = execution("one")
    planned = plan(one)
    assert planned == plan(one), "the same execution asks twice"
    assert not plan(execution("two"))["go"]
    Deployment(one, world).run()
    assert not plan(execution("three"))["go"]
    assert predict.versions() == ["1", "2"]


def test_steps_repeated_after_a_death_change_nothing_more(world: World, predict: Predict, execution: Start) -> None:
    package(world, "run-1")
    one = execution("one")
    event: dict[str, Any] = {"execution": one, "plan": plan(one)}
    event["published"] = publish_model.handler(event, None)
    assert publish_model.handler(event, None) == event["published"]
    event["rollout"] = probe_version.handler(event, None)
    first = promote_model.handler(event, None)
    moved = predict.live()
    world.pass_time(7)
    assert promote_model.handler(event, None) == first
    assert predict.live() == moved
    assert predict.versions() == ["1", "2"]
    assert kinds(world) == ["deployment started", "version probed", "live"]


def test_the_newest_approved_model_wins_whatever_event_came(world: World, predict: Predict, execution: Start) -> None:
    package(world, "run-1")
    package(world, "run-2")
    package(world, "run-3", "Rejected")
    run(world, execution, "one")
    said = predict.live()[1]
    assert said is not None
    assert said.run_id == "run-2"
    assert not plan(execution("two"))["go"], "the event of the older approval"


def test_what_was_approved_during_a_deployment_is_started_after_it(
    world: World, predict: Predict, execution: Start
) -> None:
    package(world, "run-1")
    one = execution("one")
    Deployment(one, world).until("Done")
    package(world, "run-2")
    assert not plan(execution("two"))["go"]
    finish(one)
    close(one)
    close(one)
    [following] = [arn for arn in running(one) if ":next-" in arn]
    Deployment(following, world).run()
    said = predict.live()[1]
    assert said is not None
    assert said.run_id == "run-2"


def test_a_failed_deployment_leaves_the_alias_tells_and_is_not_repeated_by_itself(
    world: World, predict: Predict, execution: Start
) -> None:
    package(world, "run-1", compiled_sha256="0" * 64)
    one = execution("one")
    planned = plan(one)
    with pytest.raises(PromotionRejected, match="changed after its evaluation"):
        publish_model.handler({"execution": one, "plan": planned}, None)
    stop(one)
    close(one)
    assert predict.live() == ("1", None)
    assert kinds(world) == ["deployment started", "deployment failed"]
    assert [arn for arn in running(one) if ":next-" in arn] == []
    assert plan(execution("two"))["go"], "a new approval tries again"


def test_an_aborted_deployment_whose_end_nobody_told_does_not_block_the_next(
    world: World, predict: Predict, execution: Start
) -> None:
    package(world, "run-1")
    one = execution("one")
    plan(one)
    stop(one)
    assert run(world, execution, "two").state["promoted"]["live"] == "2"
    assert kinds(world) == [
        "deployment started", "deployment failed", "deployment started", "version probed", "live",
    ]  # fmt: skip


def test_a_model_trained_with_other_features_is_not_deployed(world: World, predict: Predict, execution: Start) -> None:
    package(world, "run-1", features_sha256="f" * 64)
    one = execution("one")
    with pytest.raises(PromotionRejected, match="was trained with"):
        publish_model.handler({"execution": one, "plan": plan(one)}, None)


def test_an_update_of_the_stack_publishes_the_live_model_again(
    world: World, predict: Predict, execution: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = package(world, "run-1")
    run(world, execution, "one")
    predict.update_stack(world, "handler = 2\n", monkeypatch)
    done = run(world, execution, "two")
    assert done.state["promoted"] == {"previous": "2", "live": "3"}
    assert "Shift" in done.visited, "new code is released like a new model"
    version, said = predict.live()
    assert said is not None
    assert (version, said.package_arn, said.back) == ("3", arn, "2")
    assert not plan(execution("three"))["go"]


def test_a_change_of_configuration_publishes_the_live_model_again(
    world: World, predict: Predict, execution: Start
) -> None:
    package(world, "run-1")
    run(world, execution, "one")
    predict.client.update_function_configuration(FunctionName=FUNCTION, MemorySize=1024)
    planned = plan(execution("two"))
    assert planned["reason"] == "the function's code or configuration changed"


def test_a_change_of_configuration_during_a_deployment_is_released_after_it(
    world: World, predict: Predict, execution: Start
) -> None:
    package(world, "run-1")
    run(world, execution, "one")
    package(world, "run-2")
    two = Deployment(execution("two"), world).until("Promote")
    predict.client.update_function_configuration(FunctionName=FUNCTION, MemorySize=1024)
    assert not plan(execution("three"))["go"], "the event of the update"
    two.run()
    [following] = [arn for arn in running(two.execution) if ":next-" in arn]
    after = Deployment(following, world).run()
    assert after.state["plan"]["reason"] == "the function's code or configuration changed"
    assert not plan(execution("four"))["go"]


@pytest.mark.parametrize("state", ["Publish", "Probe", "Shift", "Judge", "Promote"])
def test_an_alias_moved_by_somebody_else_is_left_alone(
    world: World, predict: Predict, execution: Start, state: str
) -> None:
    package(world, "run-1")
    run(world, execution, "one")
    package(world, "run-2")
    two = Deployment(execution("two"), world).until(state)
    assert two.at == state
    by_hand = live.Live(package_arn="package/1", run_id="run-1", since=77).to_description()
    predict.client.update_alias(
        FunctionName=FUNCTION,
        Name=names.LIVE,
        FunctionVersion="2",
        Description=by_hand,
        RoutingConfig={"AdditionalVersionWeights": {}},
    )
    assert two.run().at == "Overtaken"
    assert predict.alias()["Description"] == by_hand
    assert predict.weights() == {}


def test_old_versions_are_deleted_but_never_the_live_or_the_one_before(
    world: World, predict: Predict, execution: Start
) -> None:
    root = Path(os.environ["LAMBDA_TASK_ROOT"])
    (root / SPEC.file_name).unlink()
    few = replace(SPEC, serving=replace(SPEC.serving, keep_versions=2))
    (root / few.file_name).write_bytes(few.to_bytes())
    package(world, "run-1")
    run(world, execution, "one")
    for number in range(3, 7):
        predict.client.update_function_code(FunctionName=FUNCTION, ZipFile=asset(f"x = {number}\n"), Publish=True)
    package(world, "run-2")
    run(world, execution, "two")
    assert predict.versions() == ["2", "6", "7"], "2 was live before and is where a rollback goes"


def test_a_version_that_is_not_active_yet_is_waited_for(world: World, predict: Predict, execution: Start) -> None:
    package(world, "run-1")
    one = Deployment(execution("one"), world).until("Probe")
    wiring.client("lambda").meta.events.register(
        "after-call.lambda.GetFunctionConfiguration", lambda parsed, **_: parsed.update(State="Pending")
    )
    with pytest.raises(NotReady, match="is Pending"):
        one.step()


@pytest.mark.parametrize("call", ["UpdateFunctionCode", "UpdateAlias"])
def test_a_change_by_somebody_else_in_between_is_not_overwritten(
    world: World, predict: Predict, execution: Start, call: str
) -> None:
    package(world, "run-1")
    client = wiring.client("lambda").meta.events

    def refuse(http_response: Any, parsed: dict[str, Any], **_kwargs: Any) -> None:
        parsed["Error"] = {"Code": "PreconditionFailedException", "Message": "The RevisionId provided does not match"}
        http_response.status_code = 412

    client.register(f"after-call.lambda.{call}", refuse)
    with pytest.raises(NotReady, match="changed by somebody else"):
        Deployment(execution("one"), world).until("Done")


def test_a_person_deploys_an_older_model_and_the_newer_one_does_not_come_back_by_itself(
    world: World, predict: Predict, execution: Start
) -> None:
    older = package(world, "run-1")
    package(world, "run-2")
    run(world, execution, "one")
    run(world, execution, "two", package_arn=older, by="arn:aws:iam::1:user/ann", reason="the new one is odd")
    said = predict.live()[1]
    assert said is not None
    assert (said.run_id, said.above) == ("run-1", 2)
    assert not plan(execution("three"))["go"]
    started, *_, went_live = world.ledger("model#flights")[3:]
    assert started["detail"]["by"] == went_live["detail"]["by"] == "arn:aws:iam::1:user/ann"
    package(world, "run-3")
    run(world, execution, "four")
    said = predict.live()[1]
    assert said is not None
    assert (said.run_id, said.above) == ("run-3", None)


def test_a_person_cannot_deploy_what_nobody_approved(world: World, predict: Predict, execution: Start) -> None:
    waiting = package(world, "run-1", "PendingManualApproval")
    with pytest.raises(PromotionRejected, match="perennial approve flights 1"):
        plan(execution("one"), package_arn=waiting, by="ann")


def test_asking_for_what_is_live_changes_nothing_of_the_alias(world: World, predict: Predict, execution: Start) -> None:
    arn = package(world, "run-1")
    run(world, execution, "one")
    before = predict.live()
    world.pass_time(60)
    done = run(world, execution, "two", package_arn=arn, by="ann")
    assert done.visited == ["Plan", "Publish", "Probe", "Promote"]
    assert predict.live() == before


def test_an_aborted_canary_keeps_no_traffic(world: World, predict: Predict, execution: Start) -> None:
    package(world, "run-1")
    run(world, execution, "one")
    package(world, "run-2")
    two = Deployment(execution("two"), world).until("Judge")
    assert predict.weights() == {"3": 0.1}
    aborted(two)
    version, said = predict.live()
    assert said is not None
    assert (version, said.run_id, predict.weights()) == ("2", "run-1", {})


def test_an_aborted_canary_whose_closer_never_ran_is_ended_by_the_next_deployment(
    world: World, predict: Predict, execution: Start
) -> None:
    package(world, "run-1")
    run(world, execution, "one")
    package(world, "run-2")
    two = Deployment(execution("two"), world).until("Judge")
    stop(two.execution)
    three = Deployment(execution("three"), world)
    three.step()
    assert predict.weights() == {}
    assert three.run().at == "Done"


def test_the_fingerprint_sees_layers_and_environment_but_not_the_code() -> None:
    before = {"MemorySize": 512, "CodeSha256": "a", "Layers": [{"Arn": "l:1", "CodeSize": 1}]}
    assert fingerprint({**before, "CodeSha256": "b", "RevisionId": "x"}) == fingerprint(before)
    assert fingerprint({**before, "Layers": [{"Arn": "l:2"}]}) != fingerprint(before)
    assert fingerprint({**before, "Environment": {"Variables": {"A": "1"}}}) != fingerprint(before)


def look_again(execution: str) -> list[str]:
    """Look as the schedule does; return the executions that it started."""
    close_deployment.handler({"machine": machine(execution)}, None)
    return [arn for arn in running(execution) if ":next-" in arn]


def test_an_approval_that_nobody_told_is_found_by_the_weekly_look(
    world: World, predict: Predict, execution: Start
) -> None:
    one = execution("one")
    stop(one)
    assert look_again(one) == [], "nothing is approved"
    package(world, "run-1")
    [found] = look_again(one)
    assert plan(found)["go"]
    assert look_again(one) == [found], "it is under way"


def test_a_deployment_whose_end_nobody_told_is_closed_by_the_weekly_look_and_not_tried_again(
    world: World, predict: Predict, execution: Start
) -> None:
    package(world, "run-1")
    one = execution("one")
    plan(one)
    stop(one)
    assert look_again(one) == []
    assert kinds(world) == ["deployment started", "deployment failed"]
    assert look_again(one) == []
    assert plan(execution("two"))["go"]
