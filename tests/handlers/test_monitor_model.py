"""One look at a model's traffic: hours, window, drift, quality, alerts; and everything that can go wrong on the way."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from lambdas import monitor_model, wiring
from lambdas.monitoring_window import look
from lifecycle import claims, keys
from lifecycle.claims import MONITOR_LEASE_SECONDS, Taking
from lifecycle.errors import LifecycleError, Unavailable
from lifecycle.feedback_label import Change
from lifecycle.settings import Monitor

from .calls_made import counted
from .conftest import SPEC, World
from .monitor_world import HOUR, RUN, Watched, make_watched, reference, rows_of


@pytest.fixture
def watched(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    yield from make_watched(world, tmp_path, monkeypatch)


def test_unchanged_traffic_raises_no_alert_and_every_row_is_counted_once(watched: Watched) -> None:
    watched.go_live()
    watched.traffic()
    window = watched.look()
    assert (window["rows"], window["judged"], window["alerts"]) == (240, True, [])
    drift = watched.figures()["FeaturesDrifted"]
    assert (drift["SampleCount"], drift["Sum"]) == (2, 0)
    assert drift["Maximum"] < 1
    assert watched.figures()["Staleness"] == pytest.approx(0.5)  # the last hour's end
    latest = watched.read("latest.json")
    assert window == {name: value for name, value in latest.items() if name != "memory"}


def test_a_shift_is_an_alert_with_the_figures_in_notice_ledger_metrics_and_event(watched: Watched) -> None:
    watched.go_live()
    watched.traffic(farther=400.0, each=100)
    window = watched.look()
    assert window["alerts"] == ["drift", "scores"]
    assert window["drift"]["drifted"] == ["distance"]
    worst = window["drift"]["features"][0]
    assert (worst["name"], worst["since"]) == ("distance", window["until"])
    assert worst["permutation"] > 0.05
    assert watched.figures()["FeaturesDrifted"]["Sum"] == 1
    assert watched.figures()["FeaturesDrifted"]["Maximum"] == worst["severity"]
    assert watched.entries() == [("alert begun", "drift"), ("alert begun", "scores")]
    (notice,) = watched.told
    assert "distance: severity" in notice["Message"]
    assert "perennial monitor flights" in notice["Message"]
    (event,) = [one for one in watched.world.sent if one["DetailType"] == "Model Monitored"]
    assert '"alerts": ["drift", "scores"]' in event["Detail"]


def test_labels_are_joined_by_id_and_the_objective_is_measured_with_its_interval(watched: Watched) -> None:
    watched.go_live()
    watched.label(watched.traffic(each=30))
    window = watched.look()
    quality = window["quality"]
    assert (quality["rows"], quality["estimate"], window["labelled"]) == (120, False, 120)
    assert quality["low"] < quality["value"] < quality["high"]
    assert watched.figures()["Quality"]["Sum"] == quality["value"]
    assert watched.figures()["LabelCoverage"] == {"SampleCount": 120, "Sum": 120, "Minimum": 1.0, "Maximum": 1.0}
    assert "EstimatedQuality" not in watched.figures()


def test_a_model_that_has_become_wrong_is_an_alert_of_quality(watched: Watched) -> None:
    watched.go_live()
    watched.label(watched.traffic(each=40), wrong=True)
    window = watched.look()
    assert "quality" in window["alerts"]
    assert watched.figures()["QualityDrop"] > 0


def test_without_labels_quality_is_an_estimate_and_says_so(watched: Watched) -> None:
    watched.go_live()
    watched.traffic(each=100)
    window = watched.look()
    assert window["quality"]["estimate"]
    assert window["quality"]["value"] == pytest.approx(0.64, abs=0.05)
    assert {"Quality", "QualityDrop"}.isdisjoint(watched.figures())
    assert any("estimated" in said for said in window["notes"])


def test_a_line_cut_off_and_an_object_cut_off_cost_themselves_alone(watched: Watched) -> None:
    watched.go_live()
    watched.traffic()
    good = watched.records(rows_of(7, 40), HOUR)
    watched.arrive([*good[:20], b'{"kind": "prediction", "sch', *good[20:]], HOUR)
    key = watched.arrive(watched.records(rows_of(8, 40), HOUR), HOUR)
    whole = watched.world.s3.get_object(Bucket="data-bucket", Key=key)["Body"].read()
    watched.write(key, whole[: len(whole) // 2], "data-bucket")
    window = watched.look()
    assert 280 <= window["rows"] < 320
    assert "2 lines or objects of the log cannot be read" in window["notes"]


def test_copies_count_once_within_an_hour_and_against_the_hour_before(watched: Watched) -> None:
    watched.go_live()
    first = watched.traffic(hours=1, each=120, first=2)
    watched.arrive(first[:50], 2 * HOUR)
    watched.arrive(first[50:], HOUR)
    second = watched.traffic(hours=1)
    watched.arrive(second, HOUR)
    assert watched.look()["rows"] == 180


def test_a_copy_of_a_copy_two_hours_later_counts_once(watched: Watched) -> None:
    watched.go_live()
    first = watched.traffic(hours=1, each=120, first=3)
    watched.arrive(first, 2 * HOUR)
    watched.arrive(first, HOUR)
    assert watched.look()["rows"] == 120


def test_an_object_that_is_delivered_late_changes_its_hour_and_nothing_is_counted_twice(watched: Watched) -> None:
    watched.go_live()
    watched.traffic()
    assert watched.look()["rows"] == 240
    watched.arrive(watched.records(rows_of(9, 30), 3 * HOUR), 3 * HOUR)
    assert watched.look()["rows"] == 270


def test_what_is_counted_is_not_read_again(watched: Watched) -> None:
    watched.go_live()
    watched.traffic()
    watched.look()
    asked = watched.calls()
    watched.look()
    assert not [call for call in asked if call.startswith("GetObject predictions/")]
    watched.world.pass_time(HOUR)
    watched.traffic(hours=1)
    asked.clear()
    assert watched.look()["rows"] == 240
    assert len([call for call in asked if call.startswith("GetObject predictions/")]) == 1


def test_days_that_are_over_become_one_file_each(watched: Watched) -> None:
    watched.rules(window_hours=24 * 4)
    watched.go_live(ago=30 * 24 * HOUR)
    watched.traffic(hours=94, each=2)
    assert watched.look()["rows"] == 188
    asked = watched.calls()
    assert watched.look()["rows"] == 188
    hours = [call for call in asked if call.startswith("GetObject monitoring/flights/hours")]
    days = [call for call in asked if call.startswith("GetObject monitoring/flights/days")]
    assert len(days) == 1
    assert len([call for call in hours if call.endswith(".json")]) <= 72 + 24


def test_missing_hours_are_said(watched: Watched) -> None:
    watched.go_live(ago=4.4 * HOUR)
    watched.traffic(hours=1, each=120, first=4)
    watched.traffic(hours=1, each=120, first=1)
    assert "rows came in 2 of the 4 hours" in watched.look()["notes"]


def test_a_clock_that_is_days_off_loses_neither_row_nor_label(watched: Watched) -> None:
    watched.go_live()
    records = watched.records(rows_of(11, 50), 50 * HOUR) + watched.records(rows_of(12, 50), -40 * HOUR)
    watched.arrive(records, HOUR)
    watched.label(records)
    window = watched.look()
    assert (window["rows"], window["labelled"]) == (100, 100)


def test_a_feature_that_disappears_is_drift_by_its_missing_values(watched: Watched) -> None:
    watched.go_live()
    rows = [{name: value for name, value in row.items() if name != "distance"} for row in rows_of(13, 300)]
    records = [
        {**record, "row": row} for record, row in zip(watched.records(rows_of(13, 300), HOUR), rows, strict=True)
    ]
    watched.arrive(records, HOUR)
    window = watched.look()
    assert window["drift"]["drifted"] == ["distance"]
    assert (window["drift"]["worst_missing"], watched.figures()["WorstMissing"]) == (1.0, 1.0)


def test_labels_of_unknown_predictions_are_dropped_and_those_before_their_prediction_wait_for_it(
    watched: Watched,
) -> None:
    watched.go_live()
    watched.label(watched.records(rows_of(14, 80), HOUR))
    late = watched.records(rows_of(15, 80), HOUR)
    watched.label(late)
    watched.traffic()
    assert watched.look()["labelled"] == 0
    watched.arrive(late, HOUR)
    window = watched.look()
    assert (window["labelled"], window["quality"]["rows"]) == (80, 80)


def test_a_label_that_was_corrected_counts_once_as_it_stands(watched: Watched) -> None:
    watched.go_live()
    records = watched.traffic(each=25)
    watched.label(records)
    before = watched.look()["quality"]
    stored = watched.labels().of(record["prediction_id"] for record in records)
    flipped = [
        Change(before=label, after=replace(label, label="false" if label.label == "true" else "true"))
        for label in stored.values()
    ]
    watched.labels().write(flipped)
    after = watched.look()["quality"]
    assert (before["rows"], after["rows"]) == (100, 100)
    assert after["value"] > before["value"] + 0.05


def test_a_look_asks_for_each_hour_of_labels_once_whatever_clocks_say(watched: Watched) -> None:
    watched.go_live(ago=20 * HOUR)
    for ago in range(2, 9):
        records = [one for off in (-1, 0, 1) for one in watched.records(rows_of(20 + ago, 9), (ago + off) * HOUR)]
        watched.label(records)
        watched.arrive(records, ago * HOUR)
    with counted("dynamodb") as calls:
        assert watched.look()["labelled"] == 81
    assert len(calls.label_hours()) == len(set(calls.label_hours())) == 5


def test_late_labels_change_later_windows_only_and_are_looked_for_before_the_window(watched: Watched) -> None:
    watched.go_live(ago=20 * HOUR)
    old = watched.traffic()
    key = watched.look_key()
    before = watched.world.read("artifact-bucket", key)
    watched.world.pass_time(4 * HOUR)
    watched.label(old)
    watched.traffic()
    window = watched.look()
    assert watched.world.read("artifact-bucket", key) == before
    assert before["quality"]["estimate"]
    assert (window["labelled"], window["quality"]["rows"], window["quality"]["estimate"]) == (0, 240, False)
    assert any(said.startswith("labels come late") for said in window["notes"])
    assert watched.figures()["LabelCoverage"]["Sum"] == 240


def test_a_promotion_in_the_middle_of_the_window_begins_a_new_one(watched: Watched) -> None:
    watched.go_live()
    watched.traffic(farther=400.0)
    assert watched.look()["alerts"] == ["drift", "scores"]
    watched.go_live(2, "flights-9f8e7d6c-a1", ago=1.4 * HOUR)
    watched.arrive(watched.records(rows_of(16, 150), HOUR, version=2), HOUR)
    window = watched.look()
    assert (window["rows"], window["model_version"], window["alerts"]) == (150, "2", [])
    assert watched.entries()[2:] == [("alert ended", "drift"), ("alert ended", "scores")]


def test_a_rollback_takes_up_the_hours_that_were_counted_before(watched: Watched) -> None:
    watched.go_live()
    watched.traffic(hours=3, first=2)
    assert watched.look()["rows"] == 180
    watched.go_live(2, "flights-9f8e7d6c-a1", known=reference({"metric": "brier_loss", "value": 0.2}), ago=HOUR)
    watched.look()
    watched.go_live(1, ago=600)
    assert watched.look()["rows"] == 180


def test_a_metric_store_that_refuses_costs_no_window_and_the_next_run_heals(watched: Watched) -> None:
    watched.go_live()
    watched.traffic(farther=400.0)
    watched.fail("PutMetricData")
    with pytest.raises(Unavailable):
        monitor_model.handler({}, None)
    assert watched.read("latest.json")["alerts"] == ["drift", "scores"]
    assert (watched.told, watched.entries()) == ([], [])
    watched.heal()
    watched.look()
    assert watched.entries() == [("alert begun", "drift"), ("alert begun", "scores")]
    assert len(watched.told) == 1
    watched.look()
    assert len(watched.told) == 1


def test_points_are_stamped_when_a_look_ends_so_that_alarms_see_those_of_a_long_one(watched: Watched) -> None:
    watched.go_live()
    watched.traffic()
    begun = wiring.now()
    events = wiring.client("s3").meta.events
    events.register("provide-client-params.s3.GetObject", lambda **_: watched.world.pass_time(90))
    window = watched.look()
    assert datetime.fromisoformat(window["at"]).timestamp() == begun
    assert {point["Timestamp"] for point in watched.put} == {wiring.now()}
    assert wiring.now() - begun > 300


def test_a_second_run_at_the_same_time_does_nothing(watched: Watched) -> None:
    watched.go_live()
    taken = Taking(claim=claims.monitor("flights"), owner="other", lease_seconds=900)
    watched.world.claims().take(taken, wiring.now())
    assert monitor_model.handler({}, None)["monitored"] is False
    assert watched.world.keys("artifact-bucket", "monitoring/") == []
    watched.world.pass_time(901)
    assert watched.look()["rows"] == 0


@pytest.mark.parametrize("answered", [False, True], ids=["before", "after"])
def test_a_run_that_dies_at_any_write_is_healed_by_the_next_one(watched: Watched, answered: bool) -> None:
    """Drift comes and goes every hour; wherever a look ends, each hour has its rows counted and told once.

    A run that dies at a read has left what one leaves that dies before the next write.
    """
    watched.rules(window_hours=1, min_rows=80, min_labels=6)
    watched.go_live(ago=HOUR)
    number = writes = 0
    while number <= writes:
        watched.world.pass_time(HOUR - MONITOR_LEASE_SECONDS)
        drifted = number % 2 == 0
        watched.label(watched.traffic(hours=1, each=100, farther=400.0 if drifted else 0.0)[:6])
        watched.die(number, answered=answered)
        with suppress(LifecycleError, ClientError):
            monitor_model.handler({}, None)
        writes = max(writes, watched.heal())
        watched.world.pass_time(MONITOR_LEASE_SECONDS)  # it could not give its claim back
        window = watched.look()
        assert (window["rows"], window["labelled"]) == (100, 6)
        assert ("drift" in window["alerts"]) == drifted
        assert len(window["history"]) == number + 1
        number += 1
    told = [kind for kind, alert in watched.entries() if alert == "drift"]
    assert told == [("alert begun", "alert ended")[place % 2] for place in range(number)]
    assert writes >= 9


def test_no_model_no_traffic_no_reference_and_nothing_new_are_quiet(watched: Watched) -> None:
    window = watched.look()
    assert (window["notes"], window["alerts"]) == (["no model is live yet: there is nothing to judge"], [])
    assert watched.figures() == {"Staleness": 0.0}
    watched.go_live(ago=2 * HOUR)
    window = watched.look()
    assert (window["rows"], window["judged"], window["alerts"]) == (0, False, [])
    assert watched.figures() == {"Staleness": pytest.approx(2.0)}
    watched.world.pass_time(3 * HOUR)
    assert watched.look()["alerts"] == ["stale"]
    watched.traffic()
    watched.world.s3.delete_object(
        Bucket="artifact-bucket", Key=keys.run("flights", RUN, "evaluation", "reference.json")
    )
    window = watched.look()
    assert "has no reference.json" in window["notes"][0]
    assert watched.figures() == {"Staleness": pytest.approx(0.5)}
    assert (len(window["history"]), window["alerts"]) == (2, [])


def test_private_columns_stay_private(watched: Watched) -> None:
    columns = tuple(replace(c, private="hash") if c.name == "flight" else c for c in SPEC.contract.columns)
    watched.deploy(replace(watched.spec, contract=replace(SPEC.contract, columns=columns)))
    watched.go_live()
    rows = [{**row, "flight": "0123456789abcdef" * 2} for row in rows_of(18, 200, farther=400.0)]
    watched.arrive(watched.records(rows, HOUR), HOUR)
    watched.look()
    written = watched.world.keys("artifact-bucket", "monitoring/")
    bodies = [watched.world.s3.get_object(Bucket="artifact-bucket", Key=key)["Body"].read() for key in written]
    assert len(bodies) >= 6
    assert not [key for key, body in zip(written, bodies, strict=True) if b"0123456789abcdef" in body]


def test_hours_for_which_there_is_no_time_are_left_to_the_next_run_and_nothing_is_judged(watched: Watched) -> None:
    watched.go_live()
    watched.traffic(farther=400.0)
    time_for = iter((True, True, False))
    window, _ = look(wiring.settings(Monitor), lambda: next(time_for))
    assert (window["rows"], window["judged"], window["alerts"]) == (120, False, [])  # enough rows, but not the window
    assert window["notes"][0] == "2 hours of the log are left to the next look"
    watched.calls()
    assert watched.look()["alerts"] == ["drift", "scores"]
    assert len([call for call in watched.asked if call.startswith("GetObject predictions/")]) == 2
