import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from lifecycle import metrics
from lifecycle.objective import Money, Objective
from lifecycle.spec import Task
from training import measure

RNG = np.random.default_rng(5)
LABELS = RNG.integers(0, 2, 500)
SCORES = np.clip(LABELS * 0.3 + RNG.random(500) * 0.7, 0.001, 0.999)


def test_binary_figures_are_scikit_learns() -> None:
    found = measure.all_metrics(Task.BINARY, LABELS, SCORES, 0.5, (1.0, 4.0))
    decided = SCORES >= 0.5
    assert found == pytest.approx(
        {
            "log_loss": reference.log_loss(LABELS, SCORES),
            "brier_loss": reference.brier_score_loss(LABELS, SCORES),
            "pr_auc_score": reference.average_precision_score(LABELS, SCORES),
            "roc_auc_score": reference.roc_auc_score(LABELS, SCORES),
            "f1_score": reference.f1_score(LABELS, decided),
            "cost_loss": ((decided & (LABELS == 0)).sum() + 4 * (~decided & (LABELS == 1)).sum()) / 500,
        }
    )


MONEY = Money(unit="EUR", true_positive=20.0, false_positive=-5.0, false_negative=-1.0)


def test_money_is_the_mean_of_what_each_outcome_is_worth() -> None:
    decided = SCORES >= 0.4
    counts = {(d, y): int(((decided == d) & (y == LABELS)).sum()) for d in (True, False) for y in (0, 1)}
    worth = (20.0 * counts[True, 1] - 5.0 * counts[True, 0] - 1.0 * counts[False, 1]) / 500
    assert measure.all_metrics(Task.BINARY, LABELS, SCORES, 0.4, None, MONEY)["money_score"] == pytest.approx(worth)


@pytest.mark.parametrize("objective", [Objective(metric=m) for m in ("log_loss", "brier_loss")] + [
    Objective(metric="money_score", money=MONEY)
])  # fmt: skip
def test_losses_of_many_rows_are_those_of_each_row(objective: Objective) -> None:
    many = measure.objective_losses(objective, Task.BINARY, LABELS, SCORES, 0.4)
    each = [objective.row_loss(label=bool(y), output=s, decision=s >= 0.4) for y, s in zip(LABELS, SCORES, strict=True)]
    assert many == pytest.approx(each)
    found = measure.all_metrics(Task.BINARY, LABELS, SCORES, 0.4, None, objective.money)
    assert objective.from_mean(float(np.mean(each))) == pytest.approx(found[objective.metric])


def test_losses_of_classes_and_numbers_are_those_of_each_row() -> None:
    shares = np.array([[0.2, 0.8], [0.5, 0.5]])
    many = measure.objective_losses(Objective(), Task.MULTICLASS, np.array([1, -1]), shares, None)
    first = Objective().row_loss(label="b", output={"a": 0.2, "b": 0.8}, decision="b")
    unseen = Objective().row_loss(label="c", output={"a": 0.5, "b": 0.5}, decision="a")
    assert many == pytest.approx([first, unseen])
    for metric in ("rmse_error", "mae_error"):
        numbers = measure.objective_losses(
            Objective(metric=metric), Task.REGRESSION, np.array([3.0]), np.array([5.0]), None
        )
        assert numbers == pytest.approx([Objective(metric=metric).row_loss(label=3, output=5.0, decision=None)])


def test_multiclass_and_regression_figures_are_scikit_learns() -> None:
    labels = RNG.integers(0, 3, 300)
    shares = RNG.dirichlet([1, 1, 1], 300)
    found = measure.all_metrics(Task.MULTICLASS, labels, shares, None, None)
    macro = reference.f1_score(labels, shares.argmax(axis=1), average="macro")
    assert found == pytest.approx({"log_loss": reference.log_loss(labels, shares), "macro_f1_score": macro})
    truth, guess = RNG.normal(size=300), RNG.normal(size=300)
    found = measure.all_metrics(Task.REGRESSION, truth, guess, None, None)
    assert found == pytest.approx(
        {
            "rmse_error": reference.root_mean_squared_error(truth, guess),
            "mae_error": reference.mean_absolute_error(truth, guess),
            "r2_score": reference.r2_score(truth, guess),
        }
    )


def test_what_rows_of_one_class_cannot_tell_is_missing_and_not_an_error() -> None:
    found = measure.all_metrics(Task.BINARY, np.zeros(5, dtype=int), np.full(5, 0.1), 0.5, None)
    assert found["roc_auc_score"] is None
    assert found["pr_auc_score"] is None
    assert found["log_loss"] == pytest.approx(-np.log(0.9))
    assert measure.metric(Task.REGRESSION, "r2_score", np.ones(3), np.ones(3)) is None
    assert measure.metric(Task.BINARY, "log_loss", np.array([]), np.array([])) is None


def test_a_class_that_training_never_saw_costs_the_largest_loss() -> None:
    losses = measure.row_losses(Task.MULTICLASS, np.array([-1, 0]), np.array([[0.5, 0.5], [0.5, 0.5]]), "log_loss")
    assert losses.tolist() == pytest.approx([-np.log(1e-15), np.log(2)])


@given(st.integers(0, 99), st.floats(0.5, 0.99))
def test_the_bootstrap_is_seeded_and_its_interval_holds_the_difference(seed: int, confidence: float) -> None:
    rng = np.random.default_rng(seed)
    theirs = rng.exponential(size=200)
    ours = theirs - 0.1 + rng.normal(scale=0.05, size=200)
    one, other = (measure.bootstrap(metrics.LOG_LOSS, ours, theirs, confidence, 3) for _ in range(2))
    assert one == other
    assert one["low"] <= one["difference"] <= one["high"] < 0
    mirrored = measure.bootstrap(metrics.LOG_LOSS, theirs, ours, confidence, 3)
    assert mirrored["low"] == pytest.approx(-one["high"])


def test_a_paired_comparison_sees_what_two_separate_intervals_would_not() -> None:
    theirs = RNG.exponential(scale=5, size=400)
    found = measure.bootstrap(metrics.RMSE, theirs + 0.1, theirs, 0.95, 1)
    assert 0 < found["low"] < found["high"] < 1


def test_calibration_bins_hold_all_rows_in_order() -> None:
    bins = measure.calibration(LABELS, SCORES)
    assert sum(entry["rows"] for entry in bins) == 500
    assert [e["predicted"] for e in bins] == sorted(e["predicted"] for e in bins)
    assert len(measure.calibration(LABELS[:3], SCORES[:3])) == 3


def test_slices_split_the_rows_and_name_missing_values() -> None:
    found = measure.slices({"c": ["x", None, "x"]}, {"rmse_error": np.array([1.0, 4.0, 9.0])})
    assert [(e["value"], e["rows"], e["score"]) for e in found] == [("(missing)", 1, 2.0), ("x", 2, 5**0.5)]
    assert found[0]["overall"] == pytest.approx((14 / 3) ** 0.5)
