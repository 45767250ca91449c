"""Fitted estimator + encoder -> compiled model file (docs/compiled-format.md). Refuses what it cannot express."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sklearn.calibration import CalibratedClassifierCV
from sklearn.multiclass import OneVsRestClassifier

from lifecycle import compiled
from lifecycle.encoding import missing_codes, width_of
from lifecycle.errors import ModelRejected
from lifecycle.spec import ModelSpec, Task, contract_to_plain
from training import compile_boosted, compile_calibrated, compile_linear, compile_trees
from training.own_steps import Own

XGBOOST: Final = ("XGBClassifier", "XGBRegressor", "XGBRFClassifier", "XGBRFRegressor")
LIGHTGBM: Final = ("LGBMClassifier", "LGBMRegressor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A family's best trial: estimator, encoder (plain data), classes (the positive one last), learned values.

    `own` is the preprocessing that the owner chose, fitted, where there is any; `encoder` holds it, compiled.
    """

    family: str
    estimator: Any
    encoder: Mapping[str, Any]
    classes: Sequence[str] | None
    learned: Mapping[str, Sequence[str]]
    own: Own | None = None


def compile_model(
    fitted: Fitted,
    spec: ModelSpec,
    threshold: float | None,
    run_id: str,
    version: str,
    estimator: Mapping[str, Any] | None = None,
) -> bytes:
    """Return the compiled file of a fitted model; `estimator` stands in for compiling it (`lifecycle.remote`).

    Raises
    ------
    ModelRejected
        when the estimator is of a class that cannot be compiled, or the result does not pass the checks of its format.
    """
    contract = contract_to_plain(spec.contract)
    return compiled.write(
        {
            "task": str(spec.contract.task),
            "family": fitted.family,
            "classes": None if fitted.classes is None else list(fitted.classes),
            "threshold": threshold,
            "contract": contract,
            "features_sha256": spec.features_sha256 if contract.get("derived") else None,
            "learned": {name: list(values) for name, values in fitted.learned.items()},
            "encoder": fitted.encoder,
            "estimator": estimator_data(fitted, spec.contract.task) if estimator is None else estimator,
            "ids": {
                "run_id": run_id,
                "data_version": version,
                "spec_id": spec.spec_id,
                "contract_id": spec.contract.contract_id,
            },
        }
    )


def estimator_data(fitted: Fitted, task: Task) -> dict[str, Any]:
    """Return the estimator as plain data.

    Raises ModelRejected for a class or setting that cannot be compiled; the message names it, and the way out.
    """
    estimator = fitted.estimator
    try:
        if isinstance(estimator, CalibratedClassifierCV):
            return compile_calibrated.calibrated(estimator, lambda inner: _scores(inner, task, fitted.encoder))
        return _plain(estimator, task, fitted.encoder, scores=False)
    except ModelRejected as error:
        raise ModelRejected(f"{fitted.family}: {error}") from error


def _scores(estimator: Any, task: Task, encoder: Mapping[str, Any]) -> dict[str, Any]:
    """What a calibration reads: the decision function where there is one, otherwise probabilities."""
    data = _plain(estimator, task, encoder, scores=True)
    if not hasattr(estimator, "decision_function"):
        return data
    # a decision function is the sum itself: LightGBM's forests do not even divide it by their trees
    summed = {"average": False} if "average" in data else {}
    return {**{key: data[key] for key in data if key not in ("slope", "pairwise")}, "link": "identity", **summed}


def _plain(estimator: Any, task: Task, encoder: Mapping[str, Any], *, scores: bool) -> dict[str, Any]:
    if isinstance(estimator, (*compile_linear.LINEAR, OneVsRestClassifier)):
        return compile_linear.linear(estimator, task, scores=scores)
    if isinstance(estimator, (*compile_trees.FORESTS, *compile_trees.SINGLE)):
        return compile_trees.forest(estimator, task)
    if isinstance(estimator, compile_boosted.HIST):
        return compile_boosted.hist(estimator, task, encoder)
    if isinstance(estimator, compile_boosted.GRADIENT):
        return compile_boosted.gradient(estimator, task)
    return _other(estimator, encoder)


def _other(estimator: Any, encoder: Mapping[str, Any]) -> dict[str, Any]:
    """Estimators of libraries that only models that name them load."""
    name = type(estimator).__name__
    if name in XGBOOST:
        from training import compile_xgboost

        return compile_xgboost.boosted(estimator, _sizes(encoder))
    if name in LIGHTGBM:
        from training import compile_lightgbm

        return compile_lightgbm.boosted(estimator, _sizes(encoder))
    raise ModelRejected(
        f"{type(estimator).__module__}.{type(estimator).__qualname__} cannot be compiled; linear and logistic models, "
        "trees, forests, gradient boosting, XGBoost, LightGBM and their calibration can"
    )


def _sizes(encoder: Mapping[str, Any]) -> list[int | None]:
    """Per input of the estimator the number of its categories, None where it is a number."""
    codes = missing_codes(encoder)
    if not any(code is not None for code in codes):
        return [None] * len(codes)
    inputs = ((entry, width_of(entry)) for entry in encoder["inputs"])
    return [len(e["categories"]) if e["as"] == "category" else None for e, width in inputs for _ in range(width)]
