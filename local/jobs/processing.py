"""CreateProcessingJob -> what its container finds, and what becomes of what it leaves.

Source: developer guide, "Build Your Own Processing Container".
"""

from collections.abc import Mapping
from typing import Any

from local.jobs.container import Exit
from local.jobs.job import Ended
from local.jobs.opt_ml import HOST, OptMl
from local.jobs.plan import Plan, Source
from local.jobs.s3_outputs import upload_folder

MESSAGE_BYTES = 1024  # API reference, DescribeProcessingJob, ExitMessage


def plan(request: Mapping[str, Any], arn: str, opt_ml: OptMl) -> Plan:
    """Write the container's configuration and return how to run the job."""
    application, cluster = request["AppSpecification"], request["ProcessingResources"]["ClusterConfig"]
    shown = {key: value for key, value in request.items() if key != "Tags"}
    hosts = {"current_host": HOST, "hosts": [HOST], "network_interface_name": "eth0"}
    opt_ml.write_config(
        "/opt/ml/config",
        {
            "processingjobconfig.json": {"ProcessingJobArn": arn, **shown},
            "resourceconfig.json": {**hosts, "current_instance_type": cluster["InstanceType"]},
        },
    )
    for output in _outputs(request):
        opt_ml.path(output["S3Output"]["LocalPath"]).mkdir(parents=True, exist_ok=True)
    return Plan(
        role_arn=request["RoleArn"],
        sources=[_source(given["S3Input"]) for given in request.get("ProcessingInputs", [])],
        arguments=[*application["ContainerEntrypoint"], *application.get("ContainerArguments", ())],
        environment=request.get("Environment", {}),
        isolated=request.get("NetworkConfig", {}).get("EnableNetworkIsolation", False),
        max_seconds=request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", 86_400),
        start_time="ProcessingStartTime",
        judge=judge,
        keeps=lambda ended: ended.status == "Completed",
        upload=lambda s3, left, _: _upload(s3, request, left),
    )


def judge(finished: Exit, opt_ml: OptMl) -> Ended:
    """Return the status that an exit means, with what the container wrote to /opt/ml/output/message."""
    message = opt_ml.said("message", MESSAGE_BYTES)
    if finished.timed_out or finished.stopped:
        return Ended("Stopped", message=message)
    if finished.code == 0:
        return Ended("Completed", message=message)
    return Ended("Failed", f"AlgorithmError: , exit code: {finished.code}", message)


def _source(given: Mapping[str, Any]) -> Source:
    return Source(given["S3DataType"], given["S3Uri"], given["LocalPath"])


def _outputs(request: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(request.get("ProcessingOutputConfig", {}).get("Outputs", []))


def _upload(s3: Any, request: Mapping[str, Any], opt_ml: OptMl) -> Mapping[str, Any]:
    for output in _outputs(request):
        target = output["S3Output"]
        key = request["ProcessingOutputConfig"].get("KmsKeyId")
        upload_folder(s3, opt_ml.path(target["LocalPath"]), target["S3Uri"], key)
    return {}
