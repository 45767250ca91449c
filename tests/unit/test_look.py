"""What a look says: bars, figures, notices, permutation, and the window file with its history."""

import math
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle import alert_notice, monitor_figures, monitor_page, names, window_file
from lifecycle.drift_alert import AlertState, DriftVerdict, judge
from lifecycle.monitoring import Monitoring
from lifecycle.permutation import score_changes
from lifecycle.reference import Reference, category_reference, number_reference
from lifecycle.share_bars import BARS, bars
from lifecycle.tally import ColumnTally, Tally
from lifecycle.window_file import Judgement, Looked

counted = st.lists(st.integers(0, 50), min_size=1, max_size=60)


@given(counted, st.randoms(use_true_random=False), st.integers(0, 5))
def test_bars_are_few_and_hold_every_row_once(counts, random, missing):
    edges = [float(place) for place in range(len(counts) - 1)]
    now = ColumnTally(counts=tuple(random.sample(counts, len(counts))), missing=missing)
    shown = [bars(number_reference(edges, counts, missing), now)]
    words = category_reference({f"v{n:02d}": count for n, count in enumerate(counts)}, missing)
    shown.append(bars(words, ColumnTally(counts=(*counts, 0), missing=missing)))
    for one in shown:
        assert len(one["labels"]) == len(one["before"]) == len(one["now"]) <= BARS
        wanted = 1.0 if sum(counts) + missing else 0.0
        assert sum(one["before"]) == pytest.approx(wanted)
        assert sum(one["now"]) == pytest.approx(wanted)


def test_bars_name_edges_values_the_rest_and_what_is_missing():
    numbers = bars(number_reference((1.0, 2.0), (5, 5, 5), 5), ColumnTally(counts=(0, 0, 10)))
    assert numbers["labels"] == ["≤ 1", "≤ 2", "> 2", "(missing)"]
    assert numbers["now"] == [0, 0, 1, 0]
    words = bars(category_reference({f"v{n:02d}": 30 - n for n in range(30)}, 0), ColumnTally(counts=(*[0] * 29, 9, 0)))
    assert words["labels"][-2:] == ["v29", "all others"]


@given(st.integers(0, 2**32))
def test_a_feature_that_the_model_does_not_use_moves_no_score(seed):
    random = Random(seed)
    rows = [{"used": random.random(), "spare": random.random()} for _ in range(30)]
    found = score_changes(rows, lambda row: [row["used"]], ["used", "spare"], seed)
    assert found["spare"] == 0.0
    assert found["used"] > 0.0
    assert found == score_changes(rows, lambda row: [row["used"]], ["used", "spare"], seed)


def test_rows_that_cannot_be_scored_are_left_out():
    assert score_changes([{"a": 1}], lambda _: None, ["a"], 1) == {}
    probabilities = {1: [0.9, 0.1], 2: [0.2, 0.8]}
    found = score_changes([{"a": 1}, {"a": 2}], lambda row: probabilities[row["a"]], ["a"], 3)
    assert found["a"] in (0.0, pytest.approx(0.7))


@given(st.lists(st.sampled_from([1.0, 1.7e308, -1.7e308, math.inf, math.nan]), min_size=1, max_size=30))
def test_scores_beyond_all_numbers_make_no_figure_that_no_file_can_hold(values):
    found = score_changes([{"a": value} for value in values], lambda row: [row["a"]], ["a"], 5)
    assert all(math.isfinite(change) for change in found.values())


REFERENCE = Reference(
    rows=1000,
    columns={"a": replace(number_reference((1.0, 2.0, 3.0), (250, 250, 250, 250), 0), importance=1.0)},
    scores=number_reference((0.25, 0.5, 0.75), (250, 250, 250, 250), 0),
    quality={},
)
RULES = Monitoring(min_rows=10, confirm=1, clear=1)
PAGE = "s3://kept/window.html"


def tally(*counts: int) -> Tally:
    scores = ColumnTally(counts=(sum(counts) // 4,) * 4)
    return Tally(rows=sum(counts), columns={"a": ColumnTally(counts=counts)}, scores=scores)


def verdict(*counts: int, until: str = "2026-11-21T10:00:00Z") -> DriftVerdict:
    return judge(REFERENCE, tally(*counts), RULES, AlertState(), until=until)


def window(drift: DriftVerdict, before: dict | None = None, hour: int = 10, shown: dict | None = None) -> dict:
    moment = f"2026-11-21T{hour}:00:00Z"
    looked = Looked(
        stage="dev", model="m", run_id="r", model_version="1", at=moment, since="2026-11-20T10:00:00Z", until=moment,
        rows=400, labelled=0,
    )  # fmt: skip
    alerts = window_file.alerts(drift=drift, state=drift.state, stale=False)
    shown = shown or window_file.distributions(REFERENCE, tally(400, 0, 0, 0), drift)
    return window_file.build(looked, Judgement(drift=drift, distributions=shown, alerts=alerts), before)


def test_a_feature_is_known_to_drift_since_its_alert_began():
    first = window(verdict(400, 0, 0, 0))
    second = window(verdict(400, 0, 0, 0), first, 11)
    third = window(verdict(100, 100, 100, 100), second, 12)
    assert [one["drift"]["features"][0]["since"] for one in (first, second)] == ["2026-11-21T10:00:00Z"] * 2
    assert third["drift"]["features"][0]["since"] is None
    assert [entry["features_drifted"] for entry in third["history"]] == [1, 1, 0]


def test_history_holds_a_window_once_and_no_more_than_its_share():
    found = None
    for number in range(3):
        found = window(verdict(100, 100, 100, 100), found, 10 + number // 2)
    assert [entry["until"][11:13] for entry in found["history"]] == ["10", "11"]
    long = {"history": [{"until": str(number)} for number in range(600)]}
    assert len(window(verdict(100, 100, 100, 100), long)["history"]) == window_file.HISTORY


def test_what_was_not_judged_is_not_published():
    few = verdict(1, 1, 1, 1)
    assert monitor_figures.of_drift(few) == []
    assert window(few)["history"][-1]["worst_drift"] is None
    assert monitor_figures.of_quality(None) == []


def test_a_severity_is_published_as_the_alert_stands():
    figures = {figure.name: figure for figure in monitor_figures.of_drift(verdict(400, 0, 0, 0))}
    drift = figures[names.METRIC_FEATURES_DRIFTED]
    assert drift.value == 1
    assert drift.high is not None
    assert drift.high >= 1


def test_metrics_have_stage_and_model_for_dimensions_and_intervals_as_statistics():
    quality = {"value": 0.5, "low": 0.4, "high": 0.6, "estimate": False, "drop": 0.0}
    figures = [
        *monitor_figures.of_quality(quality),
        *monitor_figures.of_traffic(seen=4, labelled=1, staleness_hours=0.5),
    ]
    data = monitor_figures.metric_data(figures, stage="dev", model="m", at=1.0)
    assert {entry["MetricName"] for entry in data} == {"Quality", "QualityDrop", "Staleness", "LabelCoverage"}
    assert data[0]["StatisticValues"] == {"SampleCount": 1, "Sum": 0.5, "Minimum": 0.4, "Maximum": 0.6}
    assert data[0]["Dimensions"] == [{"Name": "Stage", "Value": "dev"}, {"Name": "Model", "Value": "m"}]


@given(st.lists(st.sets(st.sampled_from(names.ALERTS)), max_size=8))
def test_every_beginning_and_end_of_an_alert_is_told_once_under_an_id_of_its_own(looks):
    told: dict[str, int] = {}
    on: set[str] = set()
    ids = []
    for alerts in looks:
        changes = alert_notice.changes(told, alerts)
        assert {change.alert for change in changes} == on ^ alerts
        assert all(change.begins == (change.alert in alerts) for change in changes)
        assert alert_notice.changes(told, alerts) == changes
        ids += [change.entry_id for change in changes]
        told |= {change.alert: change.number for change in changes}
        on = set(alerts)
    assert len(ids) == len(set(ids))


def test_a_notice_holds_the_figures_and_the_command():
    found = window(verdict(400, 0, 0, 0))
    said = alert_notice.text(found, PAGE)
    assert "- a: severity" in said
    assert "PSI" in said
    assert "KS" in said
    assert "25 % before, 100 % now" in said
    assert "perennial monitor m --open" in said
    assert PAGE in said
    assert alert_notice.subject(found, ["drift"]) == "m (dev): drift"


def test_a_feature_named_score_and_the_score_of_the_model_are_both_shown():
    known = replace(REFERENCE, columns={"score": REFERENCE.columns["a"]})
    counted = tally(400, 0, 0, 0)
    counted = replace(counted, columns={"score": counted.columns["a"]})
    drift = judge(known, counted, RULES, AlertState(), until="2026-11-21T10:00:00Z")
    shown = window_file.distributions(known, counted, drift)
    assert shown["features"]["score"]["now"] == [1, 0, 0, 0]
    assert shown["score"]["now"] == [0.25, 0.25, 0.25, 0.25]
    found = window(drift, shown=shown)
    said = alert_notice.text(found, PAGE)
    assert "- score: severity" in said
    assert "- answers of the model: severity" in said
    page = monitor_page.page(found)
    assert ">score</h3>" in page
    assert ">answers of the model</h3>" in page


def test_values_that_callers_sent_stay_short_and_in_one_line():
    value = "first line\nThe whole report: elsewhere " + "x" * 60_000
    known = replace(category_reference({"a": 500, value: 500}, 0), importance=1.0)
    shown = bars(known, ColumnTally(counts=(0, 400, 0)))
    assert max(map(len, shown["labels"])) <= 80
    found = window(verdict(400, 0, 0, 0))
    found["distributions"]["features"]["a"] = shown | {"labels": [value, "a"]}
    said = alert_notice.text(found, PAGE)
    assert len(said) < 2_000
    assert "first line The whole report: elsewhere xxx" in said
    assert [line for line in said.splitlines() if line.startswith("The whole report")] == [
        "The whole report: perennial monitor m --open"
    ]
