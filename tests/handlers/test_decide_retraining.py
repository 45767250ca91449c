"""A new run is started once, or at a named time, or not: whoever asks, how often, and whatever dies on the way."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lambdas import wiring
from lifecycle import claims, keys, names
from lifecycle.claims import Taking
from lifecycle.errors import NotReady
from lifecycle.retraining import Retraining

from .calls_made import counted
from .conftest import World
from .retraining_world import HOUR, MANY, Asked, make_asked, rollout
from .test_runs import start

DRIFT = names.ALERT_DRIFT
LEARNING = Retraining(learn_from_feedback=True, min_new_labels=3)


@pytest.fixture
def asked(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    yield from make_asked(world, tmp_path, monkeypatch)


def test_a_hundred_alarms_in_a_minute_start_one_run(asked: Asked) -> None:
    version = asked.cut("new")
    answers = []
    for number in range(100):
        answers.append(asked.alarm((DRIFT, names.ALERT_SCORES)[number % 2]))
        asked.world.pass_time(0.5)
    assert [one["decision"] for one in answers] == ["start", *["wait"] * 99]
    [run] = asked.runs()
    assert (run["version"], run["trigger"], run["rerun"]) == (version, "alarm", True)
    assert run["reason"] == "alerts that are on: drift (perennial-test-flights-drift)"
    told = asked.told()
    assert [one["decision"] for one in told] == ["start", "wait"], "the ledger does not say the same 99 times"
    assert told[0]["execution"] == answers[0]["execution"]


def test_an_alarm_in_the_cooldown_that_stays_bad_starts_its_run_at_the_first_look_after_it(asked: Asked) -> None:
    asked.cut("second")
    asked.alarm(DRIFT)
    asked.world.pass_time(HOUR)
    asked.ran()
    asked.cut("third")
    until = "2026-11-22T12:00:00Z"
    assert asked.alarm(DRIFT)["until"] == until
    for _ in range(22):
        asked.world.pass_time(HOUR)
        assert (asked.look(DRIFT)["decision"], len(asked.runs())) == ("wait", 1)
    asked.world.pass_time(HOUR)
    assert wiring.iso(wiring.now()) == until
    assert asked.look(DRIFT)["decision"] == "start"
    assert len(asked.runs()) == 2
    said = [(one["decision"], one["until"]) for one in asked.told()]
    assert said == [("start", None), ("wait", until), ("start", None)]


def test_an_alarm_that_is_over_when_the_cooldown_ends_starts_nothing(asked: Asked) -> None:
    asked.cut("second")
    asked.alarm(DRIFT)
    asked.cut("third")
    asked.world.pass_time(25 * HOUR)
    assert asked.look()["decision"] == "no"
    assert len(asked.runs()) == 1


def test_dying_before_any_write_never_starts_two_runs_and_the_next_look_heals(asked: Asked) -> None:
    asked.rules(MANY)
    for write in range(20):
        version = asked.cut(f"content {write}")
        died = asked.dies(write, [DRIFT])
        asked.look(DRIFT)
        asked.world.pass_time(60)
        asked.look(DRIFT)
        started = [run for run in asked.runs() if run["version"] == version]
        assert len(started) == 1, write
        assert sum(one["decision"] == "start" for one in asked.told()) == write + 1
        if not died:
            break
        asked.world.pass_time(48 * HOUR)
    assert not died
    assert write >= 6, "claim, memory, ledger, execution, memory, claim"
    assert len({one["execution"] for one in asked.told() if one["decision"] == "start"}) == write + 1


@pytest.mark.parametrize("on_upload", [False, True])
def test_a_harvest_that_dies_before_any_write_is_finished_and_runs_once(asked: Asked, on_upload: bool) -> None:
    asked.rules(replace(MANY, learn_from_feedback=True, min_new_labels=3, on_upload=on_upload))
    asked.ran()
    for write in range(30):
        begun, before = len(asked.runs()), asked.version()
        asked.answered(*range(10 * write, 10 * write + 3))
        died = asked.dies(write, [DRIFT])
        asked.look(DRIFT)
        asked.world.pass_time(90)
        assert asked.cut() != before
        asked.announced() if not on_upload else asked.ran(trigger="monitor")
        asked.world.pass_time(60)
        asked.look(DRIFT)
        assert len(asked.runs()) == begun + (not on_upload), write
        if not on_upload:
            assert asked.runs()[-1]["version"] == asked.version()
            asked.ran()
        if not died:
            break
        asked.world.pass_time(96 * HOUR)  # labels of before are too old to be looked at again
    assert not died
    assert write >= 8, "claim, index, memory, file, index, ledger, memory, claim"


def test_a_run_that_learns_from_feedback_says_why_the_rows_were_harvested(asked: Asked) -> None:
    asked.rules(LEARNING)
    asked.ran()
    asked.answered(1, 2, 3)
    answer = asked.hand()
    assert (answer["decision"], answer["execution"]) == ("start", None)
    assert asked.runs() == [], "an upload starts it"
    asked.world.pass_time(90)
    version = asked.cut()
    run = start(asked.execution("one"), {"dataset": "flights", "version": version, "sequence": 9})
    record = asked.world.read("artifact-bucket", keys.run_record("flights", run["run_id"]))
    assert (record["trigger"], record["reason"]) == (
        "hand", "asked for by hand, with 3 labelled rows that are in no data version yet (new fares)",
    )  # fmt: skip
    assert [one["by"] for one in asked.told()] == ["arn:aws:iam::1:user/ann"]


def test_a_decision_lists_the_log_once_and_asks_for_each_hour_of_labels_once(asked: Asked) -> None:
    asked.rules(LEARNING, feedback_days=3)
    asked.ran()
    for day in range(3):
        asked.answered(day, ago=(1 + 24 * day) * HOUR)
    with counted("s3", "dynamodb") as calls:
        assert asked.look(DRIFT)["decision"] == "start"
    assert len(asked.world.keys("data-bucket", "incoming/flights/feedback-flights/")) == 3
    assert calls.log_listings() == 1
    assert len(calls.label_hours()) == len(set(calls.label_hours())) == 6, "of each hour with a line, and before it"
    assert len(calls.log_objects()) == len(set(calls.log_objects())) == 3


def test_an_upload_after_the_run_that_learned_from_feedback_is_an_upload(asked: Asked) -> None:
    asked.rules(LEARNING)
    asked.ran()
    asked.answered(1, 2, 3)
    asked.look(DRIFT)
    asked.world.pass_time(90)
    asked.cut()
    asked.world.pass_time(90)
    asked.ran(trigger="monitor")
    asked.world.pass_time(HOUR)
    run = start(asked.execution("two"), {"dataset": "flights", "version": asked.cut("x"), "sequence": 99})
    record = asked.world.read("artifact-bucket", keys.run_record("flights", run["run_id"]))
    assert (record["trigger"], record["reason"]) == ("upload", "new data version")


def test_labels_must_be_many_enough_and_new_since_the_last_run_whatever_became_of_it(asked: Asked) -> None:
    asked.rules(LEARNING)
    asked.ran()
    asked.answered(1, 2)
    few = asked.look(DRIFT)
    assert (few["decision"], asked.runs()) == ("wait", [])
    assert "2 of 3 new labels" in few["reason"]
    assert asked.world.keys("data-bucket", "incoming/flights/feedback") == []
    asked.answered(3)
    assert asked.look(DRIFT)["decision"] == "start"
    asked.cut()
    asked.world.pass_time(90)
    rejected = asked.ran(passed=False, trigger="monitor")
    asked.world.pass_time(48 * HOUR)
    futile = asked.look(DRIFT)
    assert futile["decision"] == "wait"
    assert f"{rejected} learned from these data already (not good enough)" in futile["reason"]
    assert "0 of 3 new labels" in futile["reason"], "the live model has not learned from them, but another one has"
    asked.answered(4, 5, 6)
    assert asked.look(DRIFT)["decision"] == "start"


def test_a_futile_run_is_not_started_again_until_data_change_and_that_is_told_once(asked: Asked) -> None:
    asked.world.pass_time(HOUR)
    rejected = asked.ran(passed=False, trigger="alarm")
    for _ in range(3):
        assert asked.look(DRIFT)["decision"] == "no"
        asked.world.pass_time(48 * HOUR)
    assert asked.schedule()["decision"] == "no"
    [told] = asked.told()
    assert rejected in told["reason"]
    asked.cut("other")
    again = asked.ran(passed=False)
    assert asked.look(DRIFT)["decision"] == "no"
    assert again in asked.told()[-1]["reason"], "other data, another reason"
    asked.cut("new")
    assert asked.look(DRIFT)["decision"] == "start"


def test_three_failures_end_it_until_data_change_though_a_person_may_start_one(asked: Asked) -> None:
    asked.cut("breaks training")
    for _ in range(3):
        assert asked.look(DRIFT)["decision"] == "start"
        asked.world.pass_time(120)
        asked.ran("failed", passed=None, trigger="monitor")
        asked.world.pass_time(25 * HOUR)
    for _ in range(5):
        assert asked.look(DRIFT)["decision"] == "no"
        asked.world.pass_time(25 * HOUR)
    assert len(asked.runs()) == 3
    assert [one["decision"] for one in asked.told()] == ["start"] * 3 + ["no"]
    assert "the last 3 runs failed" in asked.told()[-1]["reason"]
    asked.cut("repaired")
    assert asked.look(DRIFT)["decision"] == "start"


def test_failures_end_it_although_each_run_learned_from_more_feedback(asked: Asked) -> None:
    asked.rules(LEARNING)
    asked.ran()
    for number in range(8):
        asked.answered(*range(10 * number, 10 * number + 3))
        before = asked.version()
        asked.look(DRIFT)
        asked.world.pass_time(90)
        if asked.cut() != before:
            asked.ran("failed", passed=None, trigger="monitor")
        asked.world.pass_time(25 * HOUR)
    assert sum(one["decision"] == "start" for one in asked.told()) == 3
    asked.answered(99)
    assert asked.hand()["decision"] == "start"


def test_a_month_has_so_many_runs_and_so_many_instance_minutes(asked: Asked) -> None:
    asked.rules(Retraining(runs_per_month=2, cooldown_hours=1))
    for number in range(3):
        asked.cut(f"more {number}")
        found = asked.look(DRIFT)
        asked.world.pass_time(2 * HOUR)
        asked.ran(trigger="monitor")
    assert (found["decision"], found["until"], len(asked.runs())) == ("wait", "2026-12-01T00:00:00Z", 2)
    asked.cut("and more")
    assert asked.hand()["until"] == "2026-12-01T00:00:00Z", "a person has no budget of their own"
    assert asked.hand(over_budget=True)["decision"] == "start"
    asked.world.clock.move_to(datetime(2026, 12, 1, tzinfo=UTC))
    assert asked.look(DRIFT)["decision"] == "start"

    asked.rules(Retraining(instance_minutes_per_month=100))
    asked.world.clock.move_to(datetime(2027, 1, 5, tzinfo=UTC))
    asked.ran(trigger="monitor", started_at="2027-01-04T00:00:00Z", ended_at="2027-01-04T00:30:00Z")
    asked.cut("january")
    found = asked.look(DRIFT)
    assert (found["decision"], found["until"]) == ("wait", "2027-02-01T00:00:00Z")
    assert "60 instance minutes are used this month" in found["reason"]


def test_a_rollout_or_a_run_under_way_is_waited_for(asked: Asked) -> None:
    for claim, what in ((rollout(asked), "a deployment"), (claims.run("flights"), "a run")):
        version = asked.cut(what)
        asked.held(claim, 7200)
        found = asked.look(DRIFT)
        assert (found["decision"], found["until"]) == ("wait", wiring.iso(wiring.now() + HOUR))
        assert what in found["reason"]
        assert asked.hand()["decision"] == "wait"
        asked.world.pass_time(2 * HOUR)
        assert asked.look(DRIFT)["decision"] == "start"
        assert asked.runs()[-1]["version"] == version
        asked.world.pass_time(25 * HOUR)
    assert [one["decision"] for one in asked.told()] == ["wait", "start"] * 2


def test_two_models_of_one_dataset_decide_each_for_itself(asked: Asked) -> None:
    asked.rules(Retraining(), model="delays")
    asked.ran(passed=False)
    assert asked.look(DRIFT)["decision"] == "no"
    asked.rules(Retraining())
    version = asked.cut("new for both")
    assert asked.look(DRIFT)["decision"] == "start"
    asked.rules(Retraining(), model="delays")
    assert asked.look()["decision"] == "no"
    assert asked.look(DRIFT)["decision"] == "start", "the other model's cooldown is not this one's"
    assert [run["version"] for run in asked.runs()] == [version, version]
    assert len({run["reason"] for run in asked.runs()}) == 1


def test_the_schedule_starts_a_run_without_any_alert_and_waits_if_it_must(asked: Asked) -> None:
    asked.rules(Retraining(on_alarm=False))
    asked.cut("new")
    asked.held(rollout(asked), 7200)
    assert asked.schedule()["decision"] == "wait"
    asked.world.pass_time(HOUR)
    assert asked.look()["decision"] == "wait"
    asked.world.pass_time(HOUR + 60)
    assert asked.look()["decision"] == "start", "the schedule asks once: looks ask in its name"
    [run] = asked.runs()
    assert (run["trigger"], run["reason"]) == ("schedule", "the schedule says so")
    asked.world.pass_time(HOUR)
    asked.ran(trigger="schedule")
    asked.world.pass_time(48 * HOUR)
    assert asked.look()["decision"] == "no", "it has its run"


def test_a_person_starts_a_run_at_once_whatever_was_learned_and_gets_one_for_one_order(asked: Asked) -> None:
    found = asked.hand()
    assert found["decision"] == "start"
    assert found["execution"].startswith("retrain-")
    assert asked.hand()["decision"] == "wait", "the same order, sent again because the answer was late"
    [run] = asked.runs()
    assert (run["trigger"], run["reason"]) == ("hand", "asked for by hand (new fares)")
    assert asked.told()[0]["by"] == "arn:aws:iam::1:user/ann"
    with pytest.raises(ValueError, match='"trigger": "hand"'):
        asked.ask({"trigger": "hand"})


def test_who_comes_while_another_decides_waits_and_what_nobody_asks_again_comes_back(asked: Asked) -> None:
    asked.cut("new")
    asked.world.claims().take(Taking(claim=claims.retrain("flights"), owner="x", lease_seconds=60), wiring.now())
    found = asked.alarm(DRIFT)
    assert (found["decision"], found["until"]) == ("wait", "2026-11-21T12:01:00Z")
    for event in (asked.schedule, asked.announced):
        with pytest.raises(NotReady):
            event()
    asked.world.pass_time(61)
    assert asked.schedule()["decision"] == "start"


def test_a_version_that_nobody_expected_starts_nothing_here(asked: Asked) -> None:
    asked.rules(LEARNING)
    assert asked.announced()["decision"] == "wait"
    assert asked.runs() == []
