"""Step Functions executions: what became of one, and starting the next."""

import json
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from cloud.faults import code, translated

RUNNING: Final = "RUNNING"
GONE: Final = "GONE"
_ALIVE: Final = frozenset({RUNNING, "PENDING_REDRIVE"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How an execution stands. Times in epoch seconds; `error` and `cause` are texts, empty when there is none."""

    status: str
    machine: str
    started: float
    ended: float | None = None
    error: str = ""
    cause: str = ""
    input: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen in this execution."""
        return self.status not in _ALIVE


class Executions:
    """Executions by their ARN."""

    def __init__(self, states: Any) -> None:
        self._states = states

    def outcome(self, arn: str) -> Outcome:
        """Return how an execution stands; status GONE when AWS has forgotten it (90 days after its end)."""
        try:
            with translated(f"describe execution {arn}"):
                answer = self._states.describe_execution(executionArn=arn)
        except ClientError as error:
            if code(error) in ("ExecutionDoesNotExist", "InvalidArn"):
                return Outcome(status=GONE, machine="", started=0.0)
            raise
        stopped = answer.get("stopDate")
        return Outcome(
            status=answer["status"],
            machine=answer["stateMachineArn"],
            started=answer["startDate"].timestamp(),
            ended=stopped.timestamp() if stopped else None,
            error=answer.get("error") or "",
            cause=answer.get("cause") or "",
            input=answer.get("input") or "",
        )

    def start(self, machine: str, name: str, payload: dict[str, Any]) -> bool:
        """Start an execution under a name of its own; False when one of that name was started before."""
        try:
            with translated(f"start {name}"):
                self._states.start_execution(stateMachineArn=machine, name=name, input=json.dumps(payload))
        except ClientError as error:
            if code(error) == "ExecutionAlreadyExists":
                return False
            raise
        return True
