"""One look at a model's traffic: hours, window, drift, quality, alerts; and everything that can go wrong on the way."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import World
from .monitor_world import Watched, make_watched


@pytest.fixture
def watched(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    yield from make_watched(world, tmp_path, monkeypatch)


def test_unchanged_traffic_raises_no_alert_and_every_row_is_counted_once(watched: Watched) -> None:
    watched.go_live()
    watched.traffic()
    window = watched.look()
    assert (window["rows"], window["judged"], window["alerts"]) == (240, True, [])
    assert watched.figures()["FeaturesDrifted"] == 0
    assert watched.figures()["Staleness"] == pytest.approx(0.5)  # the last hour's end
    assert window == watched.read("latest.json")


def test_a_shift_is_an_alert_with_the_figures_in_notice_ledger_metrics_and_event(watched: Watched) -> None:
    watched.go_live()
    watched.traffic(farther=400.0, each=100)
    window = watched.look()
    assert window["alerts"] == ["drift", "scores"]
    assert window["drift"]["drifted"] == ["distance"]
    worst = window["drift"]["features"][0]
    assert (worst["name"], worst["since"]) == ("distance", window["until"])
    assert worst["permutation"] > 0.05
    assert watched.figures()["FeaturesDrifted"] == 1
    assert watched.figures()["WorstDrift"] >= 1
    assert watched.entries() == [("alert begun", "drift"), ("alert begun", "scores")]
    (notice,) = watched.told
    assert "distance: severity" in notice["Message"]
    assert "perennial monitor flights" in notice["Message"]
    (event,) = [one for one in watched.world.sent if one["DetailType"] == "Model Monitored"]
    assert '"alerts": ["drift", "scores"]' in event["Detail"]


def test_labels_are_joined_by_id_and_the_objective_is_measured_with_its_interval(watched: Watched) -> None:
    watched.go_live()
    watched.label(watched.traffic(each=100))
    window = watched.look()
    quality = window["quality"]
    assert (quality["rows"], quality["estimate"], window["labelled"]) == (400, False, 400)
    assert quality["low"] < quality["value"] < quality["high"]
    assert watched.figures()["Quality"]["Sum"] == quality["value"]
    assert watched.figures()["LabelCoverage"] == {"SampleCount": 400, "Sum": 400, "Minimum": 1.0, "Maximum": 1.0}
    assert "EstimatedQuality" not in watched.figures()


def test_a_model_that_has_become_wrong_is_an_alert_of_quality(watched: Watched) -> None:
    watched.go_live()
    watched.label(watched.traffic(each=100), wrong=True)
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
