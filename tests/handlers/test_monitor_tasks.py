"""A look at models of every kind: several classes, numbers, money, an endpoint; and logs that nobody would write."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from lambdas import wiring
from lifecycle import compiled, keys
from lifecycle.feedback_label import Change, Label
from lifecycle.objective import Money, Objective
from lifecycle.reference import Reference, category_reference
from lifecycle.schema import Task
from lifecycle.spec import ModelSpec
from tests import live_package

from .conftest import SPEC, World
from .monitor_world import HOUR, RUN, Watched, make_watched, probability, reference, rows_of

CLASSES = ("a", "b", "c")


@pytest.fixture
def watched(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    yield from make_watched(world, tmp_path, monkeypatch)


def spec_of(task: Task, objective: Objective) -> ModelSpec:
    contract = replace(SPEC.contract, task=task, positive="true" if task is Task.BINARY else None, id=None)
    return replace(SPEC, contract=contract, objective=objective)


def trained(metric: str, value: float, task: Task = Task.BINARY) -> Reference:
    quality = {"metric": metric, "value": value, "low": value - 0.02, "high": value + 0.02, "rows": 4000}
    known = reference(quality)
    scores = category_reference({"a": 2400, "b": 1000, "c": 600}, 0)
    return replace(known, scores=scores) if task is Task.MULTICLASS else known


def go_live(watched: Watched, task: Task, known: Reference) -> None:
    """Make a model of another task live, for which `spec` is deployed."""
    body = live_package.body(watched.spec.contract)
    if task is Task.MULTICLASS:
        body |= {"classes": list(CLASSES), "threshold": None}
        rows = [[1.0, 0.5, -0.5], [0.0, 0.0, 0.0], [-1.0, 0.0, 0.0]]
        body |= {"estimator": {**body["estimator"], "link": "softmax", "coefficients": rows, "intercept": [0.0] * 3}}
    elif task is Task.REGRESSION:
        body |= {"classes": None, "threshold": None, "estimator": {**body["estimator"], "link": "identity"}}
    watched.go_live(known=known, code=compiled.write(body))


def label(watched: Watched, given: dict[str, str | float]) -> None:
    made = [Label(prediction_id=i, label=v, recorded_at=wiring.now(), source="t", found=True) for i, v in given.items()]
    watched.labels().write([Change(before=None, after=each) for each in made])


def test_several_classes_are_watched_by_what_was_decided_and_by_the_chance_of_the_right_one(watched: Watched) -> None:
    watched.deploy(replace(watched.spec, **_of(spec_of(Task.MULTICLASS, Objective()))))
    go_live(watched, Task.MULTICLASS, trained("log_loss", 0.9, Task.MULTICLASS))
    chances = {"a": 0.2, "b": 0.2, "c": 0.6}
    records = watched.records(rows_of(3, 300), HOUR, probabilities=chances, decision="c")
    watched.arrive(records, HOUR)
    random = Random(4)
    labels = random.choices(CLASSES, list(chances.values()), k=300)
    label(watched, dict(zip((one["prediction_id"] for one in records), labels, strict=True)))
    window = watched.look()
    assert (window["rows"], window["labelled"], window["alerts"]) == (300, 300, ["scores"])
    quality = window["quality"]
    assert (quality["metric"], quality["estimate"]) == ("log_loss", False)
    assert quality["low"] < 0.95 < quality["high"]  # what such chances lose on average


def test_numbers_are_watched_by_their_error_and_nothing_is_estimated_without_labels(watched: Watched) -> None:
    watched.deploy(replace(watched.spec, **_of(spec_of(Task.REGRESSION, Objective(metric="rmse_error")))))
    go_live(watched, Task.REGRESSION, trained("rmse_error", 0.1, Task.REGRESSION))
    rows = rows_of(3, 300, farther=600.0)
    records = [{**one, "value": probability(one["row"]), "decision": None} for one in watched.records(rows, HOUR)]
    watched.arrive(records, HOUR)
    window = watched.look()
    assert (window["quality"], window["alerts"]) == (None, ["drift", "scores"])
    assert window["drift"]["features"][0]["permutation"] > 0.1
    assert {"Quality", "EstimatedQuality"}.isdisjoint(watched.figures())
    label(watched, {one["prediction_id"]: one["value"] + 0.5 for one in records})
    window = watched.look()
    assert window["quality"]["value"] == pytest.approx(0.5)
    assert "quality" in window["alerts"]
    assert watched.figures()["QualityDrop"] == pytest.approx(0.4, abs=0.05)


def test_money_is_the_quality_in_metrics_page_and_notice(watched: Watched) -> None:
    money = Money(unit="EUR", true_positive=20.0, false_positive=-5.0, false_negative=-30.0)
    watched.deploy(replace(watched.spec, objective=Objective(metric="money_score", money=money)))
    watched.go_live(known=trained("money_score", 4.0))
    records = watched.traffic(each=50)
    label(watched, {one["prediction_id"]: "false" if one["decision"] else "true" for one in records})
    window = watched.look()
    decided = sum(one["decision"] for one in records)
    total = -5.0 * decided - 30.0 * (200 - decided)
    assert window["quality"]["money"] == {"unit": "EUR", "per_row": pytest.approx(total / 200), "total": total}
    assert window["alerts"] == ["quality"]
    assert watched.figures()["Quality"]["Sum"] == pytest.approx(total / 200)
    assert watched.figures()["QualityDrop"] > 15
    (notice,) = watched.told
    page = watched.world.s3.get_object(
        Bucket="artifact-bucket", Key=watched.look_key().removesuffix(".json") + ".html"
    )["Body"].read()
    assert "money_score" in notice["Message"]
    assert b"EUR" in page


def test_labels_of_one_class_only_have_an_interval(watched: Watched) -> None:
    watched.go_live()
    records = watched.traffic(each=50)
    label(watched, dict.fromkeys((one["prediction_id"] for one in records), "true"))
    quality = watched.look()["quality"]
    assert (quality["rows"], quality["low"] < quality["value"] < quality["high"]) == (200, True)


def test_a_model_that_an_endpoint_serves_is_watched_but_for_what_would_ask_it(watched: Watched) -> None:
    estimator = {"kind": "endpoint", "link": "identity", "nan": False}
    watched.go_live(code=compiled.write({**live_package.body(watched.spec.contract), "estimator": estimator}))
    watched.traffic(farther=400.0)
    window = watched.look()
    assert window["alerts"] == ["drift", "scores"]
    assert "no permutation importance: an endpoint serves this model" in window["notes"]


def test_a_row_logged_as_anything_at_all_is_a_row_and_no_look_fails(watched: Watched) -> None:
    watched.go_live()
    odd = [
        None,
        True,
        "text",
        "\ud800",
        10**400,
        1e308,
        float("nan"),
        float("-inf"),
        [1],
        [float("nan")],
        {"a": "\ud800"},
    ]
    rows = [{"flight": f"F{n}", "origin": value, "distance": value} for n, value in enumerate(odd * 20)]
    records = watched.records([{"distance": 900.0, "origin": "EWR"}] * len(rows), HOUR)
    for one, row, value in zip(records, rows, odd * 20, strict=True):
        one |= {"row": row, "probability": value, "decision": value}
    records[7]["row"] = []
    watched.arrive([*records, *watched.records(rows_of(5, 150, farther=500.0), HOUR)], HOUR)
    label(watched, dict.fromkeys((one["prediction_id"] for one in records), "true"))
    window = watched.look()
    assert (window["rows"], "drift" in window["alerts"]) == (len(rows) + 150, True)


def test_an_hour_of_rows_too_long_for_the_log_has_answers_but_nothing_to_count(watched: Watched) -> None:
    watched.go_live()
    records = watched.records(rows_of(6, 80), HOUR, row=None)
    watched.arrive(records, HOUR)
    watched.label(records)
    window = watched.look()
    assert (window["rows"], window["labelled"], window["judged"]) == (80, 80, False)
    assert "80 rows were too long for the log: their values are not counted" in window["notes"]


def test_a_copy_that_comes_hours_later_is_one_labelled_row(watched: Watched) -> None:
    watched.go_live()
    records = watched.traffic(hours=1, each=120, first=4)
    watched.arrive(records, HOUR)
    watched.label(records)
    assert watched.look()["quality"]["rows"] == 120


@pytest.mark.parametrize("file", ["compiled.json", "reference.json"])
def test_a_live_model_whose_files_cannot_be_read_is_not_judged_and_its_alerts_stay(watched: Watched, file: str) -> None:
    watched.rules(confirm=2)
    watched.go_live()
    watched.traffic(farther=400.0)
    assert watched.look()["alerts"] == []
    watched.world.pass_time(HOUR)
    assert watched.look()["alerts"] == ["drift", "scores"]
    watched.write(keys.run("flights", RUN, "evaluation", file), json.dumps({"schema": 99}).encode())
    window = watched.look()
    assert (window["judged"], window["alerts"]) == (False, ["drift", "scores"])
    assert window["notes"][0].startswith(f"{RUN}, which is live, cannot be judged: ")
    assert watched.figures() == {"Staleness": pytest.approx(1.5)}
    watched.go_live()
    assert watched.look()["drift"]["drifted"] == ["distance"]
    assert watched.entries() == [("alert begun", "drift"), ("alert begun", "scores")]


def _of(spec: ModelSpec) -> dict[str, Any]:
    return {"contract": spec.contract, "objective": spec.objective}
