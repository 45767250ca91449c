"""What a job or an endpoint may ask for: the members that are used, AWS's own limits of each, and our image's.

Limits come from botocore's copy of the service model; the few that it does not hold are named here with their source.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import botocore.session
import regex
from botocore.model import Shape

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
_GRAVITON: Final = regex.compile(r"ml\.[a-z]+\d+g")
HYPERPARAMETERS: Final = 100
HYPERPARAMETER_LENGTH: Final = 256  # API reference, CreateTrainingJob: "limited to 256 characters"; the model says 2500


def check(operation: str, given: Mapping[str, Any]) -> None:
    """Raise ApiError (ValidationException) unless the engine can do what is asked as AWS would."""
    model = botocore_model().operation_model(operation)
    assert model.input_shape is not None
    _members(operation, given, MEMBERS[operation])
    _limits(model.input_shape, given, "")
    hyperparameters = given.get("HyperParameters", {})
    if len(hyperparameters) > HYPERPARAMETERS:
        raise invalid(f"{len(hyperparameters)} hyperparameters: at most {HYPERPARAMETERS} are allowed")
    for key, value in hyperparameters.items():
        if len(value) > HYPERPARAMETER_LENGTH:
            raise invalid(f"hyperparameter {key!r} is longer than {HYPERPARAMETER_LENGTH} characters")


def invalid(message: str) -> ApiError:
    """Return the error that SageMaker answers to a request that it cannot accept."""
    return ApiError("ValidationException", message)


@lru_cache(maxsize=1)
def botocore_model() -> Any:
    """Return botocore's description of the SageMaker API."""
    return botocore.session.get_session().get_service_model("sagemaker")


def _members(where: str, given: Any, known: Mapping[str, Any]) -> None:
    for item in given if isinstance(given, list) else [given]:
        for key, value in item.items():
            if key not in known:
                raise invalid(f"{where}.{key} is not supported by the laptop engine; it knows {', '.join(known)}")
            if known[key] is not None:
                _members(f"{where}.{key}", value, known[key])
            if key in _VALUES and value not in _VALUES[key]:
                raise invalid(f"{where}.{key} is {value!r}; the laptop engine runs only {_VALUES[key]}")
            if key == "InstanceType" and _GRAVITON.match(value):
                raise invalid(f"{where}.{key} {value}: the image has no arm64 build; use an x86-64 instance type")


def _limits(shape: Shape, value: Any, where: str) -> None:
    """Check lengths, ranges, patterns and choices that botocore's client leaves to the service."""
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            if name in value:
                _limits(member, value[name], f"{where}.{name}".lstrip("."))
        return
    if shape.type_name in ("list", "map"):
        _size(shape, len(value), where, value)
        items = value if shape.type_name == "list" else value.values()
        inner = shape.member if shape.type_name == "list" else shape.value
        for item in items:
            _limits(inner, item, f"{where}.member")
        return
    if shape.type_name == "string":
        _size(shape, len(value), where, value)
        pattern = shape.metadata.get("pattern")
        if pattern and not regex.fullmatch(pattern, value):
            raise _constraint(where, value, f"Member must satisfy regular expression pattern: {pattern}")
        if shape.enum and value not in shape.enum:
            raise _constraint(where, value, f"Member must satisfy enum value set: {shape.enum}")
    elif shape.type_name in ("integer", "long"):
        _size(shape, value, where, value)


def _size(shape: Shape, size: int, where: str, value: Any) -> None:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if high is not None and size > high:
        raise _constraint(where, value, f"Member must have length (or value) less than or equal to {high}")
    if low is not None and size < low:
        raise _constraint(where, value, f"Member must have length (or value) greater than or equal to {low}")


def _constraint(where: str, value: Any, rule: str) -> ApiError:
    return invalid(f"1 validation error detected: Value '{value}' at '{where}' failed to satisfy constraint: {rule}")
