"""How an alarm's state follows from data points: the tables of the CloudWatch user guide, and what must always hold."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.cloudwatch.alarm_rules import (
    ALARM,
    INSUFFICIENT_DATA,
    OK,
    TREATMENTS,
    Settings,
    following,
    judge,
    reason,
    reason_data,
)
from local.cloudwatch.metrics import Metric

SETTINGS = Settings(
    name="a",
    description="",
    metric=Metric("N", "M"),
    statistic="Sum",
    period=60,
    periods=3,
    points=3,
    threshold=0.0,
    comparison="GreaterThanThreshold",
    missing="missing",
)
KEPT = "kept"


def points(drawn: str) -> list[float | None]:
    """The guide draws them oldest first: 0 within the threshold, X breaching, - missing."""
    return [{"0": 0.0, "X": 1.0, "-": None}[letter] for letter in reversed(drawn)]


@pytest.mark.parametrize(
    ("to_alarm", "drawn", "missing", "ignore", "not_breaching"),
    [
        (3, "0-X-X", OK, OK, OK),
        (3, "0----", OK, OK, OK),
        (3, "-----", INSUFFICIENT_DATA, KEPT, OK),
        (3, "0XX-X", ALARM, ALARM, ALARM),
        (3, "--X--", ALARM, KEPT, OK),
        (2, "0-X-X", ALARM, ALARM, ALARM),
        (2, "00X0X", ALARM, ALARM, ALARM),
        (2, "0-X--", OK, OK, OK),
        (2, "----0", OK, OK, OK),
        (2, "---X-", ALARM, KEPT, OK),
        # "the alarm does not go immediately into ALARM": the next data point may be a good one
        (3, "----X", KEPT, KEPT, OK),
        (3, "---X-", KEPT, KEPT, OK),
    ],
)
def test_missing_data_is_treated_as_the_guide_shows(
    to_alarm: int, drawn: str, missing: str, ignore: str, not_breaching: str
) -> None:
    expected = {"missing": missing, "ignore": ignore, "notBreaching": not_breaching}
    for treatment, state in expected.items():
        settings = replace(SETTINGS, points=to_alarm, missing=treatment)
        assert judge(settings, points(drawn), KEPT) == state, treatment


@pytest.mark.parametrize(
    ("comparison", "at_threshold"),
    [
        ("GreaterThanOrEqualToThreshold", ALARM),
        ("GreaterThanThreshold", OK),
    ],
)
def test_a_value_at_the_threshold_is_what_the_operator_says(comparison: str, at_threshold: str) -> None:
    settings = replace(SETTINGS, comparison=comparison, threshold=5.0)
    assert judge(settings, [5.0] * 5, OK) == at_threshold


@given(
    drawn=st.lists(st.none() | st.sampled_from([0.0, 1.0]), min_size=5, max_size=5),
    to_alarm=st.integers(1, 3),
    treatment=st.sampled_from(TREATMENTS),
    state=st.sampled_from([OK, ALARM, INSUFFICIENT_DATA]),
)
def test_a_state_is_final_until_the_data_changes(
    drawn: list[float | None], to_alarm: int, treatment: str, state: str
) -> None:
    settings = replace(SETTINGS, points=to_alarm, missing=treatment)
    once = judge(settings, drawn, state)
    assert judge(settings, drawn, once) == once
    assert once in (OK, ALARM, INSUFFICIENT_DATA)


def test_the_reason_names_the_data_points_that_decided() -> None:
    drawn = points("--X0X")
    said = reason(replace(SETTINGS, periods=1, points=1), drawn, 1_570_000_200, (OK, ALARM))
    assert said == (
        "Threshold Crossed: 1 out of the last 1 datapoints [1.0 (02/10/19 07:09:00)] was greater than the threshold "
        "(0.0) (minimum 1 datapoint(s) for OK -> ALARM transition)."
    )
    told = json.loads(reason_data(SETTINGS, drawn, 1_570_000_200))
    assert told["recentDatapoints"] == [1.0, 0.0, 1.0]
    assert told["startDate"] == "2019-10-02T07:07:00.000+0000"
    assert "were unknown" in reason(SETTINGS, [None] * 5, 0, (OK, INSUFFICIENT_DATA))
    assert "[NonBreaching]" in reason(replace(SETTINGS, missing="notBreaching"), [None] * 5, 0, (INSUFFICIENT_DATA, OK))


@given(
    st.sampled_from([60, 300, 3600]),
    st.integers(1, 3),
    st.lists(st.integers(-30, 5).map(lambda n: 6000 + n * 60), max_size=5),
)
def test_between_two_evaluations_no_value_counts_for_another_period(
    period: int, periods: int, minutes: list[int]
) -> None:
    settings = replace(SETTINGS, period=period, periods=periods, points=periods)

    def counts(at: int) -> list[int]:
        """For which of the periods before `at`, the youngest first, each minute counts; 0 for none."""
        spans = [(age, at - age * period, at - (age - 1) * period) for age in range(1, settings.range + 1)]
        return [next((age for age, start, end in spans if start <= minute < end), 0) for minute in minutes]

    at = 6000
    due = following(settings, minutes, at)
    last = at + (settings.range + 2) * period + 600
    for minute in range(at + 60, last if math.isinf(due) else int(due), 60):
        assert counts(minute) == counts(at)
    if not math.isinf(due):
        assert due > at
        assert due % 60 == 0
        assert counts(int(due)) != counts(at)


def test_an_alarm_whose_values_are_all_too_old_is_evaluated_no_more() -> None:
    assert following(SETTINGS, [0], 6000) == math.inf
