"""Pieces of Amazon States Language (JSONPath) that both state machines are made of, and the dialect they keep to.

The dialect is small on purpose: every engine that we check against can run it (docs/architecture.md, section 3).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lifecycle.errors import Unavailable, names_of
from stacks.functions import Entry

State = dict[str, Any]

STATE_TYPES: Final = frozenset({"Task", "Map", "Choice", "Pass", "Wait", "Succeed", "Fail"})
INTRINSICS: Final = frozenset({"States.Array", "States.ArrayLength", "States.Format"})

# Lambda's own transient errors, from "Handle transient Lambda service exceptions" in the Step Functions guide.
LAMBDA_TRANSIENT: Final = (
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
)
# A new account may run very few instances of a type: waiting for the others to end is the normal way on.
SAGEMAKER_TRANSIENT: Final = (
    "SageMaker.AmazonSageMakerException",
    "SageMaker.ResourceLimitExceededException",
    "SageMaker.ThrottlingException",
    "ResourceLimitExceeded",
    "ThrottlingException",
)

FAILURE_PATH: Final = "$.failure"


def function_task(
    function: Entry, arn: str, payload: Mapping[str, Any], *, result: str, then: str | None, failed: str
) -> State:
    """Return a Task that calls a function and stores its answer at `result`, then goes on (None: ends there).

    The function's ARN is the Task's resource, so payload and answer are the function's own, without an envelope.
    """
    return {
        "Type": "Task",
        "Resource": arn,
        "Parameters": dict(payload),
        "ResultPath": result,
        # the function's own time-out comes first, so that its error is the one that is seen
        "TimeoutSeconds": function.seconds + 60,
        "Retry": [
            retry(names_of(Unavailable), seconds=5, attempts=6),
            retry(LAMBDA_TRANSIENT, seconds=2, attempts=6),
        ],
        "Catch": [catch(failed)],
        **({"Next": then} if then else {"End": True}),
    }


def retry(errors: Sequence[str], *, seconds: int, attempts: int) -> State:
    """Return a Retry entry that doubles the wait each time."""
    return {"ErrorEquals": list(errors), "IntervalSeconds": seconds, "MaxAttempts": attempts, "BackoffRate": 2}


def catch(target: str) -> State:
    """Return a Catch entry for everything, which keeps the state's input and adds the error to it."""
    return {"ErrorEquals": ["States.ALL"], "ResultPath": FAILURE_PATH, "Next": target}


def when(variable: str, then: str, otherwise: str) -> State:
    """Return a Choice on a boolean."""
    return {
        "Type": "Choice",
        "Choices": [{"Variable": variable, "BooleanEquals": True, "Next": then}],
        "Default": otherwise,
    }


def fail() -> State:
    """Return the Fail state that ends an execution with the error's own name and cause."""
    return {"Type": "Fail", "ErrorPath": f"{FAILURE_PATH}.Error", "CausePath": f"{FAILURE_PATH}.Cause"}


def succeed(comment: str) -> State:
    """Return a Succeed state; the comment says what the success consists of."""
    return {"Type": "Succeed", "Comment": comment}


def start_payload() -> dict[str, str]:
    """Return what the first function of a machine is told: who runs, since when, and the event's detail."""
    return {"execution.$": "$$.Execution.Id", "started_at.$": "$$.Execution.StartTime", "detail.$": "$.detail"}
