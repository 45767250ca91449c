"""Execution history -> steps: what of a run is done, running or failed, as `perennial status` shows it."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

_STATE_ENTERED = ("TaskStateEntered", "MapStateEntered", "ChoiceStateEntered", "PassStateEntered", "WaitStateEntered")
_QUIET = ("ChoiceStateEntered", "PassStateEntered")  # decide or reshape within a moment: nothing to watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One state of the machine that does work. `done` of `total` count a Map's iterations; otherwise both are None."""

    name: str
    status: str  # "running", "done" or "failed"
    started: datetime
    ended: datetime | None = None
    done: int | None = None
    total: int | None = None
    failed: int = 0
    error: str = ""


def steps(events: Iterable[Mapping[str, Any]]) -> tuple[Step, ...]:
    """Return the steps of one execution in order, from its history events (oldest first, as AWS returns them).

    States inside a Map are counted in their Map's step. A task that was retried is one step; an execution that was
    aborted or ran out of time ends its running step as failed.
    """
    found: list[Step] = []
    inside: str | None = None
    error = ""
    for event in events:
        kind, at = event["type"], event["timestamp"]
        name = (event.get("stateEnteredEventDetails") or event.get("stateExitedEventDetails") or {}).get("name", "")
        if inside is None and kind in _STATE_ENTERED and kind not in _QUIET:
            found.append(Step(name=name, status="running", started=at))
            inside = name if kind == "MapStateEntered" else None
            error = ""
        elif kind == "MapStateStarted":
            total = event.get("mapStateStartedEventDetails", {}).get("length")
            found[-1] = replace(found[-1], done=0, total=total)
        elif kind in ("MapIterationSucceeded", "MapIterationFailed", "MapIterationAborted") and inside:
            found[-1] = replace(found[-1], done=(found[-1].done or 0) + 1)
        elif kind in ("TaskFailed", "TaskTimedOut", "TaskSubmitFailed", "LambdaFunctionFailed"):
            error = _error_of(event)
            if inside:
                found[-1] = replace(found[-1], failed=found[-1].failed + 1, error=error)
        elif kind.endswith("StateExited") and found and name == found[-1].name:
            # a task that failed and was caught leaves the state as well
            status = "failed" if error and inside is None and found[-1].status == "running" else "done"
            found[-1] = replace(found[-1], status=status, ended=at, error=found[-1].error or error)
            inside, error = None, ""
        elif kind in ("TaskSucceeded", "TaskSubmitted", "LambdaFunctionSucceeded") and inside is None:
            error = ""
        elif kind in ("ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"):
            _end(found, at, _error_of(event) or kind.removeprefix("Execution"))
    return tuple(found)


def _end(found: list[Step], at: datetime, error: str) -> None:
    if found and found[-1].status == "running":
        found[-1] = replace(found[-1], status="failed", ended=at, error=found[-1].error or error)


def _error_of(event: Mapping[str, Any]) -> str:
    """Return `Error: cause` of whatever details the event carries."""
    for key, details in event.items():
        if key.endswith("EventDetails") and isinstance(details, Mapping) and ("error" in details or "cause" in details):
            return readable(details.get("error") or "", details.get("cause") or "")
    return ""


def readable(error: str, cause: str) -> str:
    """Return an error's name and cause for a person.

    A function's cause is JSON with `errorMessage`, a job's is its Describe answer with `FailureReason` (a processing
    job's own words are `ExitMessage`); of both only the sentence is kept.

    >>> readable("DatasetRejected", '{"errorMessage": "no rows", "errorType": "DatasetRejected", "stackTrace": []}')
    'DatasetRejected: no rows'
    >>> readable("States.TaskFailed", '{"FailureReason": "AlgorithmError", "ExitMessage": "TrainingFailed: flat"}')
    'TrainingFailed: flat'
    """
    try:
        said = json.loads(cause)
    except ValueError:
        said = None
    if isinstance(said, Mapping):
        if words := said.get("ExitMessage") or said.get("FailureReason"):
            return re.sub(r", exit code: \d+$", "", str(words).removeprefix("AlgorithmError: "))
        cause = str(said.get("errorMessage") or cause)
    return f"{error}: {cause}".strip(": ")
