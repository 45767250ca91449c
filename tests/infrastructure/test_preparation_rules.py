"""What model.yaml says about preprocessing: to the spec and back, and every key that would have no effect."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from lifecycle.preparation import NOTHING, Preparation
from lifecycle.spec import ModelSpec
from stacks.model_yaml import read_model
from stacks.project import SynthesisRefused

SMALL: dict[str, Any] = {
    "model": "small",
    "task": "binary",
    "target": "bought",
    "positive": "true",
    "columns": {"age": "number", "colour": "category", "day": "datetime", "name": "text", "bought": "boolean"},
}


def written(folder: Path, columns: dict[str, Any], **changes: Any) -> Path:
    path = folder / "small/model.yaml"
    path.parent.mkdir()
    path.write_text(yaml.safe_dump({**SMALL, **changes, "columns": {**SMALL["columns"], **columns}}))
    return path


def test_columns_and_candidates_say_how_values_become_model_input(tmp_path: Path) -> None:
    columns = {
        "age": {"kind": "number", "impute": 0, "indicator": True},
        "day": {"kind": "datetime", "parts": ["year", "hour"], "scale": "none"},
    }
    candidates = [{"family": "logistic-regression", "impute": "most-frequent", "scale": "robust", "encode": "target"}]
    spec = read_model(written(tmp_path, columns, candidates=candidates))
    assert spec.training.candidates[0].prepare == Preparation(impute="most-frequent", scale="robust", encode="target")
    assert spec.training.prepare == {
        "age": Preparation(impute="constant", fill=0.0, indicator=True),
        "day": Preparation(parts=("year", "hour"), scale="none"),
    }
    assert ModelSpec.from_bytes(spec.to_bytes()) == spec


def test_what_a_column_says_wins_over_its_candidate_and_the_contract_does_not_change(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
    plain = read_model(written(tmp_path / "a", {}))
    said = read_model(written(tmp_path / "b", {"colour": {"kind": "category", "encode": "target"}}))
    assert said.contract.contract_id == plain.contract.contract_id
    assert plain.training.prepare == {}
    own, wider = said.training.prepare["colour"], Preparation(encode="ordinal", scale="robust", impute="mean")
    assert own.over(wider) == Preparation(encode="target", scale="robust", impute="mean")
    assert Preparation(impute="constant", fill=1.0).over(wider).fill == 1.0
    assert NOTHING.over(wider) == wider


def test_a_derived_value_may_be_prepared_too(tmp_path: Path) -> None:
    path = written(tmp_path, {}, derived={"route": {"kind": "category", "encode": "target"}, "far": "number"})
    (path.parent / "features.py").write_text("def features(row):\n    return {}\n")
    spec = read_model(path)
    assert spec.training.prepare == {"route": Preparation(encode="target")}
    assert {name: str(kind) for name, kind in spec.contract.derived.items()} == {"route": "category", "far": "number"}


@pytest.mark.parametrize(
    ("columns", "changes", "reason"),
    [
        ({"colour": {"kind": "category", "impute": "mean"}}, {}, "columns.colour: impute and indicator are for number"),
        ({"colour": {"kind": "category", "scale": "robust"}}, {}, "columns.colour: scale is for numbers, and for"),
        ({"age": {"kind": "number", "encode": "target"}}, {}, "columns.age: encode is for category; found kind number"),
        ({"age": {"kind": "number", "parts": ["hour"]}}, {}, "columns.age: parts is for datetime"),
        ({"day": {"kind": "datetime", "parts": ["hour", "hour"]}}, {}, "columns.day: parts lists a part twice"),
        ({"day": {"kind": "datetime", "parts": ["second"]}}, {}, "columns.day.parts.0: "),
        ({"name": {"kind": "text", "encode": "target"}}, {}, "columns.name: encode is for category; found kind text"),
        ({"bought": {"kind": "boolean", "scale": "none"}}, {}, "columns.bought: is no feature"),
        ({"age": {"kind": "number", "feature": False, "scale": "none"}}, {}, "columns.age: is no feature"),
        ({"age": {"kind": "number", "impute": "modus"}}, {}, "columns.age.impute"),
        ({"age": {"kind": "number", "impute": True}}, {}, "columns.age.impute"),
        ({}, {"candidates": [{"family": "random-forest", "encode": "hash"}]}, "candidates.0.encode"),
        ({}, {"candidates": [{"estimator": "estimators:tree", "scale": "none"}]}, "candidates.0: impute, indicator,"),
    ],
)
def test_a_key_that_would_have_no_effect_is_refused_with_its_place(
    columns: dict[str, Any], changes: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    path = written(tmp_path, columns, **changes)
    (path.parent / "estimators.py").write_text("def tree():\n    return None\n")
    with pytest.raises(SynthesisRefused) as caught:
        read_model(path)
    assert reason in str(caught.value)
