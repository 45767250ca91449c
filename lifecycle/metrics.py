"""Names of metrics and which way is better; the direction is read from the suffix, so a gate cannot get it wrong.

Losses end in `_loss` or `_error` (smaller is better), scores in `_score` (larger is better). Defaults are proper
scoring rules or errors in the target's unit, never bare accuracy. The figures are computed in `training.measure`.
"""

from typing import Final

LOG_LOSS: Final = "log_loss"
BRIER_LOSS: Final = "brier_loss"
PR_AUC: Final = "pr_auc_score"
ROC_AUC: Final = "roc_auc_score"
F1: Final = "f1_score"
COST_LOSS: Final = "cost_loss"
MONEY: Final = "money_score"
MACRO_F1: Final = "macro_f1_score"
RMSE: Final = "rmse_error"
MAE: Final = "mae_error"
R2: Final = "r2_score"

OF_TASK: Final = {
    "binary": (LOG_LOSS, BRIER_LOSS, PR_AUC, ROC_AUC, F1, COST_LOSS, MONEY),
    "multiclass": (LOG_LOSS, MACRO_F1),
    "regression": (RMSE, MAE, R2),
}
DEFAULT: Final = {"binary": LOG_LOSS, "multiclass": LOG_LOSS, "regression": RMSE}
OF_SLICES: Final = {
    "binary": (LOG_LOSS, BRIER_LOSS),
    "multiclass": (LOG_LOSS,),
    "regression": (RMSE, MAE),
}
OF_DECISIONS: Final = (F1, "balanced_accuracy_score", "accuracy_score")


def larger_is_better(metric: str) -> bool:
    """Return the direction of a metric. Raises ValueError when its name has none of the three suffixes.

    >>> larger_is_better("pr_auc_score"), larger_is_better("log_loss")
    (True, False)
    """
    if metric.endswith("_score"):
        return True
    if metric.endswith(("_loss", "_error")):
        return False
    raise ValueError(f"metric {metric!r} must end in _score (larger is better), _loss or _error (smaller is better)")


def as_loss(metric: str, value: float | None) -> float:
    """Return a figure in which smaller is better; infinity when there is none, so that it never wins."""
    if value is None or value != value:  # noqa: PLR0124 - NaN
        return float("inf")
    return -value if larger_is_better(metric) else value
