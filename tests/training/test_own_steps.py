"""Preprocessing of the owner's own, from the job's folders to the proof that the compiled model equals the fitted."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from lifecycle import names
from lifecycle.errors import RequestRejected
from lifecycle.preparation import Preparation
from lifecycle.scoring import CompiledModel
from lifecycle.spec import Candidate, ModelSpec, Task
from tests.training import world

ESTIMATORS = """
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer, OneHotEncoder, OrdinalEncoder, RobustScaler, StandardScaler, TargetEncoder
)

texts = make_column_selector(dtype_include=object)
numbers = make_column_selector(dtype_include=float)


def columns(encoder, scaler=None):
    filled = SimpleImputer(strategy="median", add_indicator=True)
    return ColumnTransformer([("n", make_pipeline(filled, scaler or StandardScaler()), numbers), ("c", encoder, texts)])


def linear():
    encoder = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=20)
    return make_pipeline(columns(encoder), LogisticRegression())


def ridge(alpha):
    encoder = TargetEncoder(target_type="continuous")
    return make_pipeline(columns(encoder, RobustScaler()), StandardScaler(), Ridge(alpha))


def forest():
    return make_pipeline(columns(TargetEncoder()), RandomForestClassifier(20, max_depth=5))


def boosting():
    passed = ColumnTransformer([("c", TargetEncoder(), texts)], remainder="passthrough")
    return make_pipeline(passed, HistGradientBoostingClassifier(max_iter=20))


def refusing():
    return make_pipeline(columns(OneHotEncoder()), LogisticRegression())


def several():
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return make_pipeline(columns(make_pipeline(codes, OneHotEncoder())), LogisticRegression())


def coded():
    passed = FunctionTransformer(abs)
    return make_pipeline(ColumnTransformer([("n", passed, ["size"])]), LogisticRegression())


def native():
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=float("nan"))
    passed = ColumnTransformer([("c", codes, texts)], remainder="passthrough")
    return make_pipeline(passed, HistGradientBoostingClassifier(max_iter=10, categorical_features=[0]))


def reduced():
    return make_pipeline(columns(TargetEncoder()), PCA(3), LogisticRegression())
"""


def own(task: Task, *functions: str, **search: list[float]) -> ModelSpec:
    made = tuple(Candidate(family=f"own-{name}", estimator=f"estimators:{name}", search=search) for name in functions)
    spec = world.spec_of(task)
    known = hashlib.sha256(ESTIMATORS.encode()).hexdigest()
    return replace(spec, training=replace(spec.training, candidates=made, trials=1), estimators_sha256=known)


def run(folder: Path, spec: ModelSpec) -> tuple[world.World, CompiledModel]:
    made = world.build(folder / "world", spec, world.table(spec.contract.task), estimators=ESTIMATORS)
    for entry in spec.training.candidates:
        assert made.train(entry.family) == 0, made.failure(entry.family)
    assert made.evaluate() == 0, made.message()
    return made, CompiledModel.load(made.compiled(), made.code)


@pytest.mark.parametrize(
    ("task", "function"),
    [*((task, name) for task in (Task.BINARY, Task.MULTICLASS) for name in ("linear", "forest", "boosting"))],
)
def test_a_pipeline_of_the_owners_is_compiled_and_equals_itself_on_every_holdout_row(
    task: Task, function: str, tmp_path: Path
) -> None:
    made, model = run(tmp_path, own(task, function))
    card = made.scorecard()
    assert card["serving"]["target"] == "lambda"
    parity = card["compiled"]["parity"]
    assert parity["rows"] > 50
    assert parity["worst"] < 1e-15
    assert model.encoder.width > 8


def test_an_encoder_that_refuses_values_refuses_rows_at_the_door_too(tmp_path: Path) -> None:
    made, model = run(tmp_path, own(Task.BINARY, "refusing"))
    assert made.scorecard()["compiled"]["parity"]["worst"] < 1e-15
    with pytest.raises(RequestRejected, match="place: the model has not learned this value, and takes no other"):
        model.score([{"place": "never seen"}])


def test_a_pipeline_for_a_regression_takes_hyperparameters(tmp_path: Path) -> None:
    made, _ = run(tmp_path, own(Task.REGRESSION, "ridge", alpha=[2.0]))
    card = made.scorecard()
    assert card["compiled"]["parity"]["equal"] == card["rows"]["holdout"]
    assert card["winner"]["parameters"] == {"alpha": 2.0}


def test_what_cannot_be_compiled_in_the_last_steps_is_served_by_an_endpoint(tmp_path: Path) -> None:
    made, _ = run(tmp_path, own(Task.BINARY, "reduced"))
    card = made.scorecard()
    assert card["serving"]["target"] == "serverless"
    assert "Pipeline cannot be compiled" in card["serving"]["reason"]
    assert card["compiled"]["parity"]["equal"] == card["rows"]["holdout"]


def test_categories_of_hist_gradient_boosting_behind_an_encoder_of_the_owners_are_refused(tmp_path: Path) -> None:
    spec = own(Task.BINARY, "native")
    made = world.build(tmp_path / "world", spec, world.table(Task.BINARY), estimators=ESTIMATORS)
    assert made.train("own-native") == 0
    assert made.evaluate() == 1
    assert "no candidate family can be used. own-native" in made.message()


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("several", "an encoder that refuses values must be the first step of its column"),
        ("coded", "FunctionTransformer(abs) cannot be compiled; compute such values in features.py"),
    ],
)
def test_preprocessing_that_cannot_be_compiled_is_refused_by_name(function: str, reason: str, tmp_path: Path) -> None:
    spec = own(Task.BINARY, function)
    made = world.build(tmp_path / "world", spec, world.table(Task.BINARY), estimators=ESTIMATORS)
    assert made.train(f"own-{function}") == 1
    assert reason in made.failure(f"own-{function}")


SAID = {
    "robust": Preparation(impute="mean", indicator=True, scale="robust"),
    "min-max one-hot": Preparation(impute="constant", fill=-1.0, scale="min-max", encode="one-hot"),
    "ordinal": Preparation(scale="none", encode="ordinal"),
    "target": Preparation(encode="target"),
}


@pytest.mark.parametrize("said", list(SAID))
@pytest.mark.parametrize(
    ("family", "task"),
    [
        (names.LOGISTIC_REGRESSION, Task.BINARY),
        (names.RANDOM_FOREST, Task.MULTICLASS),
        (names.HIST_GRADIENT_BOOSTING, Task.BINARY),
        (names.LIGHTGBM, Task.REGRESSION),
    ],
)
def test_what_model_yaml_says_of_columns_is_compiled_beside_the_default_encoding(
    said: str, family: str, task: Task, tmp_path: Path
) -> None:
    spec = world.spec_of(task)
    entry = Candidate(family=family, prepare=SAID[said])
    columns = {"place": Preparation(encode="target"), "at": Preparation(parts=("hour", "year", "day_of_year"))}
    spec = replace(spec, training=replace(spec.training, candidates=(entry,), prepare=columns, trials=1))
    made, model = run(tmp_path, spec)
    card = made.scorecard()
    assert card["compiled"]["parity"]["worst"] < 1e-14
    kinds = {entry["feature"]: entry["as"] for entry in model.encoder.inputs}
    assert kinds["place"] == "steps"
    assert kinds["first"] == ("category" if SAID[said].encode is None else kinds["first"])
    times = [entry for entry in model.encoder.inputs if entry["feature"] == "at"]
    assert [part for e in times for part in e.get("parts", [e.get("of")])] == ["hour", "year", "day_of_year"]


@pytest.mark.parametrize("family", [names.RANDOM_FOREST, names.HIST_GRADIENT_BOOSTING])
def test_missing_numbers_may_stay_missing_beside_their_indicator(family: str, tmp_path: Path) -> None:
    spec = world.spec_of(Task.BINARY)
    kept = Preparation(impute="none", indicator=True)
    spec = replace(
        spec, training=replace(spec.training, candidates=(Candidate(family=family, prepare=kept),), trials=1)
    )
    made, model = run(tmp_path, spec)
    assert made.scorecard()["compiled"]["parity"]["worst"] < 1e-15
    steps = [entry["steps"] for entry in model.encoder.inputs if entry["as"] == "steps"]
    assert [] in steps
    assert [["missing"]] in steps


def test_a_linear_family_says_that_missing_numbers_must_not_stay(tmp_path: Path) -> None:
    spec = world.spec_of(Task.BINARY)
    entry = Candidate(family=names.LOGISTIC_REGRESSION, prepare=Preparation(impute="none"))
    spec = replace(spec, training=replace(spec.training, candidates=(entry,), trials=1))
    made = world.build(tmp_path / "world", spec, world.table(Task.BINARY))
    assert made.train(names.LOGISTIC_REGRESSION) == 1
    assert "Input X contains NaN" in made.failure(names.LOGISTIC_REGRESSION)
