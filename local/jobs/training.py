"""CreateTrainingJob -> what its container finds, and what becomes of what it leaves.

Source: developer guide, "How Amazon SageMaker AI Runs Your Training Image" and the pages that follow it.
"""

from collections.abc import Mapping
from typing import Any

from local.jobs.container import Exit
from local.jobs.job import Ended
from local.jobs.opt_ml import OptMl, resource_config
from local.jobs.plan import Plan, Source
from local.jobs.s3_outputs import upload_archive

REASON_LENGTH = 1024  # API reference, DescribeTrainingJob, FailureReason
_CHANNEL = {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"}


def plan(request: Mapping[str, Any], arn: str, opt_ml: OptMl) -> Plan:
    """Write the container's configuration and return how to run the job."""
    algorithm, channels = request["AlgorithmSpecification"], request.get("InputDataConfig", [])
    opt_ml.write_config(
        "/opt/ml/input/config",
        {
            "hyperparameters.json": request.get("HyperParameters", {}),
            "inputdataconfig.json": {channel["ChannelName"]: _CHANNEL for channel in channels},
            "resourceconfig.json": resource_config(request["ResourceConfig"]),
        },
    )
    names = {"TRAINING_JOB_NAME": request["TrainingJobName"], "TRAINING_JOB_ARN": arn}
    return Plan(
        role_arn=request["RoleArn"],
        sources=[_source(channel) for channel in channels],
        arguments=[*algorithm["ContainerEntrypoint"], *algorithm.get("ContainerArguments", ())],
        environment={**names, **request.get("Environment", {})},
        isolated=request.get("EnableNetworkIsolation", False),
        max_seconds=request["StoppingCondition"].get("MaxRuntimeInSeconds", 86_400),
        start_time="TrainingStartTime",
        judge=judge,
        # stopped jobs keep what they wrote: "algorithms can use this 120-second window to save the model artifacts"
        keeps=lambda ended: ended.status != "Failed",
        upload=lambda s3, left, ended: _upload(s3, request, left, ended),
    )


def judge(finished: Exit, opt_ml: OptMl) -> Ended:
    """Return the status that an exit means; the reason is what the container wrote to /opt/ml/output/failure."""
    if finished.timed_out:
        return Ended("Stopped", secondary="MaxRuntimeExceeded")
    if finished.stopped:
        return Ended("Stopped")
    if finished.code == 0:
        return Ended("Completed")
    code = f", exit code: {finished.code}"
    said = opt_ml.said("failure", REASON_LENGTH) or ""
    reason = f"AlgorithmError: {said.strip()}"[: REASON_LENGTH - len(code)]
    return Ended("Failed", reason + code)


def _source(channel: Mapping[str, Any]) -> Source:
    source = channel["DataSource"]["S3DataSource"]
    return Source(source["S3DataType"], source["S3Uri"], f"/opt/ml/input/data/{channel['ChannelName']}")


def _upload(s3: Any, request: Mapping[str, Any], opt_ml: OptMl, ended: Ended) -> Mapping[str, Any]:
    output = request["OutputDataConfig"]
    uri = f"{output['S3OutputPath'].rstrip('/')}/{request['TrainingJobName']}/output"
    model, key = opt_ml.path("/opt/ml/model"), output.get("KmsKeyId")
    if ended.status == "Stopped" and not any(model.iterdir()):
        return {}
    upload_archive(s3, model, f"{uri}/model.tar.gz", opt_ml.folder, key)
    return {"ModelArtifacts": {"S3ModelArtifacts": f"{uri}/model.tar.gz"}}
