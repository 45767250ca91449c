"""Fitted CalibratedClassifierCV -> estimator data: members with their calibrators."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.isotonic import IsotonicRegression

from lifecycle.errors import ModelRejected
from lifecycle.packed import pack


def calibrated(estimator: Any, compile_scores: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """Return the data of a calibrated classifier; `compile_scores` compiles what a member is calibrated on.

    Raises ModelRejected for another method than sigmoid and isotonic, or when a member has not met every class.
    """
    if estimator.method not in ("sigmoid", "isotonic"):
        raise ModelRejected(f"calibration by {estimator.method!r} cannot be compiled; use sigmoid or isotonic")
    members = []
    for member in estimator.calibrated_classifiers_:
        inner = member.estimator
        if list(inner.classes_) != list(estimator.classes_):
            raise ModelRejected("a part of the calibration's training rows lacks a class; use fewer folds or more rows")
        members.append(
            {
                "estimator": compile_scores(getattr(inner, "estimator", inner) if _frozen(inner) else inner),
                "calibrators": [_calibrator(one) for one in member.calibrators],
            }
        )
    return {"kind": "calibrated", "link": "identity", "members": members}


def _frozen(estimator: Any) -> bool:
    return type(estimator).__name__ == "FrozenEstimator"


def _calibrator(fitted: Any) -> dict[str, Any]:
    if not isinstance(fitted, IsotonicRegression):
        return {"as": "sigmoid", "a": float(fitted.a_), "b": float(fitted.b_)}
    xs, ys = fitted.X_thresholds_, fitted.y_thresholds_
    single = xs.dtype == np.float32
    return {"as": "isotonic", "x": pack("d", xs.tolist()), "y": pack("d", ys.tolist()), "float32": bool(single)}
