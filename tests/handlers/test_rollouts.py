"""A release is found out by its probe, in its canary or after it; what was brought back does not return alone."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from moto.sns.models import sns_backends

from lambdas import roll_back, wiring
from lifecycle.errors import PromotionRejected

from .conftest import World
from .deployments_world import Deployment, Predict, close, kinds, make_predict, package, traffic
from .test_runs import finish

Start = Callable[[str], str]
HEALTHY: dict[str, Any] = {}


@pytest.fixture
def predict(world: World) -> Iterator[Predict]:
    yield from make_predict(world)


@pytest.fixture
def second(world: World, predict: Predict, execution: Start) -> Deployment:
    """The first model is live as version 2, the second approved; its deployment has not begun."""
    package(world, "run-1")
    Deployment(execution("one"), world).run()
    package(world, "run-2")
    return Deployment(execution("two"), world)


def run_of(predict: Predict) -> str:
    said = predict.live()[1]
    assert said is not None
    return said.run_id


def ordered(**order: Any) -> dict[str, Any]:
    return roll_back.handler({"id": "order-1", "by": "ann", "reason": "odd answers", **order}, None)


def alarm(world: World, identity: str = "event-1", **changes: Any) -> dict[str, Any]:
    event = {
        "id": identity,
        "source": "aws.cloudwatch",
        "detail-type": "CloudWatch Alarm State Change",
        "time": wiring.iso(wiring.now()),
        "detail": {"alarmName": "perennial-test-flights-errors", "state": {"value": "ALARM", "reason": "3 errors"}},
    }
    return roll_back.handler({**event, **changes}, None)


def texts() -> list[str]:
    """What people were told."""
    topics = [topic for backend in sns_backends["123456789012"].values() for topic in backend.topics.values()]
    return [str(notice) for topic in topics for notice in topic.sent_notifications]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("hangs", "Sandbox.Timedout: Task timed out after 29.00 seconds"),
        ("raises", "it answered 500: the request could not be answered"),
        ("wrong", "row 1: probability is 0.7500001, not 0.75"),
    ],
)
def test_a_release_that_does_not_pass_its_probe_never_gets_a_customer(
    world: World, predict: Predict, second: Deployment, execution: Start, fault: str, reason: str
) -> None:
    predict.faults["run-2"] = fault
    second.run()
    assert second.visited == ["Plan", "Publish", "Probe", "RollBack"]
    version, said = predict.live()
    assert said is not None
    assert (version, said.run_id, said.above, predict.weights()) == ("2", "run-1", 2, {})
    assert kinds(world)[-2:] == ["version probed", "version withdrawn"]
    assert world.ledger("model#flights")[-1]["detail"]["reasons"] == [reason]
    assert Deployment(execution("three"), world).run().at == "Nothing"
    package(world, "run-3")
    assert Deployment(execution("four"), world).run().at == "Done"


def test_the_first_model_that_does_not_pass_its_probe_leaves_the_door_closed(
    world: World, predict: Predict, execution: Start
) -> None:
    package(world, "run-1")
    predict.faults["run-1"] = "raises"
    assert Deployment(execution("one"), world).run().at == "RolledBack"
    assert predict.live() == ("1", None)


def test_a_healthy_release_goes_live_step_by_step(world: World, predict: Predict, second: Deployment) -> None:
    seen = []
    while not second.is_over:
        if second.at == "Judge":
            traffic(world, {"2": HEALTHY, "3": HEALTHY})
            seen.append(predict.weights())
        second.step()
    assert second.at == "Done"
    assert seen == [{"3": 0.1}, {"3": 0.5}]
    version, said = predict.live()
    assert said is not None
    assert (version, said.run_id, said.back, predict.weights()) == ("3", "run-2", "2", {})
    judged = [e["detail"] for e in world.ledger("model#flights") if e["kind"] == "rollout judged"]
    assert [one["action"] for one in judged] == ["next step", "promote"]
    assert judged[0]["new"]["invocations"] == 200
    assert judged[0]["live"]["duration_ms"] == 10.0


@pytest.mark.parametrize(
    ("does", "reason"),
    [
        ({"errors": 30}, "requests failed (30 without any answer)"),
        ({"failures": 30}, "30 of 200 requests failed"),
        ({"duration": 95.0}, "9.5 times the live version's"),
        ({"score": lambda _: 0.5}, "its scores differ"),
    ],
)
def test_a_release_that_is_worse_than_the_live_version_is_given_up_in_its_canary(
    world: World, predict: Predict, second: Deployment, does: dict[str, Any], reason: str
) -> None:
    second.until("Judge")
    traffic(world, {"2": HEALTHY, "3": does})
    second.run()
    assert second.at == "RolledBack"
    version, said = predict.live()
    assert said is not None
    assert (version, said.run_id, said.above, predict.weights()) == ("2", "run-1", 2, {})
    withdrawn = world.ledger("model#flights")[-1]
    assert withdrawn["kind"] == "version withdrawn"
    assert reason in " ".join(withdrawn["detail"]["reasons"])
    assert any("perennial deploy flights --package 2" in text for text in texts())


def test_without_traffic_each_step_is_held_and_then_the_probe_decides(
    world: World, predict: Predict, second: Deployment
) -> None:
    began = wiring.now()
    second.run()
    assert second.at == "Done"
    actions = [e["detail"]["action"] for e in world.ledger("model#flights") if e["kind"] == "rollout judged"]
    assert actions == ["hold", "hold", "next step", "hold", "hold", "promote"]
    assert wiring.now() - began == 6 * 300
    assert kinds(world).count("traffic shifted") == 2


def test_steps_of_a_canary_repeated_after_a_death_change_nothing_more(
    world: World, predict: Predict, second: Deployment
) -> None:
    for state, after in (("Shift", {"3": 0.1}), ("Judge", {"3": 0.1}), ("Shift", {"3": 0.5})):
        second.until(state)
        if state == "Judge":
            traffic(world, {"2": HEALTHY, "3": HEALTHY})
        kept = json.loads(json.dumps(second.state))
        second.step()
        second.state, second.at = kept, state
        second.step()
        assert predict.weights() == after
    entries = [entry["id"] for entry in world.ledger("model#flights")]
    assert len(entries) == len(set(entries))


def test_an_operator_goes_back_in_one_move_and_nothing_returns_by_itself(
    world: World, predict: Predict, second: Deployment, execution: Start
) -> None:
    second.run()
    assert run_of(predict) == "run-2"
    world.pass_time(3600)
    answer = ordered()
    assert (answer["rolled_back"], answer["model_version"], answer["version"]) == (True, "1", "2")
    version, said = predict.live()
    assert said is not None
    assert (version, said.run_id, said.above, said.back) == ("2", "run-1", 2, None)
    entry = world.ledger("model#flights")[-1]
    assert (entry["kind"], entry["detail"]["by"], entry["detail"]["reason"]) == ("rolled back", "ann", "odd answers")
    assert entry["detail"]["data_version"] == "d" * 64
    assert Deployment(execution("three"), world).run().at == "Nothing"
    assert ordered()["version"] == "2", "the same order again"
    with pytest.raises(PromotionRejected, match="--to VERSION"):
        ordered(id="order-2")
    assert kinds(world).count("rolled back") == 1


def test_an_operator_names_the_version_and_only_one_with_a_model_is_taken(
    world: World, predict: Predict, second: Deployment
) -> None:
    second.run()
    with pytest.raises(PromotionRejected, match="cannot take over: it answered 503: no model yet"):
        ordered(to="1")
    with pytest.raises(PromotionRejected, match="is live already"):
        ordered(to="3")
    with pytest.raises(PromotionRejected, match="cannot take over: it does not exist"):
        ordered(to="77")
    predict.faults["run-1"] = "raises"
    with pytest.raises(PromotionRejected, match="cannot take over"):
        ordered(to="2")
    assert run_of(predict) == "run-2"
    predict.faults.clear()
    assert ordered(to="2", id="order-3")["model_version"] == "1"
    assert ordered(to="3", id="order-4")["model_version"] == "2", "and forth again"


@pytest.mark.parametrize("state", ["Publish", "Probe", "Shift", "Judge", "Promote", "RollBack"])
def test_an_operator_wins_over_a_deployment_that_is_under_way(
    world: World, predict: Predict, second: Deployment, execution: Start, state: str
) -> None:
    second.run()
    package(world, "run-3")
    three = Deployment(execution("three"), world)
    if state == "RollBack":
        three.until("Judge")
        traffic(world, {"3": HEALTHY, "4": {"errors": 100}})
    three.until(state)
    assert three.at == state
    went_back = ordered(to="2")
    assert went_back["version"] == "2"
    three.run()
    assert three.at == "Overtaken"
    assert (run_of(predict), predict.weights()) == ("run-1", {})
    had_traffic = state in ("Judge", "Promote", "RollBack")
    assert Deployment(execution("four"), world).run().at == ("Nothing" if had_traffic else "Done")


def test_in_the_middle_of_a_canary_going_back_means_all_traffic_to_the_live_version(
    world: World, predict: Predict, second: Deployment, execution: Start
) -> None:
    second.until("Judge")
    assert ordered()["version"] == "2"
    version, said = predict.live()
    assert said is not None
    assert (version, said.run_id, said.above, predict.weights()) == ("2", "run-1", 2, {})
    assert second.run().at == "Overtaken"
    assert Deployment(execution("three"), world).run().at == "Nothing"


def test_going_back_does_not_bring_new_code_back_by_itself(
    world: World, predict: Predict, execution: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(world, "run-1")
    Deployment(execution("one"), world).run()
    predict.update_stack(world, "handler = 2\n", monkeypatch)
    assert Deployment(execution("two"), world).run().at == "Done"
    assert ordered()["version"] == "2"
    assert Deployment(execution("three"), world).run().at == "Nothing"
    predict.update_stack(world, "handler = 3\n", monkeypatch)
    assert Deployment(execution("four"), world).run().at == "Done"


def test_an_alarm_soon_after_going_live_goes_back_once(
    world: World, predict: Predict, second: Deployment, execution: Start
) -> None:
    second.run()
    world.pass_time(600)
    assert alarm(world)["rolled_back"]
    assert run_of(predict) == "run-1"
    assert alarm(world)["rolled_back"], "the same event again finds it done"
    again = alarm(world, "event-2")
    assert again == {"rolled_back": False, "reason": "there is no version to go back to"}
    assert kinds(world).count("rolled back") == 1
    assert world.ledger("model#flights")[-1]["detail"]["by"] == "alarm perennial-test-flights-errors"
    assert Deployment(execution("three"), world).run().at == "Nothing"


def test_an_alarm_changes_nothing_before_after_or_long_after(
    world: World, predict: Predict, second: Deployment
) -> None:
    raised = wiring.iso(wiring.now())
    second.until("Judge")
    assert "no version to go back to" in alarm(world)["reason"], "the canary is judged by itself"
    second.run()
    world.pass_time(60)
    assert "before this version went live" in alarm(world, time=raised)["reason"]
    late = wiring.iso(wiring.now())
    world.pass_time(1000)
    assert "too long ago" in alarm(world, time=late)["reason"]
    world.pass_time(3600)
    assert "more than 60 minutes before" in alarm(world)["reason"]
    assert run_of(predict) == "run-2"
    assert any("perennial rollback flights" in text for text in texts())


def test_an_alarm_during_a_canary_leaves_the_verdict_to_its_judge(
    world: World, predict: Predict, second: Deployment, execution: Start
) -> None:
    second.run()
    package(world, "run-3")
    three = Deployment(execution("three"), world).until("Judge")
    assert "a rollout is under way" in alarm(world)["reason"]
    assert predict.weights() == {"4": 0.1}
    assert three.run().at == "Done"


def test_a_rollback_whose_answer_is_lost_finds_itself_done(world: World, predict: Predict, second: Deployment) -> None:
    second.run()
    refused = []

    def refuse(http_response: Any, parsed: dict[str, Any], **_: Any) -> None:
        if not refused:
            refused.append(True)
            parsed["Error"] = {"Code": "PreconditionFailedException", "Message": "RevisionId"}
            http_response.status_code = 412

    wiring.client("lambda").meta.events.register("after-call.lambda.UpdateAlias", refuse)
    ordered()
    assert refused
    assert run_of(predict) == "run-1"
    assert kinds(world).count("rollback asked") == 1


def test_what_is_live_stays_while_its_closer_runs_again_and_again(
    world: World, predict: Predict, second: Deployment
) -> None:
    second.until("Done")
    finish(second.execution)
    before = predict.live()
    close(second.execution)
    close(second.execution)
    assert predict.live() == before
