"""A model's training and processing job as SageMaker wants them described inside a state machine.

The entry point unpacks the code asset's zip and runs one module; nothing of ours is baked into the image.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lifecycle import names
from stacks import asl
from stacks.asl import State

STARTUP_MINUTES: Final = 60  # instance start, image and data download, queueing for a busy instance type
ENTRY_POINT_LENGTH: Final = 256  # SageMaker: TrainingContainerEntrypointString, ContainerEntrypointString


@dataclass(frozen=True, kw_only=True)
class Jobs:
    """What all jobs of a model share. Values may be CDK tokens."""

    stage: str
    model: str
    spec_id: str
    image: str
    role_arn: str
    key_arn: str
    code_uri: str
    wheels_uri: str
    instance_type: str
    volume_gb: int
    max_minutes: int

    @property
    def tags(self) -> list[dict[str, str]]:
        """Tags of every job, so that cost reports and `perennial destroy` find them."""
        return [{"Key": names.TAG_STAGE, "Value": self.stage}, {"Key": names.TAG_MODEL, "Value": self.model}]


def entry_point(folder: str, module: str) -> str:
    """Return the shell line that unpacks the code channel in `folder` and runs `module` with the line's arguments."""
    return (
        f"mkdir -p ${{TMPDIR:-/tmp}}/code && cd ${{TMPDIR:-/tmp}}/code && python3 -m zipfile -e {folder}/code/*.zip . "
        f'&& exec python3 -m {module} --root /opt/ml "$@"'
    )


def training_task(jobs: Jobs) -> State:
    """Return the Task that trains one family; input: an item of StartRun's families with `uri` beside it."""
    parameters = {
        "TrainingJobName.$": "States.Format('{}-{}-{}', $.run_id, $.family, $$.State.RetryCount)",
        "AlgorithmSpecification": {
            "TrainingImage": jobs.image,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["/bin/bash", "-c", entry_point("/opt/ml/input/data", "training.train"), "train"],
        },
        "RoleArn": jobs.role_arn,
        "HyperParameters": {
            "run_id.$": "$.run_id",
            "family.$": "$.family",
            "version.$": "$.version",
            "spec_id": jobs.spec_id,
        },
        "InputDataConfig": _channels(jobs),
        # without a key here SageMaker encrypts with the account's default S3 key, not with the bucket's
        "OutputDataConfig": {"S3OutputPath.$": "$.uri.train", "KmsKeyId": jobs.key_arn},
        "ResourceConfig": {
            "InstanceCount": 1,
            "InstanceType": jobs.instance_type,
            "VolumeSizeInGB": jobs.volume_gb,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": jobs.max_minutes * 60},
        "EnableNetworkIsolation": True,
        "Tags": jobs.tags,
    }
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync",
        "Parameters": parameters,
        "ResultSelector": {"job.$": "$.TrainingJobName"},
        "ResultPath": "$.trained",
        **_job_limits(jobs),
        "Catch": [asl.catch("FamilyFailed")],
        "End": True,
    }


def evaluation_task(jobs: Jobs, *, then: str) -> State:
    """Return the Task that evaluates a run's candidates; input: StartRun's answer at `$.run`."""
    folder = "/opt/ml/processing/input"
    parameters = {
        "ProcessingJobName.$": "States.Format('{}-evaluate-{}', $.run.run_id, $$.State.RetryCount)",
        "AppSpecification": {
            "ImageUri": jobs.image,
            "ContainerEntrypoint": ["/bin/bash", "-c", entry_point(folder, "training.evaluate"), "evaluate"],
            "ContainerArguments.$": "States.Array('--run-id', $.run.run_id, '--version', $.run.version)",
        },
        "RoleArn": jobs.role_arn,
        "ProcessingInputs": _inputs(jobs),
        "ProcessingOutputConfig": {"Outputs": [_evaluation()], "KmsKeyId": jobs.key_arn},
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": jobs.instance_type,
                "VolumeSizeInGB": jobs.volume_gb,
            }
        },
        "NetworkConfig": {"EnableNetworkIsolation": True},
        "StoppingCondition": {"MaxRuntimeInSeconds": jobs.max_minutes * 60},
        "Tags": jobs.tags,
    }
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::sagemaker:createProcessingJob.sync",
        "Parameters": parameters,
        "ResultSelector": {"job.$": "$.ProcessingJobName"},
        "ResultPath": "$.evaluated",
        **_job_limits(jobs),
        "Catch": [asl.catch("RunFailed")],
        "Next": then,
    }


def _job_limits(jobs: Jobs) -> State:
    return {
        "TimeoutSeconds": (jobs.max_minutes + STARTUP_MINUTES) * 60,
        "Retry": [asl.retry(asl.SAGEMAKER_TRANSIENT, seconds=60, attempts=6)],
    }


def _channels(jobs: Jobs) -> list[dict[str, Any]]:
    return [
        _channel("code", {"S3Uri": jobs.code_uri}),
        _channel("wheels", {"S3Uri": jobs.wheels_uri}),
        _channel("data", {"S3Uri.$": "$.uri.channel"}, kind="ManifestFile"),
        _channel("manifest", {"S3Uri.$": "$.uri.manifest"}),
    ]


def _inputs(jobs: Jobs) -> list[dict[str, Any]]:
    return [
        _input("code", {"S3Uri": jobs.code_uri}),
        _input("wheels", {"S3Uri": jobs.wheels_uri}),
        _input("data", {"S3Uri.$": "$.run.uri.channel"}, kind="ManifestFile"),
        _input("manifest", {"S3Uri.$": "$.run.uri.manifest"}),
        _input("candidates", {"S3Uri.$": "$.run.uri.train"}),
        _input("inputs", {"S3Uri.$": "$.run.uri.inputs"}),
    ]


def _evaluation() -> dict[str, Any]:
    place = {
        "S3Uri.$": "$.run.uri.evaluation",
        "LocalPath": "/opt/ml/processing/output/evaluation",
        "S3UploadMode": "EndOfJob",
    }
    return {"OutputName": "evaluation", "S3Output": place}


def _channel(name: str, uri: Mapping[str, str], *, kind: str = "S3Prefix") -> dict[str, Any]:
    source = {"S3DataType": kind, **uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, "CompressionType": "None"}


def _input(name: str, uri: Mapping[str, str], *, kind: str = "S3Prefix") -> dict[str, Any]:
    source = {
        **uri,
        "LocalPath": f"/opt/ml/processing/input/{name}",
        "S3DataType": kind,
        "S3InputMode": "File",
        "S3DataDistributionType": "FullyReplicated",
        "S3CompressionType": "None",
    }
    return {"InputName": name, "S3Input": source}
