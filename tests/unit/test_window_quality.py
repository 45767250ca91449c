"""Quality of a window: measured on labels, estimated without them, judged only when measured."""

from dataclasses import replace

import pytest

from lifecycle.drift_alert import AlertState
from lifecycle.hour_counts import Expected
from lifecycle.judged_model import JudgedModel
from lifecycle.live import Live
from lifecycle.monitoring import Monitoring
from lifecycle.objective import Money, Objective
from lifecycle.reference import Reference, category_reference, number_reference
from lifecycle.schema import Column, Contract, Kind, Task
from lifecycle.window_quality import judged_quality, measure

RULES = Monitoring(min_labels=100, confirm=1, clear=1)
QUALITY = {"metric": "log_loss", "value": 0.5, "low": 0.49, "high": 0.51, "rows": 5000}
NONE = Expected()


def losses(mean: float, rows: int = 400, spread: float = 0.2) -> Expected:
    return Expected(rows=rows, total=mean * rows, squares=(mean * mean + spread * spread) * rows)


def model(**changes: object) -> JudgedModel:
    words = {"few": 5, "some": 3}
    known = JudgedModel(
        live=Live(package_arn="arn/1", run_id="run"),
        task=Task.BINARY,
        classes=("false", "true"),
        contract=Contract(task=Task.BINARY, target="late", columns=(Column(name="late", kind=Kind.BOOLEAN),)),
        reference=Reference(
            rows=10,
            columns={
                "many": category_reference({f"v{n}": 1 for n in range(40)}, 0),
                "few": replace(category_reference(words, 0), importance=0.1),
                "more": replace(category_reference(words, 0), importance=0.7),
                "number": number_reference((1.0,), (4, 4), 0),
            },
            scores=number_reference((0.5,), (5, 5), 0),
            quality=QUALITY,
        ),
        objective=Objective(),
    )
    return replace(known, **changes)


def judged(labelled: Expected, expected: Expected = NONE, found: JudgedModel | None = None):
    return judged_quality(found or model(), (labelled, expected), RULES, AlertState(), until="2026-11-21T10:00:00Z")


def test_a_measured_loss_beyond_the_holdouts_is_a_drop():
    found = judged(losses(0.7))
    assert found.quality["value"] == pytest.approx(0.7)
    assert 0.1 < found.quality["drop"] < 0.2
    assert (found.quality["reference"], found.quality["estimate"], found.notes) == (0.5, False, ())


def test_a_difference_that_chance_explains_is_none():
    assert judged(losses(0.51)).quality["drop"] == 0.0


def test_too_few_labels_leave_an_estimate_that_is_never_judged():
    found = judged(losses(9.0, rows=99), losses(0.9, rows=5000))
    assert (found.quality["estimate"], found.quality["rows"], found.quality["drop"]) == (True, 5000, None)
    assert found.state == AlertState()
    assert "99 labels" in found.notes[0]


def test_without_probabilities_nothing_is_estimated():
    found = judged(NONE)
    assert found.quality is None
    assert "no estimate" in found.notes[0]


def test_a_holdout_in_another_metric_is_no_yardstick():
    known = model(objective=Objective(metric="brier_loss"))
    found = judged(losses(0.2), found=known)
    assert (found.quality["reference"], found.quality["drop"]) == (None, None)
    assert "log_loss, not brier_loss" in found.notes[0]


def test_money_is_told_for_a_row_and_for_all():
    objective = Objective(metric="money_score", money=Money(unit="EUR", true_positive=20.0))
    found = measure(objective, Expected(rows=100, total=-250.0, squares=10_000.0), estimate=False)
    assert found.money == {"unit": "EUR", "per_row": 2.5, "total": 250.0}
    assert found.low < 2.5 < found.high


def test_a_root_of_squares_has_bounds_above_zero():
    found = measure(Objective(metric="rmse_error"), Expected(rows=3, total=3.0, squares=300.0), estimate=False)
    assert (found.value, found.low) == (1.0, 0.0)


def test_slices_are_gated_columns_and_categories_of_few_values_the_important_first():
    assert model().sliced == ("more", "few")
    assert model(gated=("many", "number", "unknown")).sliced == ("many", "more", "few")


def test_a_label_is_a_class_only_if_the_model_has_it():
    assert [model().class_of(label) for label in ("false", "true", "maybe", 1.0)] == [0, 1, None, None]
    several = model(task=Task.MULTICLASS, classes=("a", "b"))
    assert [several.class_of(label) for label in ("b", "new")] == [1, -1]
