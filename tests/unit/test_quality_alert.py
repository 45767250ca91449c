"""A loss of quality is an alert only when it is certain, larger than allowed, and lasts."""

import random
from dataclasses import replace
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.drift_alert import AlertState, judge
from lifecycle.monitoring import Monitoring
from lifecycle.quality_alert import QualityVerdict, judge_quality
from lifecycle.reference import Reference, category_reference
from lifecycle.tally import Tally

AT_ONCE, RULES = Monitoring(confirm=1, clear=1), Monitoring()
HOUR = "2026-01-01T{:02}:00:00Z"


def measured(value: float, wide: float = 0.02, rows: int = 1000, metric: str = "log_loss") -> dict[str, object]:
    return {"metric": metric, "value": value, "low": value - wide, "high": value + wide, "rows": rows}


def reference(quality: dict[str, object]) -> Reference:
    return Reference(rows=9, columns={}, scores=category_reference({"no": 9}, 0), quality=quality)


def verdict(before: float, now: float, rules: Monitoring = AT_ONCE, metric: str = "log_loss") -> QualityVerdict:
    against = reference(measured(before, metric=metric))
    return judge_quality(against, measured(now, metric=metric), rules, AlertState(), until=HOUR.format(0))


@pytest.mark.parametrize(
    ("metric", "before", "now", "confirmed"),
    [
        ("log_loss", 0.4, 0.5, True),
        ("log_loss", 0.4, 0.42, False),
        ("log_loss", 0.5, 0.4, False),
        ("money_score", 0.5, 0.4, True),
        ("money_score", 0.4, 0.5, False),
        ("rmse_error", 10.0, 12.0, True),
    ],
)
def test_what_is_lost_is_told_in_the_direction_of_the_metric(
    metric: str, before: float, now: float, confirmed: bool
) -> None:
    found = verdict(before, now, metric=metric)
    assert found.worse == pytest.approx(abs(now - before) if metric != "money_score" else before - now) or now < before
    assert found.confirmed is confirmed
    assert (found.drop > 0) is confirmed
    assert found.certain <= max(0.0, found.worse)


def test_a_loss_that_the_owner_allows_is_none() -> None:
    assert verdict(0.4, 0.5, replace(AT_ONCE, max_quality_drop=0.05)).confirmed
    found = verdict(0.4, 0.5, replace(AT_ONCE, max_quality_drop=0.07))
    assert found.certain > 0
    assert (found.confirmed, found.drop) == (False, 0.0)


def test_windows_of_unchanged_quality_seldom_alarm() -> None:
    draw, alarms, windows = random.Random(4), 0, 2000
    rules = replace(AT_ONCE, false_alarms=0.05)
    for _ in range(windows):
        mean, of_holdout = (draw.gauss(0.4, 0.5 / sqrt(rows)) for rows in (300, 4000))
        against = reference(measured(of_holdout, 1.96 * 0.5 / sqrt(4000)))
        now = measured(mean, 1.96 * 0.5 / sqrt(300), 300)
        alarms += judge_quality(against, now, rules, AlertState(), until="").confirmed
    assert 0.035 * windows < alarms < 0.065 * windows


def test_windows_that_swing_anyway_are_no_loss() -> None:
    swinging = reference(measured(0.4) | {"swing": 0.06})
    for value, confirmed in ((0.5, False), (0.6, True)):
        found = judge_quality(swinging, measured(value), AT_ONCE, AlertState(), until="")
        assert found.confirmed is confirmed
        assert verdict(0.4, value).confirmed


def test_a_drop_waits_for_confirmation_and_stays_until_it_is_cleared() -> None:
    against, state, seen = reference(measured(0.4)), AlertState(), []
    for hour, value in enumerate([0.5, 0.5, 0.41, 0.6, 0.4, 0.4]):
        found = judge_quality(against, measured(value), RULES, state, until=HOUR.format(hour))
        assert found == judge_quality(against, measured(value), RULES, found.state, until=HOUR.format(hour))
        state = AlertState.from_plain(found.state.to_plain())
        seen.append(round(found.drop, 2))
    assert seen == [0, 0.07, 0.07, 0.17, 0.17, 0]


def test_few_labels_are_not_judged_and_leave_the_alert_as_it_is() -> None:
    on = verdict(0.4, 0.5)
    against = reference(measured(0.4))
    found = judge_quality(against, measured(0.4, rows=199), AT_ONCE, on.state, until=HOUR.format(1))
    assert not found.judged
    assert "199 labelled rows, 200 are needed" in found.reason
    assert (found.confirmed, found.drop) == (True, on.drop)


def test_drift_and_quality_of_one_window_share_a_state_without_counting_twice() -> None:
    against, state = reference(measured(0.4)), AlertState()
    for hour in range(2):
        drift = judge(against, Tally.empty(against), replace(RULES, min_rows=0), state, until=HOUR.format(hour))
        found = judge_quality(against, measured(0.5), RULES, drift.state, until=HOUR.format(hour))
        state = found.state
        assert found.confirmed is (hour == 1)


def test_two_metrics_are_not_compared() -> None:
    with pytest.raises(ValueError, match="brier_loss cannot be held against log_loss"):
        judge_quality(reference(measured(0.4)), measured(0.4, metric="brier_loss"), RULES, AlertState(), until="")


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_loss_is_never_less_certain(before: float, now: float, more: float) -> None:
    assert verdict(before, now).certain <= verdict(before, now + more).certain + 1e-12
