"""What surrounds an experiment: the shell's lines for other clients, the log of a job, what is refused before."""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import boto3
import pytest

from cloud.logs import Logs
from cloud.operator import Operator
from cloud.training_jobs import TrainingJobs, request_of
from tests.handlers.test_cli_commands import checkout, deployed, ended, error_of, json_of

__all__ = ["checkout", "deployed"]

GROUP = "/aws/sagemaker/TrainingJobs"


def client_of(service: str) -> Any:
    """A client as the command line makes it."""
    return Operator(region="us-east-1").client(service)


@pytest.fixture
def engine(checkout: Path) -> Path:
    """The state file of an engine that runs (this process)."""
    state = {
        "endpoint": "http://127.0.0.1:1", "region": "eu-west-1", "access_key": "KEY", "secret_key": "a'secret",
        "stage": "test", "pid": os.getpid(),
    }  # fmt: skip
    path = checkout / ".perennial/engine.json"
    path.parent.mkdir()
    path.write_text(json.dumps(state))
    return path


def test_a_shell_that_reads_the_lines_talks_to_the_engine(engine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("local", "env") == 0
    lines = capsys.readouterr().out
    before = {"PATH": os.environ["PATH"], "AWS_PROFILE": "work", "AWS_SESSION_TOKEN": "old"}
    shown = subprocess.run(
        ["bash", "-c", f"{lines}\nenv"], env=before, capture_output=True, text=True, check=True
    ).stdout
    found = dict(line.split("=", 1) for line in shown.splitlines() if line.startswith("AWS_"))
    assert found == json_of(capsys, "local", "env")
    assert found == {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "KEY",
        "AWS_SECRET_ACCESS_KEY": "a'secret",
    }


def test_without_an_engine_the_lines_cannot_be_told(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "perennial local up" in error_of(capsys, 3, "local", "env")


def test_an_experiment_says_how_to_get_the_sdk(deployed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "make sagemaker" in error_of(capsys, 2, "experiment", "flights", "random-forest")


def test_the_job_of_a_model_s_runs_is_found_in_its_machine(checkout: Path) -> None:
    states = boto3.client("stepfunctions", "us-east-1")
    job = {"Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync", "Parameters": {"RoleArn": "r"}}
    inner = {"States": {"Train": {"Type": "Task", "End": True, **job}}, "StartAt": "Train"}
    whole = {"Type": "Map", "ItemProcessor": inner, "End": True}
    mine = client_of("stepfunctions")
    assert request_of(mine, machine(states, "with", whole)) == {"RoleArn": "r"}
    without = machine(states, "without", {"Type": "Succeed"})
    with pytest.raises(LookupError, match="creates no training job"):
        request_of(mine, without)


def machine(states: Any, name: str, only: dict[str, Any]) -> str:
    definition = json.dumps({"StartAt": "One", "States": {"One": only}})
    made = states.create_state_machine(name=name, definition=definition, roleArn="arn:aws:iam::123456789012:role/r")
    return str(made["stateMachineArn"])


def test_a_job_tells_how_it_stands_and_where_its_model_is(checkout: Path) -> None:
    boto3.client("sagemaker", "us-east-1").create_training_job(
        TrainingJobName="job-1",
        AlgorithmSpecification={"TrainingImage": "image", "TrainingInputMode": "File"},
        RoleArn="arn:aws:iam::123456789012:role/r",
        OutputDataConfig={"S3OutputPath": "s3://b/out"},
        ResourceConfig={"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    standing = TrainingJobs(client_of("sagemaker")).standing("job-1")
    assert (standing.status, standing.is_over, standing.reason) == ("Completed", True, "")
    assert standing.artifact == "s3://b/out/job-1/output/model.tar.gz"


def test_a_job_s_log_is_read_on_from_where_it_was(checkout: Path) -> None:
    client = boto3.client("logs", "us-east-1")
    logs = Logs(client_of("logs"))
    assert logs.tail(GROUP, "job-1/") == ([], None)
    client.create_log_group(logGroupName=GROUP)
    for stream in ("job-1/algo-1-5", "job-12/algo-1-5"):
        client.create_log_stream(logGroupName=GROUP, logStreamName=stream)
    assert logs.tail(GROUP, "job-1/")[0] == []
    put(client, "job-12/algo-1-5", "another's")
    put(client, "job-1/algo-1-5", "first", "second")
    lines, token = logs.tail(GROUP, "job-1/")
    assert lines == ["first", "second"]
    assert logs.tail(GROUP, "job-1/", token)[0] == []
    put(client, "job-1/algo-1-5", "third")
    assert logs.tail(GROUP, "job-1/", token)[0] == ["third"]


def put(client: Any, stream: str, *lines: str) -> None:
    events = [{"timestamp": int(time.time() * 1000), "message": line} for line in lines]
    client.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=events)
