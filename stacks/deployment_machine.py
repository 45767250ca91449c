"""The deployment state machine: an approved model becomes the live version of the predict function."""

from dataclasses import dataclass
from typing import Any, Final

from stacks import asl
from stacks.functions import PLAN_DEPLOYMENT, PROMOTE_MODEL, PUBLISH_MODEL

LIMIT_SECONDS: Final = 3600
FAILED: Final = "DeploymentFailed"


@dataclass(frozen=True, kw_only=True)
class DeploymentFunctions:
    """ARNs of the functions that the machine calls."""

    plan_deployment: str
    publish_model: str
    promote_model: str


def deployment_machine(functions: DeploymentFunctions) -> dict[str, Any]:
    """Return the definition. Input: a model package's event, a stack's event, or `{"detail": {...}}` by hand."""
    planned = {"execution.$": "$$.Execution.Id", "plan.$": "$.plan"}
    promoted = {**planned, "published.$": "$.published"}
    return {
        "Comment": "Approved model -> published version -> alias `live`; the alias moves last",
        "StartAt": "Plan",
        "TimeoutSeconds": LIMIT_SECONDS,
        "States": {
            "Plan": asl.function_task(
                PLAN_DEPLOYMENT,
                functions.plan_deployment,
                asl.start_payload(),
                result="$.plan",
                then="Go?",
                failed=FAILED,
            ),
            "Go?": asl.when("$.plan.go", "Publish", "Nothing"),
            "Nothing": asl.succeed("this model is live with this code already, or another deployment works on it"),
            "Publish": asl.function_task(
                PUBLISH_MODEL,
                functions.publish_model,
                planned,
                result="$.published",
                then="Promote",
                failed=FAILED,
            ),
            "Promote": asl.function_task(
                PROMOTE_MODEL, functions.promote_model, promoted, result="$.promoted", then="Done", failed=FAILED
            ),
            "Done": asl.succeed("the alias `live` points at the new version"),
            FAILED: asl.fail(),
        },
    }
