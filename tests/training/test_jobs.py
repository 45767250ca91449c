"""The two jobs from outside: folders in, folders out, reasons where SageMaker reads them."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lifecycle import gate, names
from lifecycle.encoding import STANDARD
from lifecycle.profile_file import profile_from_plain
from lifecycle.scoring import CompiledModel
from lifecycle.spec import Candidate, Decision, Gates, ModelSpec, SliceGate, Task, Training
from tests.training import world
from tests.training.world import World
from training import artefact

FAMILIES = {
    Task.BINARY: [names.LOGISTIC_REGRESSION, names.RANDOM_FOREST, names.HIST_GRADIENT_BOOSTING],
    Task.MULTICLASS: [names.LOGISTIC_REGRESSION, names.RANDOM_FOREST],
    Task.REGRESSION: [names.RIDGE, names.HIST_GRADIENT_BOOSTING],
}
Build = Callable[[ModelSpec], World]


@pytest.fixture
def built(tmp_path: Path) -> Build:
    def make(spec: ModelSpec) -> World:
        return world.build(tmp_path / "world", spec, world.table(spec.contract.task))

    return make


def run_all(made: World, families: list[str]) -> None:
    for family in families:
        assert made.train(family) == 0, made.failure(family)
    assert made.evaluate() == 0, made.message()


@pytest.mark.parametrize("task", list(Task))
def test_a_run_leaves_an_approvable_model_and_everything_people_read(task: Task, built: Build) -> None:
    made = built(world.spec_of(task, FAMILIES[task]))
    run_all(made, FAMILIES[task])
    card = made.scorecard()
    assert gate.decide(card, made.spec.gates).approved
    assert card["failed_families"] == []
    assert set(card["metrics"]) == {"winner", "dummy", "champion", *FAMILIES[task]}
    assert card["compiled"]["parity"]["rows"] == card["rows"]["holdout"] > 50
    assert card["compiled"]["sha256"] == hashlib.sha256(made.compiled()).hexdigest()
    assert sum(card["rows"][side] for side in ("train", "validation", "holdout")) == 400
    model = CompiledModel.load(made.compiled(), made.code)
    assert model.ids == {
        "run_id": world.RUN,
        "data_version": world.VERSION,
        "spec_id": made.spec.spec_id,
        "contract_id": made.spec.contract.contract_id,
    }
    assert model.contract == made.spec.contract
    assert sorted(world.PLACES) == model.learned["place"]
    baseline = profile_from_plain(json.loads((made.evaluation / "baseline.json").read_bytes()))
    assert baseline.rows == card["rows"]["train"]
    html = (made.evaluation / "report.html").read_text()
    assert card["winner"]["family"] in html
    assert "O&#x27;Hare" in html
    assert "demo" in (made.evaluation / "card.md").read_text()
    trials = json.loads((made.evaluation / "trials.json").read_text())
    assert {len(records) for records in trials.values()} == {2}


def test_the_same_seed_gives_the_same_compiled_bytes(tmp_path: Path) -> None:
    files = []
    for attempt in ("first", "second"):
        made = world.build(
            tmp_path / attempt, world.spec_of(Task.BINARY, FAMILIES[Task.BINARY]), world.table(Task.BINARY)
        )
        run_all(made, FAMILIES[Task.BINARY])
        files.append(made.compiled())
    assert files[0] == files[1]


def test_a_family_that_fails_leaves_its_reason_and_not_the_others_without_a_result(built: Build) -> None:
    spec = world.spec_of(Task.BINARY, [names.LOGISTIC_REGRESSION])
    bad = Candidate(family="random-forest", search={"max_depth": ["deep"]})
    unknown = Candidate(family="hist-gradient-boosting", search={"max_deepness": [1]})
    made = built(replace(spec, training=replace(spec.training, candidates=(*spec.training.candidates, bad, unknown))))
    assert made.train("random-forest") == 1
    assert made.failure("random-forest").startswith("TrainingFailed: random-forest: no trial could be fitted: Invalid")
    assert made.train("hist-gradient-boosting") == 1
    assert "max_deepness" in made.failure("hist-gradient-boosting")
    assert made.train(names.LOGISTIC_REGRESSION) == 0
    assert made.evaluate() == 0
    card = made.scorecard()
    assert card["winner"]["family"] == names.LOGISTIC_REGRESSION
    assert [entry["family"] for entry in card["failed_families"]] == ["random-forest", "hist-gradient-boosting"]


def test_when_no_family_can_be_used_the_job_fails_with_every_reason(built: Build) -> None:
    made = built(world.spec_of(Task.BINARY, FAMILIES[Task.BINARY]))
    archive = made.folder / "candidates/job-random-forest-1/output/model.tar.gz"
    archive.parent.mkdir(parents=True)
    archive.write_bytes(b"cut off")
    assert made.evaluate() == 1
    message = made.message()
    assert message.startswith("TrainingFailed: no candidate family can be used.")
    assert all(family in message for family in FAMILIES[Task.BINARY])
    assert not made.evaluation.exists()


ESTIMATORS = """
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.neighbors import KNeighborsClassifier

def forest(n_estimators=5):
    return ExtraTreesClassifier(n_estimators=n_estimators, max_depth=4)

def neighbours():
    return KNeighborsClassifier()

def broken():
    raise ZeroDivisionError("no")
"""


def test_the_users_own_estimators_are_compiled_or_refused_by_name(tmp_path: Path) -> None:
    own = (
        Candidate(family="own-forest", estimator="estimators:forest", search={"n_estimators": [7, 3]}),
        Candidate(family="own-knn", estimator="estimators:neighbours"),
        Candidate(family="own-broken", estimator="estimators:broken"),
    )
    spec = world.spec_of(
        Task.BINARY,
        training=Training(candidates=own, trials=2, seed=3),
        estimators_sha256=hashlib.sha256(ESTIMATORS.encode()).hexdigest(),
    )
    made = world.build(tmp_path / "world", spec, world.table(Task.BINARY), estimators=ESTIMATORS)
    assert (made.train("own-forest"), made.train("own-knn"), made.train("own-broken")) == (0, 0, 1)
    assert "estimators:broken raised ZeroDivisionError: no" in made.failure("own-broken")
    assert made.evaluate() == 0
    card = made.scorecard()
    assert card["winner"]["family"] == "own-forest"
    refused = {entry["family"]: entry["reason"] for entry in card["failed_families"]}
    assert set(refused) == {"own-broken"}
    assert {"own-forest", "own-knn"} <= set(card["metrics"])  # what cannot be compiled could be served by an endpoint
    assert CompiledModel.load(made.compiled(), made.code).encoder.layout == STANDARD


def test_the_live_model_is_compared_on_the_same_rows(built: Build) -> None:
    spec = world.spec_of(Task.BINARY, [names.RANDOM_FOREST], gates=Gates(slices=(a_slice(2.0),)))
    made = built(spec)
    run_all(made, [names.RANDOM_FOREST])
    (made.folder / "inputs/champion.model.json").write_bytes(made.compiled())
    assert made.evaluate() == 0
    card = made.scorecard()
    assert card["metrics"]["champion"] == card["metrics"]["winner"]
    assert card["comparison"]["difference"] == card["comparison"]["low"] == card["comparison"]["high"] == 0.0
    assert card["champion"] == {"run_id": world.RUN, "compared": True, "reason": None}
    assert gate.decide(card, spec.gates).approved
    assert not gate.decide(card, replace(spec.gates, require_improvement=True)).approved


def test_a_live_model_that_cannot_score_the_rows_is_named_and_not_compared(built: Build) -> None:
    made = built(world.spec_of(Task.BINARY, [names.LOGISTIC_REGRESSION]))
    assert made.train(names.LOGISTIC_REGRESSION) == 0
    (made.folder / "inputs/champion.model.json").write_bytes(b"{}")
    assert made.evaluate() == 0
    card = made.scorecard()
    assert card["comparison"] is None
    assert card["metrics"]["champion"] is None
    assert "not a compiled model" in card["champion"]["reason"]
    assert "not a compiled model" in (made.evaluation / "report.html").read_text()


def a_slice(ratio: float) -> SliceGate:
    return SliceGate(column="place", metric="log_loss", max_ratio=ratio, min_rows=5)


@pytest.mark.parametrize(
    ("decision", "wanted"),
    [(Decision(threshold=0.25), 0.25), (Decision(false_positive=0.0, false_negative=1.0), 0.0)],
)
def test_the_threshold_is_the_owners_or_follows_the_costs(decision: Decision, wanted: float, built: Build) -> None:
    made = built(world.spec_of(Task.BINARY, [names.LOGISTIC_REGRESSION], decision=decision))
    run_all(made, [names.LOGISTIC_REGRESSION])
    found = made.scorecard()["winner"]["threshold"]
    assert abs(found - wanted) < 0.25
    assert CompiledModel.load(made.compiled(), made.code).threshold == found
    assert decision.threshold in (None, found)


def test_an_experiment_makes_the_one_trial_that_it_is_told(built: Build) -> None:
    made = built(world.spec_of(Task.BINARY, [names.RANDOM_FOREST]))
    assert made.train(names.RANDOM_FOREST, parameters='{"max_leaf_nodes": 8, "n_estimators": 5}') == 0
    trained = artefact.load(made.folder / f"candidates/{names.RANDOM_FOREST}/output/model.tar.gz", "job")
    [trial] = trained.trials
    assert trial["parameters"] == {
        "max_leaf_nodes": 8, "min_samples_leaf": 5, "max_features": 0.3, "n_estimators": 5,
    }  # fmt: skip
    assert trained.family["parameters"] == trial["parameters"]
    assert len(trained.fitted.estimator.estimators_) == 5


@pytest.mark.parametrize("told", ["max_depth=8", "[1]", '"text"'])
def test_an_experiment_whose_values_are_no_object_says_so(told: str, built: Build) -> None:
    made = built(world.spec_of(Task.BINARY, [names.RANDOM_FOREST]))
    assert made.train(names.RANDOM_FOREST, parameters=told) == 1
    assert "must be a JSON object" in made.failure(names.RANDOM_FOREST)


def test_a_job_started_for_another_spec_refuses_to_train(built: Build) -> None:
    made = built(world.spec_of(Task.BINARY, [names.LOGISTIC_REGRESSION]))
    other = world.spec_of(Task.BINARY, [names.LOGISTIC_REGRESSION], training=Training(seed=99))
    (made.code / made.spec.file_name).unlink()
    (made.code / other.file_name).write_bytes(other.to_bytes())
    assert made.train(names.LOGISTIC_REGRESSION) == 1
    assert made.failure(names.LOGISTIC_REGRESSION).startswith("TrainingFailed: the job was started for spec")


def test_changed_or_failing_user_code_stops_the_job_with_the_row_and_the_reason(built: Build) -> None:
    made = built(world.spec_of(Task.BINARY, [names.LOGISTIC_REGRESSION]))
    (made.code / "features.py").write_text(world.FEATURES + "\n# later\n")
    assert made.train(names.LOGISTIC_REGRESSION) == 1
    assert "features.py was changed after synth" in made.failure(names.LOGISTIC_REGRESSION)


def test_an_object_missing_from_the_channel_is_named(built: Build) -> None:
    made = built(world.spec_of(Task.BINARY, [names.LOGISTIC_REGRESSION]))
    (made.folder / "data/object-1").unlink()
    assert made.train(names.LOGISTIC_REGRESSION) == 1
    assert made.failure(names.LOGISTIC_REGRESSION).startswith("DatasetRejected: 1 objects of the data version")
