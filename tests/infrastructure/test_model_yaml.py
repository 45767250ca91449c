"""model.yaml -> spec: defaults are filled in; what is wrong is told with key, what is allowed, what was found."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.schema import Kind
from lifecycle.spec import ModelSpec
from stacks.column_groups import expand
from stacks.model_yaml import json_schema, read_model
from stacks.project import SynthesisRefused
from tests.infrastructure.world import FIXTURES, ROOT

SMALL: dict[str, Any] = {
    "model": "small",
    "task": "binary",
    "target": "bought",
    "positive": "true",
    "columns": {"age": "number", "colour": "category", "day": "datetime", "bought": "boolean"},
}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes models/small/model.yaml: SMALL with changes (None removes a key), or any text."""

    def write(text: str | None = None, **changes: Any) -> Path:
        folder = tmp_path / "small"
        folder.mkdir(exist_ok=True)
        content = {key: value for key, value in {**SMALL, **changes}.items() if value is not None}
        path = folder / "model.yaml"
        path.write_text(yaml.safe_dump(content, sort_keys=False) if text is None else text)
        return path

    return write


def refusal(path: Path) -> str:
    with pytest.raises(SynthesisRefused) as caught:
        read_model(path)
    return str(caught.value)


def test_a_small_file_gets_every_default(write: Callable[..., Path]) -> None:
    spec = read_model(write())
    assert spec.dataset == "small"
    assert [candidate.family for candidate in spec.training.candidates] == [
        "logistic-regression",
        "random-forest",
        "hist-gradient-boosting",
    ]
    assert spec.training.metric == "log_loss"
    assert spec.serving.auth == "iam"
    assert spec.contract.by_name["age"].kind is Kind.NUMBER
    assert spec.features_sha256 is None


def test_a_spec_survives_its_file(write: Callable[..., Path], tmp_path: Path) -> None:
    for path in (write(), *FIXTURES.glob("models/*/model.yaml")):
        spec = read_model(path)
        (tmp_path / spec.file_name).write_bytes(spec.to_bytes())
        assert ModelSpec.find(tmp_path) == spec
        (tmp_path / spec.file_name).unlink()


def test_a_group_becomes_its_columns_and_a_column_of_its_own_wins(write: Callable[..., Path]) -> None:
    columns = {**SMALL["columns"], "s_02": {"kind": "integer", "min": 0}}
    spec = read_model(write(columns=columns, groups={"s_01..s_03": {"kind": "number", "max": 1}}))
    found = spec.contract.by_name
    assert [found[name].kind for name in ("s_01", "s_02", "s_03")] == ["number", "integer", "number"]
    assert found["s_03"].max == 1
    assert found["s_02"].max is None


def test_users_files_count_by_their_bytes(write: Callable[..., Path]) -> None:
    path = write(derived={"ratio": "number"}, candidates=["estimators:make_tree", "random-forest"])
    features, estimators = path.parent / "features.py", path.parent / "estimators.py"
    features.write_text("def features(row):\n    return {}\n")
    estimators.write_text("def make_tree(**given):\n    return None\n")
    before = read_model(path)
    estimators.write_text("def make_tree(**given):\n    return 1\n")
    after = read_model(path)
    assert before.features_sha256 == after.features_sha256
    assert before.estimators_sha256 != after.estimators_sha256
    assert before.spec_id != after.spec_id
    assert before.training.candidates[0].family == "make-tree"


def test_yaml_dates_and_booleans_become_the_texts_they_mean(write: Callable[..., Path]) -> None:
    columns = {**SMALL["columns"], "new": {"kind": "number", "since": "2026-01-01", "default": 0}}
    text = yaml.safe_dump({**SMALL, "columns": columns, "positive": True}).replace("'2026-01-01'", "2026-01-01")
    spec = read_model(write(text))
    assert spec.contract.by_name["new"].since == "2026-01-01"
    assert spec.contract.positive == "true"


WRONG = {
    "an unknown key": ({"colums": {}}, ["colums: is not a key that is known here"]),
    "a misspelt task": ({"task": "binari"}, ["task: ", "'binary', 'multiclass' or 'regression'", "found 'binari'"]),
    "forecasting": ({"task": "forecasting"}, ["task: is not supported", "lagged columns", "Tasks: binary"]),
    "multi-label": ({"task": "multi-label"}, ["task: is not supported", "one binary model per label"]),
    "images": ({"task": "image_classification"}, ["task: is not supported", "vision"]),
    "clustering": ({"task": "clustering"}, ["task: is not supported", "nothing to predict"]),
    "another folder's name": ({"model": "large"}, ["model: must be the folder's name 'small', found 'large'"]),
    "a long model name": ({"model": "m" * 21}, ["model: ", "found 'mmm"]),
    "a target that is no column": (
        {"target": "sold"},
        ["target: must be a column, found 'sold'; columns: age, colour"],
    ),
    "a target of another kind": (
        {"target": "day"},
        ["target: must be of kind boolean, category, integer", "'day' is datetime"],
    ),
    "no positive label": ({"positive": None}, ["positive: is missing"]),
    "a positive label that is none": ({"positive": "yes"}, ['positive: must be "true" or "false"', "found 'yes'"]),
    "a positive label without need": (
        {"task": "regression", "target": "age"},
        ["positive: is for task binary; this task is regression"],
    ),
    "a time that is no time": ({"time": "age"}, ["time: must be a column of kind datetime; 'age' is number"]),
    "a split by no time": ({"split": {"by": "time"}}, ["split.by: time needs the key `time`"]),
    "an age without time": ({"max_age_days": 3}, ["max_age_days: needs the key `time`"]),
    "no training data left": ({"split": {"holdout": 0.5, "validation": 0.4}}, ["split: holdout and validation", "0.9"]),
    "a gap without time": ({"split": {"gap_days": 1}}, ["split.gap_days: is for `by: time`"]),
    "a family of another task": (
        {"candidates": ["linear-regression"]},
        ["candidates.0: families for task binary: logistic-regression, sgd", "found 'linear-regression'"],
    ),
    "monotonic without families that can": (
        {"columns": {**SMALL["columns"], "age": {"kind": "number", "monotonic": "increasing"}}},
        ["candidates: monotonic columns need candidates of hist-gradient-boosting, xgboost, lightgbm only; found none"],
    ),
    "a family twice": ({"candidates": ["random-forest", "random-forest"]}, ["candidates: has 'random-forest' 2 times"]),
    "no family": ({"candidates": []}, ["candidates: is empty; leave the key out"]),
    "an estimator elsewhere": (
        {"candidates": ["mine:make"]},
        ["candidates.0: must be estimators:<function>", "'mine:make'"],
    ),
    "an estimator without file": (
        {"candidates": ["estimators:make"]},
        ["candidates.0: ", "estimators.py does not exist"],
    ),
    "an empty search": (
        {"candidates": [{"family": "random-forest", "search": {"n_estimators": []}}]},
        ["candidates.0.search.n_estimators: "],
    ),
    "a metric of another task": (
        {"training": {"metric": "rmse_error"}},
        ["training.metric: metrics of task binary: log_loss"],
    ),
    "Graviton": (
        {"training": {"instance_type": "ml.m7g.large"}},
        ["training.instance_type: is a Graviton type", "ml.m5.large"],
    ),
    "GPU": ({"training": {"instance_type": "ml.g5.xlarge"}}, ["training.instance_type: has an accelerator"]),
    "no instance type": ({"training": {"instance_type": "m5.large"}}, ["training.instance_type: must be a SageMaker"]),
    "a run without end": ({"training": {"max_minutes": 600}}, ["training.max_minutes: 3 families", "a run has 23"]),
    "two ways to decide": (
        {"decision": {"threshold": 0.5, "metric": "f1_score"}},
        ["decision: takes one of: metric, threshold"],
    ),
    "half the costs": ({"decision": {"false_positive": 1}}, ["decision: needs both costs"]),
    "a decision without classes": (
        {"task": "regression", "target": "age", "positive": None, "decision": {"threshold": 0.5}},
        ["decision: is for task binary"],
    ),
    "a gate without bound": ({"gates": {"metrics": [{"metric": "log_loss"}]}}, ["gates.metrics.0: needs min or max"]),
    "a gate on accuracy": (
        {"gates": {"metrics": [{"metric": "accuracy", "min": 0.9}]}},
        ["gates.metrics.0.metric: metrics of task binary", "found 'accuracy'"],
    ),
    "costs that are not given": (
        {"gates": {"metrics": [{"metric": "cost_loss", "max": 1}]}},
        ["gates.metrics.0.metric: cost_loss needs decision"],
    ),
    "a slice of no column": (
        {"gates": {"slices": [{"column": "shop", "metric": "log_loss", "max_ratio": 2}]}},
        ["gates.slices.0.column: must be a column or a derived one, found 'shop'"],
    ),
    "a slice by a score": (
        {"gates": {"slices": [{"column": "colour", "metric": "roc_auc_score", "max_ratio": 2}]}},
        ["gates.slices.0.metric: metrics of slices for task binary: log_loss, brier_loss"],
    ),
    "a shadow": (
        {"serving": {"rollout": "shadow"}},
        ["serving.rollout", "is not supported: `perennial replay`", "Rollouts: all-at-once, canary"],
    ),
    "a canary that falls": (
        {"serving": {"rollout": {"canary": {"steps": [50, 10]}}}},
        ["serving.rollout", "steps must rise, found [50, 10]"],
    ),
    "a canary with hurried steps": (
        {"serving": {"rollout": {"canary": {"step_minutes": 1}}}},
        ["serving.rollout", "step_minutes", "5"],
    ),
    "a canary that lasts for days": (
        {"serving": {"rollout": {"canary": {"step_minutes": 240, "max_holds": 20}}}},
        ["serving.rollout", "20 hours at most"],
    ),
    "an unknown word of a canary": (
        {"serving": {"rollout": {"canary": {"bake": 5}}}},
        ["serving.rollout", "bake"],
    ),
    "an objective that ranks": (
        {"objective": {"metric": "roc_auc_score"}},
        ["objective.metric", "'log_loss', 'brier_loss'"],
    ),
    "an objective of another task": (
        {"objective": {"metric": "rmse_error"}},
        ["objective.metric: of task binary: log_loss, brier_loss, money_score, means over rows"],
    ),
    "money without amounts": (
        {"objective": {"metric": "money_score"}},
        ["objective.money: is missing"],
    ),
    "money beside another metric": (
        {"objective": {"metric": "log_loss", "money": {"unit": "EUR", "true_positive": 20, "false_positive": -5}}},
        ["objective.metric: is money_score where money is given"],
    ),
    "money that pays for a miss": (
        {"objective": {"money": {"unit": "EUR", "false_negative": 20, "false_positive": -5}}},
        ["objective.money: must pay: true_positive above false_negative"],
    ),
    "a gate in money that nobody named": (
        {"gates": {"metrics": [{"metric": "money_score", "min": 0}]}},
        ["gates.metrics.0.metric: money_score needs objective"],
    ),
    "a window shorter than the time between two": (
        {"monitoring": {"every_minutes": 1440, "window_hours": 6}},
        ["monitoring.every_minutes: must not be longer than window_hours"],
    ),
    "learning from a log that is not written": (
        {"monitoring": {"prediction_log": False}, "retraining": {"learn_from_feedback": True}},
        ["retraining.learn_from_feedback: needs the prediction log"],
    ),
    "tokens of nobody": (
        {"serving": {"auth": "jwt"}},
        ["serving.jwt_issuer: must be an https address", "serving.jwt_audience: needs at least one"],
    ),
    "an issuer without tokens": (
        {"serving": {"jwt_issuer": "https://a.example"}},
        ["serving.auth: must be jwt when jwt_issuer"],
    ),
    "derived without code": (
        {"derived": {"x": "number"}},
        ["derived: names what features.py returns, but", "does not exist"],
    ),
    "a derived datetime": (
        {"derived": {"x": "datetime"}},
        ["derived.x", "'number', 'integer', 'boolean' or 'category'"],
    ),
    "bounds of a category": (
        {"columns": {**SMALL["columns"], "colour": {"kind": "category", "min": 1}}},
        ["columns.colour: min and max are for number and integer, found kind category"],
    ),
    "bounds the wrong way": (
        {"columns": {**SMALL["columns"], "age": {"kind": "number", "min": 2, "max": 1}}},
        ["columns.age: min 2 is above max 1"],
    ),
    "categories that YAML changes": (
        {"columns": {**SMALL["columns"], "colour": {"kind": "category", "categories": [False, "red"]}}},
        ["columns.colour.categories: must be texts; YAML reads False as bool: put it in quotes"],
    ),
    "an unknown kind": (
        {"columns": {**SMALL["columns"], "age": "float"}},
        ["columns.age.kind: ", "'number', 'integer'", "found 'float'"],
    ),
    "a default that does not fit": (
        {"columns": {**SMALL["columns"], "age": {"kind": "number", "since": "2026-01-01", "default": "old"}}},
        ["columns.age: default 'old' is no value of this column (kind number)"],
    ),
    "since without default": (
        {"columns": {**SMALL["columns"], "age": {"kind": "number", "since": "2026-01-01"}}},
        ["columns.age: since and default belong together"],
    ),
    "a private feature that a replay would need": (
        {
            "columns": {**SMALL["columns"], "age": {"kind": "number", "private": "hash"}},
            "gates": {"replay": {"max_mean_difference": 0.1}},
        },
        ["columns.age.private: a private column cannot be a feature while gates.replay asks for logged rows"],
    ),
    "a word for private that is none": (
        {"columns": {**SMALL["columns"], "age": {"kind": "number", "private": "hide"}}},
        ["columns.age.private"],
    ),
    "a replay that bounds nothing": ({"gates": {"replay": {}}}, ["gates.replay: needs max_mean_difference or max_"]),
    "a replay without a log": (
        {"gates": {"replay": {"max_changed_decisions": 0.1}}, "monitoring": {"prediction_log": False}},
        ["gates.replay: needs the prediction log"],
    ),
    "a group by pattern": ({"groups": {"s_*": "number"}}, ["groups.s_*: must be a range such as s_001..s_300"]),
    "groups that overlap": (
        {"groups": {"s_1..s_3": "number", "s_3..s_4": "number"}},
        ["groups.s_3..s_4: holds 's_3', which groups.s_1..s_3 holds too"],
    ),
    "nothing to learn from": (
        {"columns": {"name": "text", "bought": "boolean"}},
        ["columns: leaves no feature"],
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_with_its_key(case: str, write: Callable[..., Path]) -> None:
    changes, told = WRONG[case]
    path = write(**changes)
    message = refusal(path)
    assert message.startswith(f"{path}: ")
    for part in told:
        assert part in message


def test_all_problems_are_told_at_once(write: Callable[..., Path]) -> None:
    message = refusal(write(task="binari", min_rows=0, serving={"memory_mb": 5, "auth": "basic"}))
    assert message.splitlines()[0].endswith(": 4 problems")
    for key in ("task", "min_rows", "serving.memory_mb", "serving.auth"):
        assert f"  {key}: " in message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "model: is missing"),
        ("- a\n- b\n", "must be a mapping of keys to values, found list"),
        ("model: [", "is not YAML"),
        ("model: a\nmodel: b\n", "the key 'model' occurs twice"),
        ("just words", "must be a mapping of keys to values, found str"),
        ("model: small\ncolumns: [a, b]\n", "columns: "),
    ],
)
def test_a_file_that_is_no_model_file_is_told_so(text: str, told: str, write: Callable[..., Path]) -> None:
    assert told in refusal(write(text))


def test_bytes_that_are_no_text_are_told_so(write: Callable[..., Path]) -> None:
    path = write()
    path.write_bytes(b"model: \xff\xfe")
    assert "must be UTF-8 text" in refusal(path)


def test_a_missing_file_is_told_so(tmp_path: Path) -> None:
    assert "does not exist" in refusal(tmp_path / "model.yaml")


def test_users_code_is_read_but_not_run(write: Callable[..., Path]) -> None:
    path = write(derived={"x": "number"})
    (path.parent / "features.py").write_text("raise SystemExit('run')\ndef feature(row):\n    return {}\n")
    assert "has no function features(row)" in refusal(path)
    (path.parent / "features.py").write_text("def features(row:\n")
    assert "features.py is not Python at line 1" in refusal(path)
    (path.parent / "features.py").write_text("def features(row):\n    return {}\n")
    assert "derived: is missing: features.py exists" in refusal(write(derived=None))


def test_the_schema_for_editors_is_current() -> None:
    written = (ROOT / "models" / "model.schema.json").read_text()
    assert written == json_schema(), "run: python -m stacks.model_yaml > models/model.schema.json"
    assert set(json.loads(written)["properties"]) >= {"model", "task", "columns", "groups", "serving"}


@pytest.mark.parametrize("path", sorted(ROOT.glob("models/*/model.yaml")), ids=lambda path: path.parent.name)
def test_the_models_of_this_repository_are_valid(path: Path) -> None:
    assert read_model(path).model == path.parent.name


@given(st.text("abc_-", max_size=5), st.integers(0, 999), st.integers(0, 300), st.booleans())
def test_a_range_has_every_number_once_in_order(head: str, first: int, more: int, padded: bool) -> None:
    width = 4 if padded else 0
    text = f"{head}{first:0{width}d}..{head}{first + more:0{width}d}"
    names = expand(text)
    assert len(names) == more + 1
    assert [int(name.removeprefix(head)) for name in names] == list(range(first, first + more + 1))
    assert names[0] == text.split("..", maxsplit=1)[0]
    assert names[-1] == text.rsplit("..", maxsplit=1)[-1]


@pytest.mark.parametrize("text", ["s_1", "a1..b2", "s_9..s_1", "s_1..s_99999", "s_001..s_20", "..", "a..b"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"range|leading zeros"):
        expand(text)
