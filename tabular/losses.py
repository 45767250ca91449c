"""Answers + labels -> each row's share of the objective; answers alone -> the share that the model itself expects.

The same figures as `lifecycle.objective.Objective.row_loss`, for whole columns.
"""

import numpy as np
import numpy.typing as npt

from lifecycle import metrics
from lifecycle.objective import SMALLEST, Objective
from lifecycle.schema import Task

Floats = npt.NDArray[np.float64]


def row_losses(objective: Objective, task: Task, labels: Floats, outputs: Floats, decided: Floats) -> Floats:
    """Return one loss per row, smaller is better.

    `labels`, shape (rows,): 1 for the positive class, else 0 (binary), the index of the class, -1 for one that is
    unknown to the model (multiclass), or the number. `outputs`: the positive class's probability or the value, shape
    (rows,), or (rows, classes). `decided`: 1 where a binary decision was positive, else 0; only money asks for it.
    """
    if objective.metric == metrics.MONEY:
        assert objective.money is not None, "money_score has money"
        money = objective.money
        positive = np.where(labels == 1, money.true_positive, money.false_positive)
        negative = np.where(labels == 1, money.false_negative, money.true_negative)
        return -np.where(decided == 1, positive, negative)
    if objective.metric == metrics.MAE:
        return np.abs(labels - outputs)
    if objective.metric in (metrics.RMSE, metrics.BRIER_LOSS):
        found: Floats = (labels - outputs) ** 2
        return found
    if task is Task.MULTICLASS:
        places = np.maximum(labels, 0).astype(np.int64)
        likely = np.where(labels >= 0, outputs[np.arange(len(labels)), places], 0.0)
    else:
        likely = np.where(labels == 1, outputs, 1.0 - outputs)
    return -np.log(np.clip(likely, SMALLEST, 1.0))


def expected_losses(objective: Objective, task: Task, outputs: Floats, decided: Floats) -> tuple[Floats, Floats]:
    """Return, per row, the mean of the loss and of its square under the model's own probabilities.

    Regression answers no probabilities: nothing can be expected of it (ValueError).
    """
    if task is Task.REGRESSION:
        raise ValueError("regression answers no probabilities; its loss cannot be expected")
    rows = len(outputs)
    chances = outputs.T if task is Task.MULTICLASS else np.stack([1.0 - outputs, outputs])
    mean, squares = np.zeros(rows), np.zeros(rows)
    for place, chance in enumerate(chances):
        losses = row_losses(objective, task, np.full(rows, float(place)), outputs, decided)
        mean += chance * losses
        squares += chance * losses * losses
    return mean, squares
