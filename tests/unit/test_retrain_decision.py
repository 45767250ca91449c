"""When a new run starts by itself, when it waits and until when, and when it is left."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle import names
from lifecycle.retrain_decision import NO, START, WAIT, Known, Past, Trigger, decide, month_of, past_of
from lifecycle.retrain_memory import Memory, Order, Pending
from lifecycle.retraining import Retraining

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
HOUR, DAY = 3600.0, 86_400.0
RULES = Retraining()
LEARNING = Retraining(learn_from_feedback=True)


def known(**changes: object) -> Known:
    made = Known(
        now=NOW,
        trigger=Trigger.LOOK,
        alerts=frozenset({names.ALERT_DRIFT}),
        version="new",
        spec_id="spec",
        runs=(),
        starts=(),
        busy=None,
        fresh=None,
        look_seconds=HOUR,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def run(number: int, status: str = "succeeded", **changes: object) -> Past:
    made = Past(
        run_id=f"r{number}",
        trigger="upload",
        started=NOW - 40 * DAY + number * DAY,
        ended=NOW - 40 * DAY + number * DAY + 600,
        status=status,
        version="old",
        spec_id="spec",
        approved=True,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("alert", [names.ALERT_DRIFT, names.ALERT_SCORES, names.ALERT_QUALITY])
def test_an_alert_starts_a_run_and_is_its_reason(alert: str) -> None:
    found = decide(known(alerts=frozenset({alert})), RULES)
    assert found.what == START
    assert alert in found.reason


def test_nothing_starts_without_an_alert_that_calls_for_it() -> None:
    assert decide(known(alerts=frozenset()), RULES).what == NO
    assert decide(known(alerts=frozenset({names.ALERT_STALE})), RULES).what == NO
    assert decide(known(), Retraining(on_alarm=False)).what == NO


def test_the_schedule_and_people_need_no_alert() -> None:
    for trigger in (Trigger.SCHEDULE, Trigger.HAND):
        assert decide(known(trigger=trigger, alerts=frozenset()), Retraining(on_alarm=False)).what == START


def test_within_the_cooldown_a_run_waits_until_it_ends_and_then_starts() -> None:
    waiting = decide(known(starts=(NOW - 10 * HOUR,)), RULES)
    assert (waiting.what, waiting.until) == (WAIT, NOW + 14 * HOUR)
    assert decide(known(now=waiting.until, starts=(NOW - 10 * HOUR,)), RULES).what == START
    assert decide(known(trigger=Trigger.HAND, starts=(NOW - 10 * HOUR,)), RULES).what == START


def test_a_run_or_a_rollout_that_is_under_way_is_waited_for_by_people_too() -> None:
    for trigger in Trigger:
        found = decide(known(trigger=trigger, busy="a deployment"), RULES)
        assert (found.what, found.until) == (WAIT, NOW + HOUR)
        assert "a deployment is under way" in found.reason


def test_the_same_data_are_not_learned_again_until_they_change() -> None:
    rejected = run(39, version="new", approved=False)
    found = decide(known(runs=(rejected,)), RULES)
    assert found.what == NO
    assert "r39" in found.reason
    assert "not good enough" in found.reason
    assert decide(known(runs=(rejected,), version="newer"), RULES).what == START
    assert decide(known(runs=(rejected,), spec_id="changed"), RULES).what == START
    assert decide(known(runs=(rejected,), trigger=Trigger.HAND), RULES).what == START


def test_new_labels_make_the_same_data_worth_a_run() -> None:
    done = run(39, version="new", approved=False)
    few = decide(known(runs=(done,), fresh=150), LEARNING)
    assert (few.what, few.until) == (WAIT, NOW + HOUR)
    assert "150 of 200 new labels" in few.reason
    assert decide(known(runs=(done,), fresh=200), LEARNING).what == START


def test_three_failures_in_a_row_end_it_until_something_changes() -> None:
    failed = tuple(run(number, "failed", version="new", approved=None) for number in (36, 37, 38))
    found = decide(known(runs=failed), RULES)
    assert found.what == NO
    assert "the last 3 runs failed" in found.reason
    assert decide(known(runs=failed[:2]), RULES).what == START
    assert decide(known(runs=failed, version="newer"), RULES).what == START
    assert decide(known(runs=failed, trigger=Trigger.HAND), RULES).what == START
    assert decide(known(runs=(*failed, run(39))), RULES).what == START
    assert decide(known(runs=failed, spec_id="changed"), RULES).what == START
    each_on_more = tuple(replace(one, version=one.run_id) for one in failed)
    assert decide(known(runs=each_on_more, version="r38"), RULES).what == NO, "feedback changes the data every day"
    assert decide(known(runs=each_on_more, version="an upload"), RULES).what == START


def test_a_month_has_a_budget_of_runs_and_of_minutes() -> None:
    next_month = datetime(2026, 12, 1, tzinfo=UTC).timestamp()
    few = Retraining(runs_per_month=2, cooldown_hours=1)
    starts = (NOW - 3 * DAY, NOW - 2 * DAY)
    found = decide(known(starts=starts), few)
    assert (found.what, found.until) == (WAIT, next_month)
    assert decide(known(starts=starts, now=next_month), few).what == START
    assert decide(known(starts=(NOW - 30 * DAY, NOW - 2 * DAY)), few).what == START, "October does not count"
    assert decide(known(starts=starts, trigger=Trigger.HAND), few).what == WAIT
    assert decide(known(starts=starts, trigger=Trigger.HAND, over_budget=True), few).what == START

    mine = run(39, trigger="alarm", ended=NOW - 40 * DAY + 39 * DAY + 3600)
    minutes = Retraining(instance_minutes_per_month=200)
    assert mine.minutes == 120.0
    found = decide(known(runs=(mine,)), minutes)
    assert (found.what, found.until) == (WAIT, next_month)
    assert "120 instance minutes" in found.reason
    uploaded = replace(mine, trigger="upload")
    assert decide(known(runs=(uploaded,)), minutes).what == START, "runs that uploads start have no budget"


def test_without_any_data_there_is_nothing_to_learn() -> None:
    assert decide(known(version=None), RULES).what == NO
    assert decide(known(version=None, fresh=500), LEARNING).what == START


hours = st.floats(0, 60 * 24, allow_nan=False)


@given(st.lists(hours, min_size=1, max_size=400).map(sorted), st.floats(1, 100), st.integers(1, 20))
def test_however_often_it_is_asked_runs_keep_their_distance_and_their_budget(
    asked: list[float], cooldown: float, most: int
) -> None:
    rules = Retraining(cooldown_hours=cooldown, runs_per_month=most)
    starts: list[float] = []
    for hour in asked:
        now = NOW + hour * HOUR
        found = decide(known(now=now, version=f"v{hour}", starts=tuple(starts)), rules)
        if found.what == START:
            starts.append(now)
        else:
            assert found.until is not None
            assert found.until > now
    assert all(two - one >= cooldown * HOUR - 1e-3 for one, two in pairwise(starts))
    for start in starts:
        begin, end = month_of(start)
        assert sum(begin <= one < end for one in starts) <= most


@given(st.sampled_from(list(Trigger)), st.booleans(), st.integers(0, 500), hours)
def test_every_wait_names_its_time_and_asking_then_waits_for_that_no_more(
    trigger: Trigger, busy: bool, fresh: int, ago: float
) -> None:
    asked = known(
        trigger=trigger, busy="a run" if busy else None, fresh=fresh, starts=(NOW - ago * HOUR,),
        runs=(run(39, version="new"),),
    )  # fmt: skip
    found = decide(asked, LEARNING)
    assert found.reason
    if found.what == WAIT:
        assert found.until is not None
        assert found.until > NOW
        later = decide(replace(asked, now=found.until, busy=None, fresh=LEARNING.min_new_labels), LEARNING)
        assert later.what == START or later.rule != found.rule


def test_a_record_is_read_as_what_it_was() -> None:
    record = {
        "run_id": "r", "started_at": "2026-11-21T10:00:00Z", "ended_at": "2026-11-21T10:10:00Z", "status": "succeeded",
        "version": "v", "spec_id": "s", "registration": {"passed": False},
    }  # fmt: skip
    found = past_of(record)
    assert (found.trigger, found.minutes, found.approved) == ("upload", 20.0, False)
    assert past_of({**record, "ended_at": None, "trigger": "alarm"}).ended is None


def test_memory_survives_being_written() -> None:
    order = Order(name="retrain-1", detail={"version": "v"})
    pending = Pending(at=NOW, reason="drift", trigger="alarm", version="v", by="ann", uploaded=True)
    owing = Memory(starts=(NOW,), owed=True)
    for memory in (Memory(), owing, Memory().starting(NOW, order=order), Memory().starting(NOW, pending=pending)):
        assert Memory.from_plain(memory.to_plain()) == memory
    assert Memory.from_plain(None) == Memory()
    old = Memory(starts=(NOW - 90 * DAY, NOW - 5 * DAY)).starting(NOW)
    assert old.starts == (NOW - 5 * DAY, NOW)
    assert not pending.is_due(NOW + 2 * DAY)
    assert owing.starting(NOW).owed is False, "whatever starts is what the schedule asked for"


def test_the_run_that_harvested_rows_led_to_is_known_by_its_trigger_and_time() -> None:
    pending = Pending(at=NOW + 0.7, reason="drift", trigger="alarm")
    assert pending.led_to(run(1, trigger="alarm", started=NOW)), "records may leave out fractions of a second"
    assert not pending.led_to(run(1, trigger="alarm", started=NOW - 1))
    assert not pending.led_to(run(1, trigger="upload", started=NOW + 60))
