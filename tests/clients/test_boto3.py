"""boto3 in a program of its own, configured by the environment alone."""

import json
import sys

import pytest

from tests.clients.conftest import GROUP, MODEL, Shell, page
from tests.e2e.conftest import Lab, wait_until

pytestmark = pytest.mark.slow

LOOK = """
import boto3, json
sagemaker, states = boto3.client("sagemaker"), boto3.client("stepfunctions")
jobs = sagemaker.list_training_jobs()["TrainingJobSummaries"]
machines = states.get_paginator("list_state_machines").paginate().build_full_result()["stateMachines"]
packages = sagemaker.list_model_packages(ModelPackageGroupName=%r)["ModelPackageSummaryList"]
print(json.dumps({
    "jobs": [sagemaker.describe_training_job(TrainingJobName=j["TrainingJobName"])["TrainingJobStatus"] for j in jobs],
    "machines": [m["name"] for m in machines],
    "packages": [p["ModelPackageArn"] for p in packages],
    "tables": boto3.client("dynamodb").list_tables()["TableNames"],
    "who": boto3.client("sts").get_caller_identity()["Account"],
}))
"""
APPROVE = """
import boto3
boto3.client("sagemaker").update_model_package(ModelPackageArn=%r, ModelApprovalStatus="Approved")
"""


def python(shell: Shell, program: str) -> str:
    ran = shell.run(sys.executable, "-c", program)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_a_program_looks_approves_and_asks_with_a_signature(lab: Lab, shell: Shell, registered: str) -> None:
    found = json.loads(python(shell, LOOK % GROUP))
    assert set(found["jobs"]) == {"Completed"}
    assert any("Training" in name for name in found["machines"])
    assert registered in found["packages"]
    assert len(found["tables"]) == 3
    assert found["who"] == "123456789012"
    python(shell, APPROVE % registered)
    wait_until(lambda: lab.live_version(MODEL), "live version", 60)
    assert "'decision':" in python(shell, page("python boto3"))
