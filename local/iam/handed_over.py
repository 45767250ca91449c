"""Roles that a call hands to an AWS service: whether the service may assume them, and what it tries out at once.

Source: the errors of CreateFunction, CreateTrainingJob, CreateDeliveryStream and CreateStateMachine; for the last also
Step Functions developer guide, "Using CloudWatch Logs" and "Service integration patterns" (the rules that it makes for
itself), whose permissions it checks when a machine is made.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local.api import ACCOUNT, ApiError
from local.iam.decision import Need

Parameters = Mapping[str, Any]

_LOGS = "CreateLogDelivery DeleteLogDelivery DescribeLogGroups DescribeResourcePolicies GetLogDelivery"
_LOGS += " ListLogDeliveries PutResourcePolicy UpdateLogDelivery"
_DELIVERY = tuple(Need(f"logs:{action}", "*") for action in _LOGS.split())


@dataclass(frozen=True, slots=True)
class Tried:
    """What a service needs of a role at once, and what it says when the role does not have it."""

    needs: tuple[Need, ...]
    refusal: str


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
            yield Tried(needs, f"'{given['roleArn']}' is not authorized to create managed-rule.")
    if given.get("loggingConfiguration", {}).get("destinations"):
        yield Tried(_DELIVERY, "The state machine IAM Role is not authorized to access the Log Destination")


_LAMBDA = Handed("lambda.amazonaws.com", _named("Role"), _lambda)
_STATES = Handed("states.amazonaws.com", _named("roleArn"), _states, _machine)
_JOB = Handed("sagemaker.amazonaws.com", _named("RoleArn"), _sagemaker)

HANDED: Mapping[tuple[str, str], Handed] = {
    ("lambda", "CreateFunction"): _LAMBDA,
    ("lambda", "UpdateFunctionConfiguration"): _LAMBDA,
    ("states", "CreateStateMachine"): _STATES,
    ("states", "UpdateStateMachine"): _STATES,
    ("sagemaker", "CreateTrainingJob"): _JOB,
    ("sagemaker", "CreateProcessingJob"): _JOB,
    ("sagemaker", "CreateModel"): Handed("sagemaker.amazonaws.com", _named("ExecutionRoleArn"), _sagemaker),
    ("firehose", "CreateDeliveryStream"): Handed(
        "firehose.amazonaws.com",
        lambda given: given.get("ExtendedS3DestinationConfiguration", {}).get("RoleARN"),
        _firehose,
    ),
}
"""The calls that hand over a role which is assumed at once."""
