"""Event patterns: which events start what. Names and shapes as the services document them."""

from typing import Any

from lifecycle import names
from stacks.imported import regional_arn

ENDED = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


def versions_of(stage: str, dataset: str) -> dict[str, Any]:
    """Match the announcement of a dataset's new version; the stage is in it, because all stages share one bus."""
    return {
        "source": [names.SOURCE],
        "detail-type": [names.VERSION_CUT],
        "detail": {"stage": [stage], "dataset": [dataset]},
    }


def created_below(data_bucket: str, prefix: str) -> dict[str, Any]:
    """Match objects that come into a bucket below a prefix."""
    return {
        "source": ["aws.s3"],
        "detail-type": [names.OBJECT_CREATED],
        "detail": {"bucket": {"name": [data_bucket]}, "object": {"key": [{"prefix": prefix}]}},
    }


def executions_of(machine_arn: str) -> dict[str, Any]:
    """Match the end of a state machine's executions, also of those whose end no Catch sees."""
    return {
        "source": ["aws.states"],
        "detail-type": [names.EXECUTION_CHANGED],
        "detail": {"stateMachineArn": [machine_arn], "status": list(ENDED)},
    }


def approvals_in(package_group: str) -> dict[str, Any]:
    """Match the approval of a model, whoever gave it."""
    return {
        "source": ["aws.sagemaker"],
        "detail-type": [names.MODEL_PACKAGE_CHANGED],
        "detail": {"ModelPackageGroupName": [package_group], "ModelApprovalStatus": ["Approved"]},
    }


def updates_of(stack: str) -> dict[str, Any]:
    """Match a finished update of a stack.

    The documented example names the stack without the id at the end, ARNs elsewhere have it: both match, and no other
    stack whose name merely begins alike.
    """
    arn = regional_arn("cloudformation", f"stack/{stack}")
    return {
        "source": ["aws.cloudformation"],
        "detail-type": [names.STACK_CHANGED],
        "detail": {"stack-id": [arn, {"prefix": f"{arn}/"}], "status-details": {"status": ["UPDATE_COMPLETE"]}},
    }


def alarms_named(alarms: list[str]) -> dict[str, Any]:
    """Match alarms that are raised; their other changes of state say nothing that anybody acts on."""
    return {
        "source": ["aws.cloudwatch"],
        "detail-type": [names.ALARM_CHANGED],
        "detail": {"alarmName": alarms, "state": {"value": ["ALARM"]}},
    }


def looks_at(stage: str, model: str) -> dict[str, Any]:
    """Match what monitoring announces after each look at a model."""
    return {
        "source": [names.SOURCE],
        "detail-type": [names.MODEL_MONITORED],
        "detail": {"stage": [stage], "model": [model]},
    }
