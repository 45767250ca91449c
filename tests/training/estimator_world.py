"""Every kind of estimator that can be compiled, fitted on small generated tables with everything awkward in them."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
import polars as pl
import xgboost
from sklearn import ensemble, linear_model, svm, tree
from sklearn.calibration import CalibratedClassifierCV
from sklearn.multiclass import OneVsRestClassifier

from lifecycle.encoding import ORDINAL, STANDARD
from lifecycle.scoring import CompiledModel
from lifecycle.spec import Column, Contract, Kind, ModelSpec, Task
from training import encode, predict
from training.compile import Fitted, compile_model
from training.estimators import categorical

CLASSES = {Task.BINARY: ["no", "yes"], Task.MULTICLASS: ["high", "low", "mid"], Task.REGRESSION: None}
COLUMNS = {"size": Kind.NUMBER, "wide": Kind.NUMBER, "count": Kind.INTEGER, "place": Kind.CATEGORY}
TYPES = {"size": pl.Float64, "wide": pl.Float64, "count": pl.Int64, "place": pl.String}
PLACES = ["Ålesund", "東京", 'O\'Hare, "IL"', "x y", "z", "\u200b"]
EDGES = [
    *(0.0, -0.0, 1.0, -1.0, 1e-300, -1e-40, 1e-35, 5e-324, 1e38, -1e38, 1.0000000001e38, 1e300, 16777217.0, 0.1),
    *(1.0000000596046448, 0.30000001192092896, 3.4028235677973366e38, 1.1754943508222875e-38, float("inf")),
]

Make = Callable[[Task, Mapping[str, Any]], Any]


def _flags(encoder: Mapping[str, Any]) -> list[int]:
    flags = categorical(encoder)
    return [] if flags is None else np.flatnonzero(flags).tolist()


def _xgboost(**options: Any) -> Make:
    def make(task: Task, encoder: Mapping[str, Any]) -> Any:
        flags = categorical(encoder)
        kinds = ["c" if flag else "q" for flag in flags]
        family = xgboost.XGBRegressor if task is Task.REGRESSION else xgboost.XGBClassifier
        plain = {"n_estimators": 12, "max_depth": 4, "n_jobs": 1, "feature_types": kinds, "enable_categorical": True}
        return family(**{**plain, **options})

    return make


def _lightgbm(**options: Any) -> Make:
    def make(task: Task, encoder: Mapping[str, Any]) -> Any:
        family = lightgbm.LGBMRegressor if task is Task.REGRESSION else lightgbm.LGBMClassifier
        plain = {"n_estimators": 12, "num_leaves": 7, "min_child_samples": 3, "n_jobs": 1, "verbose": -1}
        return family(**{**plain, "min_data_per_group": 2, "cat_smooth": 1, **options})

    return make


def _of(classifier: Any, regressor: Any = None, **options: Any) -> Make:
    def make(task: Task, encoder: Mapping[str, Any]) -> Any:
        own = {"categorical_features": categorical(encoder)} if "Hist" in str(classifier) else {}
        return (regressor if task is Task.REGRESSION else classifier)(**options, **own)

    return make


@dataclass(frozen=True)
class Known:
    """A kind of estimator: how it is made, the layout of its input, its tasks, whether it answers uncalibrated."""

    make: Make
    layout: str = ORDINAL
    tasks: tuple[Task, ...] = tuple(Task)
    probabilities: bool = True


BOTH = (Task.BINARY, Task.MULTICLASS)
NUMBERS = (Task.REGRESSION,)
SMALL = {"n_estimators": 6, "max_leaf_nodes": 12, "random_state": 1}
BOOST = {"n_estimators": 10, "random_state": 1}
HIST = {"max_iter": 8, "min_samples_leaf": 3, "max_leaf_nodes": 8, "early_stopping": False}
FEW = {"random_state": 1, "max_iter": 30, "tol": None}
KNOWN: dict[str, Known] = {
    "logistic-regression": Known(_of(linear_model.LogisticRegression), STANDARD, BOTH),
    "one-vs-rest": Known(
        lambda *_: OneVsRestClassifier(linear_model.LogisticRegression()), STANDARD, (Task.MULTICLASS,)
    ),
    "sgd": Known(_of(linear_model.SGDClassifier, linear_model.SGDRegressor, loss="log_loss", **FEW), STANDARD, BOTH),
    "sgd modified_huber": Known(_of(linear_model.SGDClassifier, loss="modified_huber", **FEW), STANDARD, BOTH),
    "sgd hinge": Known(_of(linear_model.SGDClassifier, loss="hinge", **FEW), STANDARD, BOTH, probabilities=False),
    "linear svc": Known(_of(svm.LinearSVC), STANDARD, BOTH, probabilities=False),
    "sgd squared_error": Known(_of(None, linear_model.SGDRegressor, **FEW), STANDARD, NUMBERS),
    "sgd huber": Known(_of(None, linear_model.SGDRegressor, loss="huber", **FEW), STANDARD, NUMBERS),
    "linear-regression": Known(_of(None, linear_model.LinearRegression), STANDARD, NUMBERS),
    "ridge": Known(_of(None, linear_model.Ridge), STANDARD, NUMBERS),
    "lasso": Known(_of(None, linear_model.Lasso, alpha=0.5), STANDARD, NUMBERS),
    "elastic-net": Known(_of(None, linear_model.ElasticNet, alpha=0.1), STANDARD, NUMBERS),
    "decision-tree": Known(_of(tree.DecisionTreeClassifier, tree.DecisionTreeRegressor, max_depth=6)),
    "random-forest": Known(_of(ensemble.RandomForestClassifier, ensemble.RandomForestRegressor, **SMALL)),
    "extra-trees": Known(_of(ensemble.ExtraTreesClassifier, ensemble.ExtraTreesRegressor, **SMALL)),
    "gradient-boosting": Known(
        _of(ensemble.GradientBoostingClassifier, ensemble.GradientBoostingRegressor, **BOOST), STANDARD
    ),
    "gradient-boosting from zero": Known(
        _of(ensemble.GradientBoostingClassifier, ensemble.GradientBoostingRegressor, init="zero", **BOOST), STANDARD
    ),
    "gradient-boosting exponential": Known(
        _of(ensemble.GradientBoostingClassifier, loss="exponential", **BOOST), STANDARD, (Task.BINARY,)
    ),
    "gradient-boosting huber": Known(
        _of(None, ensemble.GradientBoostingRegressor, loss="huber", **BOOST), STANDARD, NUMBERS
    ),
    "hist-gradient-boosting": Known(
        _of(ensemble.HistGradientBoostingClassifier, ensemble.HistGradientBoostingRegressor, **HIST)
    ),
    "hist-gradient-boosting poisson": Known(
        lambda task, encoder: ensemble.HistGradientBoostingRegressor(
            loss="poisson", categorical_features=categorical(encoder), **HIST
        ),
        tasks=NUMBERS,
    ),
    "xgboost": Known(_xgboost()),
    "xgboost forest": Known(_xgboost(n_estimators=3, num_parallel_tree=4, subsample=0.7, colsample_bynode=0.7)),
    "xgboost base_score": Known(_xgboost(base_score=0.7), tasks=(Task.BINARY, Task.REGRESSION)),
    "xgboost poisson": Known(_xgboost(objective="count:poisson"), tasks=NUMBERS),
    "lightgbm": Known(_lightgbm()),
    "lightgbm zero_as_missing": Known(_lightgbm(zero_as_missing=True)),
    "lightgbm no missing": Known(_lightgbm(use_missing=False)),
    "lightgbm sigmoid": Known(_lightgbm(sigmoid=0.7), tasks=(Task.BINARY,)),
    "lightgbm one-vs-all": Known(_lightgbm(objective="multiclassova"), tasks=(Task.MULTICLASS,)),
    "lightgbm forest": Known(_lightgbm(boosting_type="rf", subsample=0.6, subsample_freq=1, colsample_bytree=0.8)),
    "lightgbm dart": Known(_lightgbm(boosting_type="dart")),
    "lightgbm poisson": Known(_lightgbm(objective="poisson"), tasks=NUMBERS),
}
CALIBRATIONS = ("sigmoid", "isotonic", "sigmoid of one", "isotonic of one")
COMBINATIONS = [
    (name, task, calibration)
    for name, known in KNOWN.items()
    for task in known.tasks
    for calibration in ("", *(CALIBRATIONS if task is not Task.REGRESSION else ()))
    if calibration or known.probabilities
]


def table(seed: int, task: Task, special: list[float], rows: int = 70) -> tuple[pl.DataFrame, np.ndarray]:
    """A table whose numbers are ordinary, huge, tiny, rounded to float32 or from `special`, and its labels."""
    chance = random.Random(seed)

    def number(spread: float) -> float | None:
        kind = chance.random()
        if kind < 0.12:
            return None
        if special and kind < 0.3:
            return chance.choice(special)
        value = chance.gauss(0, spread)
        return float(np.float32(value)) if kind < 0.5 else value

    columns = {
        "size": [number(3.0) for _ in range(rows)],
        "wide": [number(10.0 ** chance.randrange(-12, 12)) for _ in range(rows)],
        "count": [None if chance.random() < 0.1 else chance.randrange(-4, 30) for _ in range(rows)],
        "place": [chance.choice([*PLACES, None, ""]) for _ in range(rows)],
    }
    score = [
        (size or 0 if abs(size or 0) < 9 else 1) + (count or 0) / 10 + len(place or "") / 3 + chance.gauss(0, 1)
        for size, count, place in zip(columns["size"], columns["count"], columns["place"], strict=True)
    ]
    if task is Task.REGRESSION:
        labels = np.abs(np.array(score)) * 10 ** chance.randrange(0, 4)
    else:
        labels = np.argsort(np.argsort(score)) * len(CLASSES[task]) // rows
    return pl.DataFrame(columns, schema=TYPES), labels


def fitted(
    name: str, task: Task, calibration: str, frame: pl.DataFrame, labels: np.ndarray
) -> tuple[Fitted, CompiledModel]:
    """Fit a combination, compile it and load it again."""
    known = KNOWN[name]
    encoder = encode.fit(
        frame, list(COLUMNS.items()), known.layout, np.asarray(labels > np.median(labels), dtype=float)
    )
    estimator = known.make(task, encoder)
    if calibration:
        method, _, single = calibration.partition(" ")
        estimator = CalibratedClassifierCV(estimator, method=method, cv=2, ensemble=not single)
    matrix = predict.inputs(frame, encoder, estimator)
    told = {"categorical_feature": _flags(encoder)} if name.startswith("lightgbm") else {}
    estimator.fit(matrix, labels, **told)
    found = Fitted(family=name, estimator=estimator, encoder=encoder, classes=CLASSES[task], learned={})
    threshold = 0.5 if task is Task.BINARY else None
    return found, CompiledModel.load(compile_model(found, spec_of(task), threshold, "run", "v" * 64))


def spec_of(task: Task) -> ModelSpec:
    target = Column(name="target", kind=Kind.NUMBER if task is Task.REGRESSION else Kind.CATEGORY)
    columns = tuple(Column(name=name, kind=kind) for name, kind in COLUMNS.items())
    contract = Contract(task=task, target="target", columns=(*columns, target), positive=None)
    return ModelSpec(model="demo", dataset="demo", contract=contract)


def answers(found: Fitted, task: Task, frame: pl.DataFrame) -> np.ndarray:
    """What the fitted estimator answers."""
    matrix = predict.inputs(frame, found.encoder, found.estimator)
    return predict.outputs(found.estimator, matrix, task, len(found.classes or ())).reshape(frame.height, -1)
