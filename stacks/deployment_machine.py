"""The deployment state machine: an approved model, or new code, becomes the live version of the predict function."""

from dataclasses import dataclass
from typing import Any, Final

from lifecycle.rollout import Rollout
from stacks import asl
from stacks.functions import (
    JUDGE_ROLLOUT,
    PLAN_DEPLOYMENT,
    PROBE_VERSION,
    PROMOTE_MODEL,
    PUBLISH_MODEL,
    SHIFT_TRAFFIC,
    WITHDRAW_VERSION,
    Entry,
)

WORK_SECONDS: Final = 3600  # for everything but waiting
# An endpoint comes into service within minutes; SageMaker gives up after about twenty. Looks stay equally far apart.
LOOK_SECONDS: Final = 20
LOOKS: Final = 75
FAILED: Final = "DeploymentFailed"
OVERTAKEN: Final = "Overtaken"


@dataclass(frozen=True, kw_only=True)
class DeploymentFunctions:
    """ARNs of the functions that the machine calls."""

    plan_deployment: str
    publish_model: str
    probe_version: str
    shift_traffic: str
    judge_rollout: str
    promote_model: str
    withdraw_version: str


def deployment_machine(functions: DeploymentFunctions, rollout: Rollout) -> dict[str, Any]:
    """Return the definition. Input: a model package's event, a stack's event, or `{"detail": {...}}` by hand."""
    planned = {"execution.$": "$$.Execution.Id", "plan.$": "$.plan"}
    published = {**planned, "published.$": "$.published"}
    rolling = {**published, "rollout.$": "$.rollout"}
    return {
        "Comment": "Approved model -> published version -> probe -> steps -> alias `live`, or back",
        "StartAt": "Plan",
        "TimeoutSeconds": WORK_SECONDS + rollout.longest_seconds,
        "States": {
            "Plan": _task(PLAN_DEPLOYMENT, functions.plan_deployment, asl.start_payload(), "$.plan", "Go?"),
            "Go?": asl.when("$.plan.go", "Publish", "Nothing"),
            "Nothing": asl.succeed("this model is live with this code already, or another deployment works on it"),
            "Publish": _patient(_task(PUBLISH_MODEL, functions.publish_model, planned, "$.published", "Probe")),
            "Probe": _task(PROBE_VERSION, functions.probe_version, published, "$.rollout", "Sound?"),
            "Sound?": asl.when("$.rollout.sound", "Gradual?", "RollBack"),
            "Gradual?": asl.when("$.rollout.gradual", "Shift", "Promote"),
            "Shift": _task(SHIFT_TRAFFIC, functions.shift_traffic, rolling, "$.rollout", "Wait"),
            "Wait": {"Type": "Wait", "SecondsPath": "$.rollout.wait_seconds", "Next": "Judge"},
            "Judge": _task(JUDGE_ROLLOUT, functions.judge_rollout, rolling, "$.rollout", "Bad?"),
            "Bad?": asl.when("$.rollout.bad", "RollBack", "More?"),
            "More?": asl.when("$.rollout.more", "Shift", "Promote"),
            "Promote": _task(PROMOTE_MODEL, functions.promote_model, rolling, "$.promoted", "Done"),
            "Done": asl.succeed("the alias `live` points at the new version"),
            "RollBack": _task(WITHDRAW_VERSION, functions.withdraw_version, rolling, "$.withdrawn", "RolledBack"),
            "RolledBack": asl.succeed("the version did not pass: a verdict, no fault; what was live has all traffic"),
            OVERTAKEN: asl.succeed("somebody else moved the alias meanwhile; nothing was changed"),
            FAILED: asl.fail(),
        },
    }


def _task(function: Entry, arn: str, payload: dict[str, str], result: str, then: str) -> asl.State:
    """Return a step that gives way to whoever moved the alias, and fails on anything else."""
    step = asl.function_task(function, arn, payload, result=result, then=then, failed=FAILED)
    gives_way = {"ErrorEquals": [OVERTAKEN], "ResultPath": asl.FAILURE_PATH, "Next": OVERTAKEN}
    return {**step, "Catch": [gives_way, *step["Catch"]]}


def _patient(step: asl.State) -> asl.State:
    """Return a step that waits 25 minutes for what is not ready; its first Retry is the one that counts for that."""
    looks = {"ErrorEquals": ["NotReady"], "IntervalSeconds": LOOK_SECONDS, "MaxAttempts": LOOKS, "BackoffRate": 1}
    return {**step, "Retry": [looks, *step["Retry"]]}
