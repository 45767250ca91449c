"""`perennial experiment`: our training code, submitted by the SDK's ModelTrainer."""

import json
import sys

import pytest

from lifecycle import keys
from tests.clients.conftest import GROUP, MODEL, Shell, lane
from tests.e2e.conftest import Lab

pytestmark = pytest.mark.slow


def experiment(shell: Shell, *arguments: str) -> tuple[int, str, str]:
    lane("sagemaker")
    command = [sys.executable, "-c", "from cli.main import main; main()", "experiment", MODEL, *arguments]
    ran = shell.run(*command)
    return ran.returncode, ran.stdout, ran.stderr


def test_an_experiment_trains_what_it_was_told_and_registers_nothing(lab: Lab, shell: Shell, registered: str) -> None:
    before = lab.client("sagemaker").list_model_packages(ModelPackageGroupName=GROUP)["ModelPackageSummaryList"]
    runs = lab.executions(MODEL)
    code, out, err = experiment(
        shell, "random-forest", "--set", "max_leaf_nodes=16", "--set", "n_estimators=20", "--json"
    )
    assert code == 0, err
    found = json.loads(out)
    assert found["parameters"] == {
        "max_leaf_nodes": 16, "n_estimators": 20, "min_samples_leaf": 5, "max_features": 0.3,
    }  # fmt: skip
    assert len(found["trials"]) == 1
    assert found["validation"]["roc_auc_score"] > 0.8
    job = lab.client("sagemaker").describe_training_job(TrainingJobName=found["job"])
    assert {c["ChannelName"] for c in job["InputDataConfig"]} >= {"code", "sm_drivers", "data"}
    assert job["EnableNetworkIsolation"] is True
    assert f"/{keys.experiments(MODEL)}" in found["model"]
    after = lab.client("sagemaker").list_model_packages(ModelPackageGroupName=GROUP)["ModelPackageSummaryList"]
    assert [p["ModelPackageArn"] for p in after] == [p["ModelPackageArn"] for p in before]
    assert lab.executions(MODEL) == runs


def test_the_log_of_the_job_is_followed_and_its_metrics_are_told(shell: Shell, registered: str) -> None:
    code, out, err = experiment(shell, "logistic-regression")
    assert code == 0, err
    assert "logistic-regression done in" in out
    assert "log_loss" in out.splitlines()[-5:][0] or "validation" in out
    assert "Nothing was registered" in out


def test_a_hyperparameter_that_the_family_does_not_have_is_named(shell: Shell, registered: str) -> None:
    code, _, err = experiment(shell, "random-forest", "--set", "leaves=3")
    assert code == 1
    assert "leaves" in err


def test_a_family_that_is_no_candidate_is_refused_before_anything_is_submitted(shell: Shell, registered: str) -> None:
    code, _, err = experiment(shell, "xgboost")
    assert code == 1
    assert "its candidates: logistic-regression, random-forest" in err
