"""Engine time: fast while nothing works, and exact for whoever waits or works, however fast it runs."""

import threading
import time
from collections.abc import Iterator

import pytest

from local.clock import Clock

FAST = 5000.0


@pytest.fixture
def clock() -> Iterator[Clock]:
    made = Clock(FAST)
    made.start()
    yield made
    made.stop()


def passed(clock: Clock, machine_seconds: float) -> float:
    """Engine seconds that pass meanwhile."""
    before, until = clock.now(), time.perf_counter() + machine_seconds
    threading.Event().wait(until - time.perf_counter())
    return clock.now() - before


def test_idle_time_runs_fast(clock: Clock) -> None:
    assert passed(clock, 0.2) > 100


def test_time_runs_as_the_machines_while_somebody_works(clock: Clock) -> None:
    with clock.hold(), clock.hold():
        assert passed(clock, 0.2) < 1
    assert passed(clock, 0.2) > 100


def test_time_stops_running_fast_at_the_moment_that_somebody_waits_for(clock: Clock) -> None:
    with clock.hold(clock.now() + 1000) as hold:
        assert 1000 <= passed(clock, 0.5) < 1001
        hold.release()
        assert passed(clock, 0.2) > 100


def test_a_sleeper_wakes_on_time_and_finds_the_clock_where_it_belongs(clock: Clock) -> None:
    began = clock.now()
    for seconds in (100, 250, 7):
        assert not clock.sleep(seconds)
    assert 357 <= clock.now() - began < 400  # between two sleeps nobody holds the clock


def test_a_worker_who_waits_loses_no_time_in_between(clock: Clock) -> None:
    with clock.hold() as hold:
        began = clock.now()
        for seconds in (100, 250, 7):
            clock.sleep(seconds, hold=hold)
        assert 357 <= clock.now() - began < 358


def test_time_does_not_run_past_what_it_was_told_to_heed(clock: Clock) -> None:
    due = clock.now() + 300
    clock.heed(lambda: due)
    assert 300 <= passed(clock, 0.3) < 301


def test_a_sleeper_can_be_woken(clock: Clock) -> None:
    stop = threading.Event()
    threading.Timer(0.05, stop.set).start()
    assert clock.sleep(1e9, stop)


def test_at_the_machines_speed_nothing_is_moved() -> None:
    clock = Clock()
    clock.start()
    try:
        assert passed(clock, 0.1) < 1
        clock.set_idle_speed(FAST)
        assert passed(clock, 0.2) > 100
    finally:
        clock.stop()


@pytest.fixture
def slow() -> Iterator[Clock]:
    """A clock whose idle time passes as the machine's does, begun in another year."""
    made = Clock(begin=1_356_998_400.0)
    made.start()
    yield made
    made.stop()


def test_a_clock_can_begin_at_another_time(slow: Clock) -> None:
    assert slow.now() == pytest.approx(1_356_998_400, abs=5)
    assert time.time() == pytest.approx(slow.now(), abs=1)  # every library of the process sees it


def test_idle_time_is_passed_over_up_to_a_named_moment_and_not_beyond(slow: Clock) -> None:
    moment = slow.now() + 30 * 86_400
    assert slow.reach(moment, 5)
    assert passed(slow, 0.1) < 1
    assert moment <= slow.now() < moment + 2


def test_a_moment_that_has_passed_is_reached_at_once(slow: Clock) -> None:
    now = slow.now()
    assert slow.reach(now - 1000, 0)
    assert slow.now() - now < 1


def test_a_named_moment_is_not_reached_while_somebody_works(slow: Clock) -> None:
    moment = slow.now() + 86_400
    with slow.hold():
        assert not slow.reach(moment, 0.1)
        assert slow.now() < moment - 86_000
    assert slow.reach(moment, 5)


def test_on_the_way_to_a_named_moment_sleepers_wake_on_time(slow: Clock) -> None:
    began, woken = slow.now(), []

    def sleep() -> None:
        with slow.hold() as hold:
            for seconds in (3_600, 7_200):
                slow.sleep(seconds, hold=hold)
                woken.append(slow.now() - began)

    thread = threading.Thread(target=sleep)
    thread.start()
    assert slow.reach(began + 86_400, 5)
    thread.join()
    assert woken == [pytest.approx(3_600, abs=2), pytest.approx(10_800, abs=2)]
