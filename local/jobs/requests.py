"""What a job or an endpoint may ask for: the members that are used, and the limits that no model of the API holds.

The model's own limits are held before this (`local.request_shapes`); here are the few others, with their source.
"""

from collections.abc import Mapping
from typing import Any, Final

from local.api import ApiError

_SOURCE: Final = {"S3DataType": None, "S3Uri": None, "S3DataDistributionType": None}
_CLUSTER: Final = {"InstanceCount": None, "InstanceType": None, "VolumeSizeInGB": None, "VolumeKmsKeyId": None}
_COMMAND: Final = {"ContainerEntrypoint": None, "ContainerArguments": None}

# Members that this engine understands; a nested mapping closes the member's own list, None leaves it open.
MEMBERS: Final[Mapping[str, Any]] = {
    "CreateTrainingJob": {
        "TrainingJobName": None,
        "AlgorithmSpecification": {"TrainingImage": None, "TrainingInputMode": None, **_COMMAND},
        "RoleArn": None,
        "HyperParameters": None,
        "InputDataConfig": {
            "ChannelName": None,
            "DataSource": {"S3DataSource": _SOURCE},
            "CompressionType": None,
            "InputMode": None,
        },
        "OutputDataConfig": {"S3OutputPath": None, "KmsKeyId": None},
        "ResourceConfig": _CLUSTER,
        "StoppingCondition": {"MaxRuntimeInSeconds": None},
        "EnableNetworkIsolation": None,
        "Environment": None,
        "Tags": None,
    },
    "CreateProcessingJob": {
        "ProcessingJobName": None,
        "AppSpecification": {"ImageUri": None, **_COMMAND},
        "RoleArn": None,
        "ProcessingInputs": {
            "InputName": None,
            "S3Input": {**_SOURCE, "LocalPath": None, "S3InputMode": None, "S3CompressionType": None},
        },
        "ProcessingOutputConfig": {
            "Outputs": {"OutputName": None, "S3Output": {"S3Uri": None, "LocalPath": None, "S3UploadMode": None}},
            "KmsKeyId": None,
        },
        "ProcessingResources": {"ClusterConfig": _CLUSTER},
        "NetworkConfig": {"EnableNetworkIsolation": None},
        "StoppingCondition": {"MaxRuntimeInSeconds": None},
        "Environment": None,
        "Tags": None,
    },
    "CreateModel": {
        "ModelName": None,
        "PrimaryContainer": {"Image": None, "ModelDataUrl": None, "Environment": None},
        "ExecutionRoleArn": None,
        "Tags": None,
    },
    "CreateEndpointConfig": {
        "EndpointConfigName": None,
        "ProductionVariants": {
            "VariantName": None,
            "ModelName": None,
            "ServerlessConfig": {"MemorySizeInMB": None, "MaxConcurrency": None},
        },
        "Tags": None,
    },
    "CreateEndpoint": {"EndpointName": None, "EndpointConfigName": None, "Tags": None},
}
# Values that the engine runs; the rest is refused instead of being run as something else.
_VALUES: Final[Mapping[str, tuple[Any, ...]]] = {
    "TrainingInputMode": ("File",),
    "InputMode": ("File",),
    "S3InputMode": ("File",),
    "CompressionType": ("None",),
    "S3CompressionType": ("None",),
    "S3DataType": ("S3Prefix", "ManifestFile"),
    "S3DataDistributionType": ("FullyReplicated",),
    "S3UploadMode": ("EndOfJob",),
    "InstanceCount": (1,),
    # developer guide, "Serverless Inference": "Memory size"
    "MemorySizeInMB": (1024, 2048, 3072, 4096, 5120, 6144),
}
HYPERPARAMETERS: Final = 100
HYPERPARAMETER_LENGTH: Final = 256  # API reference, CreateTrainingJob: "limited to 256 characters"; the model says 2500


def check(operation: str, given: Mapping[str, Any]) -> None:
    """Raise ApiError (ValidationException) unless the engine can do what is asked as AWS would."""
    _members(operation, given, MEMBERS[operation])
    hyperparameters = given.get("HyperParameters", {})
    if len(hyperparameters) > HYPERPARAMETERS:
        raise invalid(f"{len(hyperparameters)} hyperparameters: at most {HYPERPARAMETERS} are allowed")
    for key, value in hyperparameters.items():
        if len(value) > HYPERPARAMETER_LENGTH:
            raise invalid(f"hyperparameter {key!r} is longer than {HYPERPARAMETER_LENGTH} characters")


def invalid(message: str) -> ApiError:
    """Return the error that SageMaker answers to a request that it cannot accept."""
    return ApiError("ValidationException", message)


def _members(where: str, given: Any, known: Mapping[str, Any]) -> None:
    for item in given if isinstance(given, list) else [given]:
        for key, value in item.items():
            if key not in known:
                raise invalid(f"{where}.{key} is not supported by the laptop engine; it knows {', '.join(known)}")
            if known[key] is not None:
                _members(f"{where}.{key}", value, known[key])
            if key in _VALUES and value not in _VALUES[key]:
                raise invalid(f"{where}.{key} is {value!r}; the laptop engine runs only {_VALUES[key]}")
