"""What a model's metrics are, counted as CloudWatch bills them, and where the figures of each feature go instead."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lambdas import wiring
from lifecycle import keys, monitor_figures, names
from lifecycle.monitor_figures import Figure
from lifecycle.prediction_log import failure_lines
from lifecycle.spec import Column, Kind

from .conftest import SPEC, STAGE, World
from .monitor_world import HOUR, Watched, make_watched, reference, rows_of

WIDE = [f"c{number:03d}" for number in range(298)]
MOST = 10


@pytest.fixture
def watched(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    """A stage whose model has 300 features."""
    for here in make_watched(world, tmp_path, monkeypatch):
        columns = (*SPEC.contract.columns, *(Column(name=name, kind=Kind.NUMBER) for name in WIDE))
        here.deploy(replace(here.spec, contract=replace(SPEC.contract, columns=columns)))
        yield here


def go_live(watched: Watched, number: int) -> None:
    known = reference()
    wide = {name: replace(known.columns["distance"], importance=1 / 301) for name in WIDE}
    run = f"flights-{number}a2b3c4d-a1"
    watched.go_live(number, run, known=replace(known, columns={**known.columns, **wide}), ago=0.5 * HOUR)


def hour(watched: Watched, version: int, *, farther: float, labels: str = "") -> dict[str, Any]:
    """Let an hour with rows pass; return the window of a look after it."""
    watched.world.pass_time(HOUR)
    rows = [{**row, **dict.fromkeys(WIDE, row["distance"])} for row in rows_of(watched.serial, 150, farther=farther)]
    records = watched.records(rows, HOUR, version=version)
    watched.arrive(records, HOUR)
    if labels:
        watched.label(records, wrong=labels == "wrong")
    return watched.look()


def failed(version: str | None) -> tuple[str, str, frozenset[tuple[str, str]]]:
    """The metric of a request that a version could not answer, as its embedded format names it."""
    facts = {"stage": STAGE, "model": "flights", "model_version": version, "arm": version, "request_id": "r"}
    _, line = failure_lines(facts, time_ms=round(wiring.now() * 1000), status=503, error="no model")
    told = json.loads(line)
    (made,) = told["_aws"]["CloudWatchMetrics"]
    (dimensions,), (metric,) = made["Dimensions"], made["Metrics"]
    return made["Namespace"], metric["Name"], frozenset((name, told[name]) for name in dimensions)


def test_three_hundred_columns_two_versions_and_all_that_can_happen_to_them_are_ten_metrics(watched: Watched) -> None:
    watched.look()
    go_live(watched, 1)
    watched.look()
    windows = [hour(watched, 1, farther=0.0), hour(watched, 1, farther=500.0, labels="wrong")]
    go_live(watched, 2)
    windows.append(hour(watched, 2, farther=0.0, labels="right"))
    assert [window["quality"]["estimate"] for window in windows] == [True, False, False]
    assert [len(window["alerts"]) for window in windows] == [0, 3, 0]
    assert [len(window["drift"]["drifted"]) for window in windows] == [0, 299, 0]
    cold = (names.METRIC_NAMESPACE, names.cold_starts(STAGE, "flights"), frozenset[tuple[str, str]]())
    emitted = watched.ever | {failed(None), failed("1"), failed("2"), cold}
    assert len(emitted) == MOST
    assert {dimensions for *_, dimensions in emitted if dimensions} == {
        frozenset({("Stage", STAGE), ("Model", "flights")})
    }


def test_how_many_features_drifted_and_how_badly_is_one_metric(watched: Watched) -> None:
    go_live(watched, 1)
    window = hour(watched, 1, farther=500.0)
    worst = max(one["severity"] for one in window["drift"]["features"])
    assert watched.figures()[names.METRIC_FEATURES_DRIFTED] == {
        "SampleCount": 300, "Sum": 299, "Minimum": 0.0, "Maximum": worst,
    }  # fmt: skip


def test_figures_of_features_go_to_report_page_and_notice(watched: Watched) -> None:
    go_live(watched, 1)
    window = hour(watched, 1, farther=500.0)
    assert {one["name"] for one in window["drift"]["features"]} == {"origin", "distance", *WIDE}
    found = watched.world.keys("artifact-bucket", keys.monitoring("flights", "windows", ""))
    (page,) = [key for key in found if key.endswith(".html")]
    shown = watched.world.s3.get_object(Bucket="artifact-bucket", Key=page)["Body"].read().decode()
    assert [name for name in WIDE if name not in shown] == []
    (notice,) = watched.told
    assert f"s3://artifact-bucket/{page}" in notice["Message"]
    worst = [one["name"] for one in window["drift"]["features"][:10]]
    assert [name for name in worst if f"- {name}: severity " in notice["Message"]] == worst
    assert notice["Message"].count("severity") == len([*worst, "score"])


def test_more_figures_than_are_paid_for_are_no_metrics() -> None:
    figures = [Figure(name=f"m{number}", value=1.0) for number in range(8)]
    with pytest.raises(AssertionError):
        monitor_figures.metric_data(figures, stage="dev", model="m", at=1.0)
