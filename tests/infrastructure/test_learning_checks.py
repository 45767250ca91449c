"""What learning from feedback refuses at synth, with the key where it is mended."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from lifecycle.retraining import Retraining
from lifecycle.schema import Column, Contract, Kind, Task
from lifecycle.spec import ModelSpec
from stacks.learning_checks import require_shared_datasets
from stacks.model_yaml import read_model
from stacks.project import Project, SynthesisRefused
from stacks.synthesis import app_of
from tests.infrastructure.world import ROOT

COLUMNS = {"key": "id", "age": "number", "seen": "datetime", "note": "text", "bought": "boolean"}
CONTRACT = Contract(
    task=Task.BINARY,
    target="bought",
    positive="true",
    id="key",
    columns=(
        Column(name="key", kind=Kind.ID),
        Column(name="age", kind=Kind.NUMBER),
        Column(name="bought", kind=Kind.BOOLEAN),
    ),
)
SHOP = ModelSpec(model="shop", dataset="orders", contract=CONTRACT, retraining=Retraining(learn_from_feedback=True))
PLAIN = ModelSpec(model="plain", dataset="orders", contract=CONTRACT)


@pytest.fixture
def refusal(tmp_path: Path) -> Callable[..., str]:
    """Reads a model.yaml that learns from feedback -> what is refused, "" for nothing."""

    def refused(features: str | None = None, learns: bool = True, **changes: Any) -> str:
        folder = tmp_path / "shop"
        folder.mkdir(exist_ok=True)
        columns = {**COLUMNS, **changes.pop("columns", {})}
        written = {
            "model": "shop",
            "task": "binary",
            "target": "bought",
            "positive": "true",
            "id": "key",
            "time": "seen",
            "columns": columns,
            "retraining": {"learn_from_feedback": learns},
            **changes,
        }
        (folder / "model.yaml").write_text(yaml.safe_dump(written))
        if features is not None:
            (folder / "features.py").write_text(features)
        try:
            read_model(folder / "model.yaml")
        except SynthesisRefused as error:
            return str(error)
        return ""

    return refused


@pytest.mark.parametrize(
    ("changes", "key", "why"),
    [
        ({"columns": {"age": {"kind": "number", "private": True}}}, "age.private", "is a feature"),
        ({"columns": {"age": {"kind": "number", "private": "hash"}}}, "age.private", "is a feature"),
        ({"columns": {"seen": {"kind": "datetime", "private": True}}}, "seen.private", "orders rows"),
        (
            {"columns": {"note": {"kind": "text", "private": True}}, "split": {"by": "hash", "key": "note"}},
            "note.private",
            "on which side",
        ),
        ({"columns": {"note": {"kind": "text", "private": True, "max_null_share": 0}}}, "note.private", "must have"),
        (
            {"columns": {"w": {"kind": "number", "max_null_share": 0}}, "weight": "w"},
            "w.max_null_share",
            "nobody sends weights",
        ),
    ],
)
def test_a_column_that_the_log_lacks_and_learning_needs_is_refused(
    refusal: Callable[..., str], changes: dict[str, Any], key: str, why: str
) -> None:
    said = refusal(**changes)
    assert f"columns.{key}: " in said
    assert why in said
    assert refusal(**changes, learns=False) == "", "without learning from feedback it is nobody's business"


def test_a_private_column_that_features_py_reads_is_refused(refusal: Callable[..., str]) -> None:
    changes = {"columns": {"note": {"kind": "text", "private": True}}, "derived": {"long": "boolean"}}
    said = refusal("def features(row):\n    return {'long': len(row['note'] or '') > 9}\n", **changes)
    assert "columns.note.private" in said
    assert "features.py" in said
    assert refusal("def features(row):\n    return {'long': row['age'] > 9}\n", **changes) == ""


def test_private_ids_and_columns_that_only_pass_through_are_allowed(refusal: Callable[..., str]) -> None:
    hidden = {"key": {"kind": "id", "private": True}, "note": {"kind": "text", "private": True}}
    assert refusal(columns=hidden) == ""


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (replace(CONTRACT, target="age", task=Task.REGRESSION, positive=None), "the key `target`"),
        (replace(CONTRACT, columns=(*CONTRACT.columns, Column(name="colour", kind=Kind.CATEGORY))), "colour"),
        (replace(CONTRACT, id=None), "the key `id`"),
    ],
)
def test_models_that_see_a_shared_dataset_differently_cannot_learn_from_feedback(other: Contract, why: str) -> None:
    for pair in ((SHOP, replace(PLAIN, contract=other)), (replace(PLAIN, contract=other), SHOP)):
        with pytest.raises(SynthesisRefused, match=r"models/shop/model\.yaml") as caught:
            require_shared_datasets(pair)
        assert why in str(caught.value)


def test_models_may_share_a_dataset_whose_rows_fit_both() -> None:
    require_shared_datasets([SHOP, PLAIN, replace(PLAIN, model="other", dataset="elsewhere", contract=CONTRACT)])
    require_shared_datasets([PLAIN, replace(PLAIN, model="third", contract=replace(CONTRACT, target="age"))])


def test_without_an_id_only_one_of_them_learns_from_feedback() -> None:
    anonymous = replace(SHOP, contract=replace(CONTRACT, id=None))
    with pytest.raises(SynthesisRefused, match="count twice"):
        require_shared_datasets([anonymous, replace(anonymous, model="other")])


def test_synth_looks_at_the_models_of_a_dataset_together(tmp_path: Path) -> None:
    (tmp_path / "stages.yaml").write_text((ROOT / "stages.yaml").read_text())
    for name, columns in (("one", COLUMNS), ("two", {**COLUMNS, "age": "integer"})):
        (tmp_path / "models" / name).mkdir(parents=True)
        written = {
            "model": name,
            "dataset": "shared",
            "task": "binary",
            "target": "bought",
            "positive": "true",
            "columns": columns,
            "retraining": {"learn_from_feedback": name == "two"},
        }
        (tmp_path / "models" / name / "model.yaml").write_text(yaml.safe_dump(written))
    with pytest.raises(SynthesisRefused, match=r"one and two share the dataset 'shared' .* the columns age"):
        app_of(Project(code=ROOT, home=tmp_path), stage="dev")
