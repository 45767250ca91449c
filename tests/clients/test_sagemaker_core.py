"""sagemaker-core's strict resource classes read everything of SageMaker that the product creates."""

import json
from typing import Any

import pytest

from tests.clients.conftest import GROUP, Shell, lane, page
from tests.e2e.conftest import Lab

pytestmark = pytest.mark.slow

READ = """
import json
from sagemaker.core.resources import Endpoint, EndpointConfig, Model, ModelPackage, ModelPackageGroup
from sagemaker.core.resources import ProcessingJob, TrainingJob

def read(items, *names):
    found = []
    for item in items:
        item.refresh()  # Describe, parsed whole: a list shows a summary only
        found.append([str(getattr(item, name)) for name in names])
    return found

groups = list(ModelPackageGroup.get_all())
packages = [p for g in groups for p in ModelPackage.get_all(model_package_group_name=g.model_package_group_name)]
print(json.dumps({
    "training": read(TrainingJob.get_all(), "training_job_name", "training_job_status", "role_arn"),
    "processing": read(ProcessingJob.get_all(), "processing_job_name", "processing_job_status"),
    "groups": read(groups, "model_package_group_name", "model_package_group_status"),
    "packages": read(packages, "model_package_arn", "model_package_status"),
    "models": read(Model.get_all(), "model_name"),
    "configurations": read(EndpointConfig.get_all(), "endpoint_config_name"),
    "endpoints": read(Endpoint.get_all(), "endpoint_name", "endpoint_status"),
}))
"""


def core(shell: Shell, program: str) -> str:
    ran = shell.run(str(lane("clients") / "bin/python"), "-W", "ignore", "-c", program)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_everything_of_two_runs_and_an_endpoint_is_read(lab: Lab, shell: Shell, registered: str, served: str) -> None:
    found: dict[str, Any] = json.loads(core(shell, READ).splitlines()[-1])
    sagemaker = lab.client("sagemaker")
    jobs = sagemaker.list_training_jobs()["TrainingJobSummaries"]
    assert [name for name, _, _ in found["training"]] == [job["TrainingJobName"] for job in jobs]
    assert {status for _, status, _ in found["training"]} == {"Completed"}
    assert [status for _, status in found["processing"]] == ["Completed"] * 2
    assert found["groups"] == [[GROUP, "Completed"], ["perennial-dev-near", "Completed"]]
    assert found["packages"] == [[registered, "Completed"], [served, "Completed"]]
    [[endpoint, status]] = found["endpoints"]
    assert (endpoint.startswith("perennial-dev-near--"), status) == (True, "InService")
    assert len(found["configurations"]) == len(found["models"]) == 1


def test_the_page_s_program_reads_what_it_says(shell: Shell, registered: str) -> None:
    printed = core(shell, page("python sagemaker-core"))
    assert "/train/" in printed
    assert registered in printed
