"""Frame + encoder + fitted estimator -> outputs as scikit-learn computes them: what compiled models must equal."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression

from lifecycle.encoding import missing_codes
from lifecycle.spec import Task
from training import encode

Numbers = npt.NDArray[np.float64]


def inputs(frame: pl.DataFrame, encoder: Mapping[str, Any], estimator: Any) -> Any:
    """Return what `estimator` is fitted on.

    Hist gradient boosting wants missing categories as NaN; logistic regression is several times faster on a sparse
    matrix when categories have many values.
    """
    solver = estimator.solver if isinstance(estimator, LogisticRegression) else None
    if solver == "lbfgs" and encode.is_mostly_zero(encoder):
        return encode.spread(frame, encoder)
    matrix = encode.dense(frame, encoder)
    if isinstance(estimator, HistGradientBoostingClassifier | HistGradientBoostingRegressor):
        for position, code in enumerate(missing_codes(encoder)):
            if code is not None:
                column = matrix[:, position]
                column[column == code] = np.nan
    return matrix


def outputs(estimator: Any, matrix: Any, task: Task, classes: int) -> Numbers:
    """Return the positive class's probability (binary), each class's (multiclass, (rows, classes)) or the value."""
    if task is Task.REGRESSION:
        return np.asarray(estimator.predict(matrix), dtype=np.float64)
    found = np.asarray(estimator.predict_proba(matrix), dtype=np.float64)
    spread = np.zeros((len(found), classes))
    spread[:, np.asarray(estimator.classes_, dtype=np.int64)] = found
    return spread[:, 1] if task is Task.BINARY else spread
