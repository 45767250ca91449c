"""Rules that time triggers: when they fire, what their targets get, and that they follow their changes."""

import json
from collections.abc import Iterator

import pytest

from local.schedules import Schedules, interval
from tests.local.core_world import FUNCTION, REGION, World, eventually, world

HOUR = 3_600


@pytest.fixture
def engine() -> Iterator[World]:
    with world() as made:
        schedules = Schedules(made.bus, made.clock, REGION)
        made.dispatch.observe("events", schedules)
        made.clock.start()
        yield made
        schedules.stop()


def hourly(engine: World, expression: str = "rate(1 hour)", **target: str) -> None:
    events = engine.client("events")
    events.put_rule(Name="hourly", ScheduleExpression=expression)
    events.put_targets(Rule="hourly", Targets=[{"Id": "1", "Arn": FUNCTION, **target}])


def test_the_first_event_comes_one_interval_after_the_rule_and_says_what_it_is(engine: World) -> None:
    began = engine.clock.now()
    hourly(engine)
    assert engine.recorder.invoked == []
    engine.clock.set_idle_speed(50_000)
    payload = eventually(lambda: engine.recorder.invoked, "invocation")[0]["Payload"]
    event = json.loads(payload)
    assert (event["source"], event["detail-type"], event["detail"]) == ("aws.events", "Scheduled Event", {})
    assert event["resources"][0].endswith(":rule/hourly")
    assert engine.clock.now() - began >= HOUR


def test_every_hour_fires_once_however_fast_idle_time_passes(engine: World) -> None:
    hourly(engine, Input='{"by": "schedule"}')
    began = engine.clock.now()
    engine.clock.set_idle_speed(10_000)  # slow enough for a busy machine to look at the clock within the hour
    eventually(lambda: len(engine.recorder.invoked) >= 5 or None, "five invocations")
    engine.clock.set_idle_speed(1)
    hours = int((engine.clock.now() - began) / HOUR)
    eventually(lambda: len(engine.recorder.invoked) >= hours or None, "an invocation an hour")  # one may be on its way
    assert len(engine.recorder.invoked) - hours in (0, 1)
    assert json.loads(engine.recorder.invoked[0]["Payload"]) == {"by": "schedule"}


def test_a_deleted_rule_fires_no_more_and_a_changed_one_by_its_new_rate(engine: World) -> None:
    hourly(engine)
    hourly(engine, "rate(10 days)")
    engine.clock.set_idle_speed(1_000_000)
    began = engine.clock.now()
    eventually(lambda: engine.recorder.invoked, "invocation")
    assert engine.clock.now() - began >= 9 * 86_400
    events = engine.client("events")
    events.remove_targets(Rule="hourly", Ids=["1"])
    events.delete_rule(Name="hourly")
    many = len(engine.recorder.invoked)
    began = engine.clock.now()
    eventually(lambda: engine.clock.now() > began + 30 * 86_400 or None, "a month")
    assert len(engine.recorder.invoked) <= many + 1


@pytest.mark.parametrize("expression", ["cron(0 1 * * ? *)", "rate(1 hours)", "rate(0 hours)", "rate(2 day)", ""])
def test_what_is_no_rate_is_refused_by_name(expression: str) -> None:
    with pytest.raises(ValueError, match="the laptop engine knows rate"):
        interval(expression)
