"""Roles that a call hands to an AWS service: whether the service may assume them, and what it tries out at once.

Source: the errors of CreateFunction, CreateTrainingJob, CreateDeliveryStream and CreateStateMachine; for the last also
Step Functions developer guide, "Using CloudWatch Logs" and "Service integration patterns" (the rules that it makes for
itself), whose permissions it checks when a machine is made.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local.api import ACCOUNT, ApiError
from local.iam.decision import Need

Parameters = Mapping[str, Any]

_REPOSITORY = re.compile(r"(\d{12})\.dkr\.ecr\.([\w-]+)\.amazonaws\.com/([^:@]+)")
_PULL = ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer")
_LOGS = "CreateLogDelivery DeleteLogDelivery DescribeLogGroups DescribeResourcePolicies GetLogDelivery"
_LOGS += " ListLogDeliveries PutResourcePolicy UpdateLogDelivery"
_DELIVERY = tuple(Need(f"logs:{action}", "*") for action in _LOGS.split())


@dataclass(frozen=True, slots=True)
class Tried:
    """What a service needs of a role at once, and what it answers when the role does not have it."""

    needs: tuple[Need, ...]
    error: ApiError


@dataclass(frozen=True, slots=True)
class Handed:
    """A role in a call: the service that gets it, where the call names it, the error, and what is tried out."""

    service: str
    role: Callable[[Parameters], str | None]
    error: Callable[[str], ApiError]
    tried: Callable[[Parameters, str], Iterator[Tried]] = lambda _, __: iter(())


def _named(member: str) -> Callable[[Parameters], str | None]:
    return lambda given: given.get(member)


def _sagemaker(role_arn: str) -> ApiError:
    return ApiError(
        "ValidationException",
        f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
        "'sagemaker.amazonaws.com' to assume the role.",
    )


def _lambda(_: str) -> ApiError:
    message = "The role defined for the function cannot be assumed by Lambda."
    return ApiError("InvalidParameterValueException", message)


def _states(_: str) -> ApiError:
    message = "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume"
    return ApiError("AccessDeniedException", f"{message} the provided role.")


def _firehose(role_arn: str) -> ApiError:
    message = f"Firehose is unable to assume role {role_arn}. Please check the role provided."
    return ApiError("InvalidArgumentException", message)


def _machine(given: Parameters, region: str) -> Iterator[Tried]:
    for kind in ("Training", "Processing"):
        if f"sagemaker:create{kind}Job.sync" in given.get("definition", ""):
            rule = f"arn:aws:events:{region}:{ACCOUNT}:rule/StepFunctionsGetEventsForSageMaker{kind}JobsRule"
            needs = tuple(Need(f"events:{verb}", rule) for verb in ("DescribeRule", "PutRule", "PutTargets"))
            yield Tried(needs, _refused(f"'{given['roleArn']}' is not authorized to create managed-rule."))
    if given.get("loggingConfiguration", {}).get("destinations"):
        yield Tried(_DELIVERY, _refused("The state machine IAM Role is not authorized to access the Log Destination"))


def _refused(message: str) -> ApiError:
    return ApiError("AccessDeniedException", message)


def _image(*path: str) -> Callable[[Parameters, str], Iterator[Tried]]:
    """SageMaker pulls the image with the role: of a job when it starts, of a model when it is made (here: at once)."""

    def tried(given: Parameters, _: str) -> Iterator[Tried]:
        image = given.get(path[0], {}).get(path[1], "")
        if found := _REPOSITORY.match(image):
            account, region, name = found.groups()
            repository = f"arn:aws:ecr:{region}:{account}:repository/{name}"
            needs = [Need(f"ecr:{action}", repository) for action in _PULL]
            message = f"Using ECR image {image!r} with the role is not allowed: it needs {', '.join(_PULL)}."
            yield Tried((*needs, Need("ecr:GetAuthorizationToken", "*")), ApiError("ValidationException", message))

    return tried


_LAMBDA = Handed("lambda.amazonaws.com", _named("Role"), _lambda)
_STATES = Handed("states.amazonaws.com", _named("roleArn"), _states, _machine)


def _by_sagemaker(role: str, *image: str) -> Handed:
    return Handed("sagemaker.amazonaws.com", _named(role), _sagemaker, _image(*image))


HANDED: Mapping[tuple[str, str], Handed] = {
    ("lambda", "CreateFunction"): _LAMBDA,
    ("lambda", "UpdateFunctionConfiguration"): _LAMBDA,
    ("states", "CreateStateMachine"): _STATES,
    ("states", "UpdateStateMachine"): _STATES,
    ("sagemaker", "CreateTrainingJob"): _by_sagemaker("RoleArn", "AlgorithmSpecification", "TrainingImage"),
    ("sagemaker", "CreateProcessingJob"): _by_sagemaker("RoleArn", "AppSpecification", "ImageUri"),
    ("sagemaker", "CreateModel"): _by_sagemaker("ExecutionRoleArn", "PrimaryContainer", "Image"),
    ("firehose", "CreateDeliveryStream"): Handed(
        "firehose.amazonaws.com",
        lambda given: given.get("ExtendedS3DestinationConfiguration", {}).get("RoleARN"),
        _firehose,
    ),
}
"""The calls that hand over a role which is assumed at once."""
