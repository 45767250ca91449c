"""An account of the engine with jobs, for tests: S3, IAM, logs and the registry on moto, processes for real."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local import moto_state
from local.clients import Clients
from local.clock import Clock
from local.dispatch import Dispatcher
from local.identity import Identity
from local.jobs import Jobs
from local.jobs.registry import Registry
from tests.local.iam_world import allow, guarded, make_role

ROLE = "arn:aws:iam::123456789012:role/job"


@dataclass
class Account:
    jobs: Jobs
    dispatch: Dispatcher
    clock: Clock
    clients: Clients
    events: list[dict[str, Any]]

    @property
    def sagemaker(self) -> Any:
        return self.clients("sagemaker")

    @property
    def s3(self) -> Any:
        return self.clients("s3")

    def put(self, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket="bucket", Key=key, Body=body)

    def keys(self, prefix: str) -> list[str]:
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket="bucket", Prefix=prefix).get("Contents", [])]

    def read(self, key: str) -> bytes:
        return bytes(self.s3.get_object(Bucket="bucket", Key=key)["Body"].read())

    def train(self, script: str, name: str = "job", **more: Any) -> dict[str, Any]:
        return self.run(training(script, name, **more))

    def run(self, request: dict[str, Any]) -> dict[str, Any]:
        name = request["TrainingJobName"]
        self.sagemaker.create_training_job(**request)
        assert self.jobs.finished("TrainingJob", name).wait(30)
        return dict(self.sagemaker.describe_training_job(TrainingJobName=name))

    def log(self, group: str) -> list[str]:
        logs = self.clients("logs")
        found = logs.describe_log_streams(logGroupName=group)["logStreams"]
        return [
            event["message"]
            for stream in found
            for event in logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
        ]


@contextmanager
def account_in(folder: Path, preloaded: tuple[str, ...] = ()) -> Iterator[Account]:
    moto_state.reset()
    identity, clock = Identity(), Clock()
    dispatcher = Dispatcher(identity)
    clients = Clients(dispatcher, "us-east-1")
    events: list[dict[str, Any]] = []

    def emit(source: str, detail_type: str, detail: Any, resources: Any = ()) -> None:
        events.append({"source": source, "type": detail_type, "detail": detail, "resources": resources})

    jobs = Jobs(clients, clock, work_dir=folder / "jobs", python=Path(sys.executable), preloaded=preloaded)
    dispatcher.register({**jobs.operations(), **Registry(emit, "us-east-1").operations()})
    guarded(dispatcher)
    make_role(clients("iam"), "job", "sagemaker.amazonaws.com", allow("s3:*", "logs:*"))
    clients("s3").create_bucket(Bucket="bucket")
    yield Account(jobs, dispatcher, clock, clients, events)
    jobs.close()
    clock.stop()
    moto_state.reset()


def training(script: str, name: str = "job", **more: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": "image",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["/bin/bash", "-c", script],
        },
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out/"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "EnableNetworkIsolation": True,
        **more,
    }


def channel(name: str, uri: str, kind: str = "S3Prefix") -> dict[str, Any]:
    source = {"S3DataType": kind, "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, "CompressionType": "None"}


def processing(script: str, name: str = "job", **more: Any) -> dict[str, Any]:
    output = {"S3Uri": "s3://bucket/eval", "LocalPath": "/opt/ml/processing/output/e", "S3UploadMode": "EndOfJob"}
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
    return {
        "ProcessingJobName": name,
        "AppSpecification": {
            "ImageUri": "image",
            "ContainerEntrypoint": ["/bin/bash", "-c", script, "evaluate"],
            "ContainerArguments": ["--at", "/opt/ml/processing/input/a"],
        },
        "RoleArn": ROLE,
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "e", "S3Output": output}]},
        "ProcessingResources": {"ClusterConfig": cluster},
        **more,
    }


def await_status(account: Account, name: str, secondary: str) -> None:
    give_up = time.perf_counter() + 20
    while account.sagemaker.describe_training_job(TrainingJobName=name)["SecondaryStatus"] != secondary:
        assert time.perf_counter() < give_up
        time.sleep(0.01)
