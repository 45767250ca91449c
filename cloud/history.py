"""State machine executions as the command line watches them: list, describe, steps, start, stop."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lifecycle import progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One execution of a state machine. `output`, `error` and `cause` are texts, empty while there is none."""

    arn: str
    name: str
    status: str
    started: datetime
    stopped: datetime | None
    input: str = ""
    output: str = ""
    error: str = ""
    cause: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen in this execution."""
        return self.status != "RUNNING"


class History:
    """Reads what the executions of state machines did."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def recent(self, machine: str, limit: int = 20) -> list[Execution]:
        """Return up to `limit` executions of a machine, newest first, without their output."""
        found = self._client.list_executions(stateMachineArn=machine, maxResults=limit)["executions"]
        return [
            Execution(
                arn=e["executionArn"],
                name=e["name"],
                status=e["status"],
                started=e["startDate"],
                stopped=e.get("stopDate"),
            )
            for e in found
        ]

    def describe(self, arn: str) -> Execution:
        """Return one execution with input, output and error."""
        e = self._client.describe_execution(executionArn=arn)
        return Execution(
            arn=arn,
            name=e["name"],
            status=e["status"],
            started=e["startDate"],
            stopped=e.get("stopDate"),
            input=e.get("input", ""),
            output=e.get("output", ""),
            error=e.get("error", ""),
            cause=e.get("cause", ""),
        )

    def steps(self, arn: str) -> tuple[progress.Step, ...]:
        """Return the steps of one execution in order."""
        pages = self._client.get_paginator("get_execution_history").paginate(executionArn=arn)
        return progress.steps(event for page in pages for event in page["events"])

    def start(self, machine: str, payload: str) -> str:
        """Start an execution with `payload` (JSON text) and return its ARN."""
        return str(self._client.start_execution(stateMachineArn=machine, input=payload)["executionArn"])
