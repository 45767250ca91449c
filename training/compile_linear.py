"""Fitted linear models of scikit-learn -> estimator data: coefficients, intercepts, link."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from sklearn.linear_model import (
    ARDRegression,
    BayesianRidge,
    ElasticNet,
    HuberRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    LogisticRegressionCV,
    PassiveAggressiveClassifier,
    PassiveAggressiveRegressor,
    Perceptron,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import LinearSVC, LinearSVR

from lifecycle.errors import ModelRejected
from lifecycle.spec import Task

LOGISTIC: Final = (LogisticRegression, LogisticRegressionCV)
REGRESSORS: Final = (
    *(LinearRegression, Ridge, Lasso, ElasticNet, SGDRegressor, PassiveAggressiveRegressor, HuberRegressor),
    *(BayesianRidge, ARDRegression, LinearSVR),
)
SCORERS: Final = (RidgeClassifier, Perceptron, PassiveAggressiveClassifier, LinearSVC)
"""Classifiers that have scores but no probabilities: only a calibration around them can be compiled."""
LINEAR: Final = (*LOGISTIC, *REGRESSORS, *SCORERS, SGDClassifier)


def linear(estimator: Any, task: Task, *, scores: bool) -> dict[str, Any]:
    """Return the data of one of the LINEAR classes or of one-vs-rest over them; `scores` leaves its link out.

    Raises ModelRejected for a classifier without probabilities unless its scores are what is asked for.
    """
    if isinstance(estimator, OneVsRestClassifier):
        return _one_vs_rest(estimator, task, scores=scores)
    if scores or isinstance(estimator, REGRESSORS):
        return _data(estimator, {"link": "identity"})
    if isinstance(estimator, SCORERS) or (
        isinstance(estimator, SGDClassifier) and estimator.loss not in ("log_loss", "modified_huber")
    ):
        loss = f" with loss {estimator.loss!r}" if isinstance(estimator, SGDClassifier) else ""
        raise ModelRejected(
            f"{type(estimator).__name__}{loss} has no probabilities; put CalibratedClassifierCV around it, or use "
            "SGDClassifier with log_loss or modified_huber"
        )
    if isinstance(estimator, SGDClassifier) and estimator.loss == "modified_huber":
        return _data(estimator, {"link": "clipped", "pairwise": True})
    if task is Task.BINARY:
        return _data(estimator, {"link": "logistic"})
    link = "one-vs-rest" if isinstance(estimator, SGDClassifier) else "softmax"
    return _data(estimator, {"link": link, "pairwise": True})


def _one_vs_rest(estimator: Any, task: Task, *, scores: bool) -> dict[str, Any]:
    """One-vs-rest over logistic models; over anything linear when only scores are asked for."""
    inner = estimator.estimators_
    logistic = all(
        isinstance(one, LOGISTIC) or (isinstance(one, SGDClassifier) and one.loss == "log_loss") for one in inner
    )
    if task is not Task.MULTICLASS or not (logistic or (scores and all(isinstance(one, LINEAR) for one in inner))):
        found = ", ".join(sorted({type(one).__name__ for one in inner}))
        raise ModelRejected(f"OneVsRestClassifier over {found} cannot be compiled; over LogisticRegression it can")
    data = {
        "kind": "linear",
        "coefficients": [one.coef_[0].astype(float).tolist() for one in inner],
        "intercept": [float(np.ravel(one.intercept_)[0]) for one in inner],
    }
    return {**data, "link": "identity" if scores else "one-vs-rest-or-zero"}


def _data(estimator: Any, link: Mapping[str, Any]) -> dict[str, Any]:
    coefficients = np.atleast_2d(estimator.coef_)
    intercept = np.broadcast_to(np.atleast_1d(estimator.intercept_), (len(coefficients),))
    plain = {"coefficients": coefficients.astype(float).tolist(), "intercept": intercept.astype(float).tolist()}
    return {"kind": "linear", **link, **plain}
