"""Frame + encoder + fitted estimator -> outputs as scikit-learn computes them: what compiled models must equal."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from lifecycle.encoding import missing_codes
from lifecycle.spec import Task
from training import encode
from training.compile_linear import LINEAR

Numbers = npt.NDArray[np.float64]
MISSING_IS_NAN = (
    *("HistGradientBoostingClassifier", "HistGradientBoostingRegressor", "XGBClassifier", "XGBRegressor"),
    *("XGBRFClassifier", "XGBRFRegressor", "LGBMClassifier", "LGBMRegressor"),
)


def inputs(frame: pl.DataFrame, encoder: Mapping[str, Any], estimator: Any) -> Any:
    """Return what `estimator` is fitted on.

    Boosted trees that split categories want missing ones as NaN; logistic regression is several times faster on a
    sparse matrix when categories have many values.
    """
    solver = estimator.solver if isinstance(estimator, LogisticRegression) else None
    if solver == "lbfgs" and encode.is_mostly_zero(encoder):
        return encode.spread(frame, encoder)
    matrix = encode.dense(frame, encoder)
    if type(inner(estimator)).__name__ in MISSING_IS_NAN:
        for position, code in enumerate(missing_codes(encoder)):
            if code is not None:
                column = matrix[:, position]
                column[column == code] = np.nan
    return matrix


def outputs(estimator: Any, matrix: Any, task: Task, classes: int) -> Numbers:
    """Return the positive class's probability (binary), each class's (multiclass, (rows, classes)) or the value.

    Linear models get a sparse matrix, which scipy multiplies in the order of the inputs. BLAS multiplies a dense one in
    an order that depends on the processor and on the number of rows, so that not even two calls agree to the bit.
    """
    if isinstance(inner(estimator), (*LINEAR, OneVsRestClassifier)):
        matrix = sparse.csr_matrix(matrix)
    if task is Task.REGRESSION:
        return np.asarray(estimator.predict(matrix), dtype=np.float64)
    found = np.asarray(estimator.predict_proba(matrix), dtype=np.float64)
    spread = np.zeros((len(found), classes))
    spread[:, np.asarray(estimator.classes_, dtype=np.int64)] = found
    return spread[:, 1] if task is Task.BINARY else spread


def inner(estimator: Any) -> Any:
    """Return the estimator within a calibration, or the estimator itself."""
    while isinstance(estimator, CalibratedClassifierCV) or type(estimator).__name__ == "FrozenEstimator":
        estimator = estimator.estimator
    return estimator
