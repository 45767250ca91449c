"""What cannot be compiled leaves an archive for an endpoint: without pickle, of stock classes, equal on every row."""

import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVR

from lifecycle import names
from lifecycle.errors import ModelRejected
from lifecycle.scoring import CompiledModel
from lifecycle.spec import Candidate, ModelSpec, Serving, Task, Training
from tests.training import world
from training import endpoint
from training.compile import Fitted

NEIGHBOURS = """
from sklearn.neighbors import KNeighborsClassifier
def neighbours():
    return KNeighborsClassifier(5)
"""
MACHINE = """
from sklearn.svm import SVR
def machine():
    return SVR()
"""


def custom(task: Task, function: str, source: str) -> ModelSpec:
    import hashlib

    spec = world.spec_of(task)
    candidate = Candidate(family=function, estimator=f"estimators:{function}")
    return replace(
        spec,
        training=Training(candidates=(candidate,), trials=1, seed=3),
        estimators_sha256=hashlib.sha256(source.encode()).hexdigest(),
    )


def evaluated(folder: Path, spec: ModelSpec, **files: str) -> world.World:
    made = world.build(folder, spec, world.table(spec.contract.task), **files)
    family = spec.training.candidates[0].family
    assert made.train(family) == 0, made.failure(family)
    assert made.evaluate() == 0, made.message()
    return made


def archive_of(made: world.World) -> bytes:
    return (made.evaluation / "endpoint.tar.gz").read_bytes()


def fitted(estimator: Any) -> Fitted:
    return Fitted(family="own", estimator=estimator, encoder={}, classes=["no", "yes"], learned={})


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS])
def test_a_classifier_that_cannot_be_compiled_is_left_for_an_endpoint_with_the_reason(
    tmp_path: Path, task: Task
) -> None:
    made = evaluated(tmp_path, custom(task, "neighbours", NEIGHBOURS), estimators=NEIGHBOURS)
    card = made.scorecard()
    assert card["serving"]["target"] == "serverless"
    assert "KNeighborsClassifier cannot be compiled" in card["serving"]["reason"]
    assert card["serving"]["endpoint"]["bytes"] == len(archive_of(made))
    assert card["compiled"]["parity"]["rows"] == card["rows"]["holdout"]
    for name in ("report.html", "card.md"):
        assert "KNeighborsClassifier cannot be compiled" in (made.evaluation / name).read_text()


def test_a_regressor_that_cannot_be_compiled_answers_recorded_rows_through_its_archive(tmp_path: Path) -> None:
    made = evaluated(tmp_path, custom(Task.REGRESSION, "machine", MACHINE), estimators=MACHINE)
    model = CompiledModel.load(made.compiled(), made.code)
    assert model.remote
    model.ask = endpoint.served(archive_of(made))
    recorded = json.loads((made.evaluation / "probe.json").read_text())
    assert recorded["rows"]
    found = [answer["value"] for answer in model.score(recorded["rows"])]
    assert found == pytest.approx([answer["value"] for answer in recorded["expected"]], rel=1e-12)


def test_a_model_of_an_endpoint_is_not_scored_without_it(tmp_path: Path) -> None:
    made = evaluated(tmp_path, custom(Task.BINARY, "neighbours", NEIGHBOURS), estimators=NEIGHBOURS)
    with pytest.raises(ModelRejected, match="served by an endpoint"):
        CompiledModel.load(made.compiled(), made.code).score([{}])


def test_an_endpoint_that_is_asked_for_serves_what_could_be_compiled_too(tmp_path: Path) -> None:
    for task, family in ((Task.BINARY, names.RANDOM_FOREST), (Task.REGRESSION, names.LINEAR_REGRESSION)):
        spec = replace(world.spec_of(task, [family]), serving=Serving(target="serverless"))
        card = evaluated(tmp_path / family, spec).scorecard()
        assert card["serving"]["reason"] == "model.yaml says serving.target: serverless"


def test_what_can_be_compiled_leaves_no_archive(tmp_path: Path) -> None:
    made = evaluated(tmp_path, world.spec_of(Task.BINARY, [names.RANDOM_FOREST]))
    assert made.scorecard()["serving"] == {"target": "lambda", "reason": None, "endpoint": None}
    assert not (made.evaluation / "endpoint.tar.gz").exists()


def test_the_archive_holds_plain_data_and_code_and_is_equal_for_equal_estimators() -> None:
    rows = np.random.default_rng(1).random((40, 3))
    model = KNeighborsClassifier(3).fit(rows, rows[:, 0] > 0.5)
    packed = endpoint.archive(fitted(model), Task.BINARY)
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        found = tar.getnames()
    assert {"model.skops", "endpoint.json", "code/inference.py", "code/skops/io/__init__.py"} <= set(found)
    assert not [name for name in found if name.endswith((".pkl", ".joblib", ".so", "requirements.txt"))]


class Foreign(ClassifierMixin, BaseEstimator):
    def fit(self, rows: Any, labels: Any) -> "Foreign":
        self.classes_ = np.unique(labels)
        return self


def test_a_class_that_is_not_stock_is_refused_by_its_name() -> None:
    model = Foreign().fit(np.zeros((2, 1)), [0, 1])
    with pytest.raises(ModelRejected, match=r"test_endpoint\.Foreign"):
        endpoint.archive(fitted(model), Task.BINARY)


def test_an_archive_that_trusts_a_foreign_class_is_not_loaded() -> None:
    packed = endpoint.archive(fitted(SVR().fit([[0.0], [1.0]], [0.0, 1.0])), Task.REGRESSION)
    changed = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(packed)) as source, tarfile.open(fileobj=changed, mode="w:gz") as target:
        for entry in source:
            data = source.extractfile(entry).read()  # type: ignore[union-attr]
            if entry.name == "endpoint.json":
                data = json.dumps({**json.loads(data), "types": ["os.system"]}).encode()
                entry.size = len(data)
            target.addfile(entry, io.BytesIO(data))
    with pytest.raises(ValueError, match=r"trusts os\.system"):
        endpoint.served(changed.getvalue())
