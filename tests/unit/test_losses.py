"""Losses of whole columns equal the objective's own, row by row."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.objective import Money, Objective
from lifecycle.schema import Task
from tabular.losses import expected_losses, row_losses

MONEY = Objective(
    metric="money_score",
    money=Money(unit="EUR", true_positive=20.0, false_positive=-5.0, true_negative=0.5, false_negative=-9.0),
)
shares = st.floats(0, 1)
binary = st.lists(st.tuples(st.booleans(), shares), min_size=1, max_size=20)


@pytest.mark.parametrize("objective", [Objective(), Objective(metric="brier_loss"), MONEY], ids=lambda o: o.metric)
@given(rows=binary)
def test_binary_losses_are_the_objectives_own(objective, rows):
    labels, outputs = (np.array(part, dtype=float) for part in zip(*rows, strict=True))
    decided = (outputs >= 0.4).astype(float)
    found = row_losses(objective, Task.BINARY, labels, outputs, decided)
    wanted = [objective.row_loss(label=label, output=share, decision=share >= 0.4) for label, share in rows]
    assert found == pytest.approx(wanted)


@given(rows=st.lists(st.tuples(st.sampled_from(["a", "b", "c", "new"]), shares, shares), min_size=1, max_size=20))
def test_multiclass_losses_are_the_objectives_own_and_an_unknown_class_was_thought_impossible(rows):
    outputs = [{"a": one / 2, "b": two / 2, "c": 1 - one / 2 - two / 2} for _, one, two in rows]
    places = np.array([{"a": 0, "b": 1, "c": 2}.get(label, -1) for label, *_ in rows], dtype=float)
    found = row_losses(Objective(), Task.MULTICLASS, places, np.array([list(o.values()) for o in outputs]), places)
    wanted = [Objective().row_loss(label=row[0], output=o, decision=None) for row, o in zip(rows, outputs, strict=True)]
    assert found == pytest.approx(wanted)


@pytest.mark.parametrize("metric", ["rmse_error", "mae_error"])
@given(rows=st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1, max_size=20))
def test_regression_losses_are_the_objectives_own(metric, rows):
    labels, outputs = (np.array(part) for part in zip(*rows, strict=True))
    objective = Objective(metric=metric)
    found = row_losses(objective, Task.REGRESSION, labels, outputs, outputs)
    wanted = [objective.row_loss(label=label, output=output, decision=None) for label, output in rows]
    assert found == pytest.approx(wanted)


@pytest.mark.parametrize("objective", [Objective(), Objective(metric="brier_loss"), MONEY], ids=lambda o: o.metric)
def test_what_a_calibrated_model_expects_is_what_labels_say_in_the_end(objective):
    chance = np.random.default_rng(7)
    outputs = chance.beta(2, 3, 200_000)
    decided = (outputs >= 0.4).astype(float)
    labels = (chance.random(200_000) < outputs).astype(float)
    measured = row_losses(objective, Task.BINARY, labels, outputs, decided)
    mean, squares = expected_losses(objective, Task.BINARY, outputs, decided)
    reach = 4 * measured.std() / np.sqrt(200_000)
    assert mean.mean() == pytest.approx(measured.mean(), abs=reach)
    assert squares.mean() == pytest.approx((measured**2).mean(), rel=0.02)


def test_a_value_promises_nothing():
    with pytest.raises(ValueError, match="no probabilities"):
        expected_losses(Objective(metric="mae_error"), Task.REGRESSION, np.zeros(1), np.zeros(1))
