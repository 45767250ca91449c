"""Labels + outputs -> metrics, losses per row, slices, calibration, bootstrap: numbers only, decisions lie elsewhere.

Outputs are the probability of the positive class (binary, shape (rows,)), of each class (multiclass, (rows, classes))
or the value (regression, (rows,)). Labels are 0/1, class indices (-1: a class that training never saw) or numbers.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from lifecycle import metrics as names
from lifecycle.objective import Money, Objective
from lifecycle.spec import Task

SMALLEST = 1e-15
RESAMPLES = 1_000
CHUNK_VALUES = 2_000_000

Numbers = npt.NDArray[np.float64]


def row_losses(task: Task, labels: npt.NDArray[Any], outputs: Numbers, metric: str) -> Numbers:
    """Return each row's share of a metric that is a mean over rows (for rmse_error: of its square)."""
    if metric == names.MAE:
        return np.abs(labels - outputs)
    if task is Task.REGRESSION:
        return (labels - outputs) ** 2
    if metric == names.BRIER_LOSS:
        return (labels - outputs) ** 2
    if task is Task.BINARY:
        likely = np.where(labels == 1, outputs, 1.0 - outputs)
    else:
        likely = np.where(labels >= 0, outputs[np.arange(len(labels)), np.maximum(labels, 0)], 0.0)
    return -np.log(np.clip(likely, SMALLEST, 1.0))


def from_rows(metric: str, mean: Any) -> Any:
    """Return the metric of a mean of `row_losses`."""
    return np.sqrt(mean) if metric == names.RMSE else mean


def metric(task: Task, name: str, labels: npt.NDArray[Any], outputs: Numbers) -> float | None:
    """Return a metric that needs no threshold; None when these rows cannot give it (one class only, no row)."""
    if not len(labels):
        return None
    if name in (names.PR_AUC, names.ROC_AUC):
        if labels.min() == labels.max():
            return None
        return float((average_precision_score if name == names.PR_AUC else roc_auc_score)(labels, outputs))
    if name == names.MACRO_F1:
        return float(f1_score(labels, outputs.argmax(axis=1), average="macro", zero_division=0.0))
    if name == names.R2:
        spread = ((labels - labels.mean()) ** 2).sum()
        return float(1.0 - ((labels - outputs) ** 2).sum() / spread) if spread > 0 else None
    return float(from_rows(name, row_losses(task, labels, outputs, name).mean()))


def earned(money: Money, labels: npt.NDArray[Any], decided: npt.NDArray[np.bool_]) -> Numbers:
    """Return what each row's decision was worth; `decided` is true where it was positive."""
    positive = np.where(labels == 1, money.true_positive, money.false_positive)
    return np.where(decided, positive, np.where(labels == 1, money.false_negative, money.true_negative))


def objective_losses(
    objective: Objective, task: Task, labels: npt.NDArray[Any], outputs: Numbers, threshold: float | None
) -> Numbers:
    """Return each row's share of the objective, smaller is better (`lifecycle.objective.Objective.row_loss`)."""
    if objective.metric != names.MONEY:
        return row_losses(task, labels, outputs, objective.metric)
    assert objective.money is not None, "money_score has money"
    return -earned(objective.money, labels, outputs >= (1.0 if threshold is None else threshold))


def all_metrics(
    task: Task,
    labels: npt.NDArray[Any],
    outputs: Numbers,
    threshold: float | None,
    costs: tuple[float, float] | None,
    money: Money | None = None,
) -> dict[str, float | None]:
    """Return every metric of the task; `costs` are those of a false positive and of a false negative."""
    found: dict[str, float | None] = {}
    for name in names.OF_TASK[task]:
        if name not in (names.F1, names.COST_LOSS, names.MONEY):
            found[name] = metric(task, name, labels, outputs)
    if threshold is not None:
        decided = outputs >= threshold
        found[names.F1] = float(f1_score(labels, decided, zero_division=0.0))
        if costs is not None:
            wrong = (decided & (labels == 0)).mean() * costs[0] + (~decided & (labels == 1)).mean() * costs[1]
            found[names.COST_LOSS] = float(wrong)
        if money is not None:
            found[names.MONEY] = float(earned(money, labels, decided).mean())
    return found


def bootstrap(name: str, ours: Numbers, theirs: Numbers, confidence: float, seed: int) -> dict[str, Any]:
    """Return the paired bootstrap of a difference of losses (ours - theirs): below 0 we are better.

    So it is for scores, too: their losses are what they fall short by.

    1,000 resamples of the rows; the interval holds `confidence` of them.
    """
    rng = np.random.default_rng(seed)
    differences = []
    chunk = max(1, CHUNK_VALUES // len(ours))
    for start in range(0, RESAMPLES, chunk):
        drawn = rng.integers(0, len(ours), size=(min(chunk, RESAMPLES - start), len(ours)))
        differences.append(from_rows(name, ours[drawn].mean(axis=1)) - from_rows(name, theirs[drawn].mean(axis=1)))
    low, high = np.quantile(np.concatenate(differences), [(1 - confidence) / 2, (1 + confidence) / 2])
    difference = float(from_rows(name, ours.mean()) - from_rows(name, theirs.mean()))
    return {"metric": name, "difference": difference, "low": float(low), "high": float(high), "confidence": confidence}


def calibration(labels: npt.NDArray[Any], outputs: Numbers, bins: int = 10) -> list[dict[str, Any]]:
    """Return mean prediction and share of positives in bins of equally many rows."""
    order = np.argsort(outputs, kind="stable")
    return [
        {"predicted": float(outputs[part].mean()), "observed": float(labels[part].mean()), "rows": len(part)}
        for part in np.array_split(order, min(bins, len(order)))
    ]


def slices(values: Mapping[str, list[str | None]], losses: Mapping[str, Numbers]) -> list[dict[str, Any]]:
    """Return each loss metric within each value of each column; `losses` holds row losses by metric."""
    found = []
    for column, texts in values.items():
        groups: dict[str, list[int]] = {}
        for place, text in enumerate(texts):
            groups.setdefault("(missing)" if text is None else text, []).append(place)
        for value, places in sorted(groups.items()):
            for name, rows in losses.items():
                score, overall = float(from_rows(name, rows[places].mean())), float(from_rows(name, rows.mean()))
                entry = {"column": column, "value": value, "rows": len(places), "metric": name}
                found.append({**entry, "score": score, "overall": overall})
    return found
