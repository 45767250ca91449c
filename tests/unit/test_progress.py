"""Execution history as steps."""

from datetime import UTC, datetime, timedelta
from typing import Any

from lifecycle.progress import steps

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def history(*events: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"id": i, "type": t, "timestamp": BEGIN + timedelta(seconds=i), **d} for i, (t, d) in enumerate(events)]


def entered(kind: str, name: str) -> tuple[str, dict[str, Any]]:
    return f"{kind}StateEntered", {"stateEnteredEventDetails": {"name": name}}


def left(kind: str, name: str) -> tuple[str, dict[str, Any]]:
    return f"{kind}StateExited", {"stateExitedEventDetails": {"name": name}}


def test_a_task_that_ended_is_done_with_its_times() -> None:
    found = steps(history(entered("Task", "A"), ("TaskSucceeded", {}), left("Task", "A")))
    assert [(s.name, s.status) for s in found] == [("A", "done")]
    assert found[0].ended is not None
    assert (found[0].ended - found[0].started).total_seconds() == 2


def test_a_map_counts_its_iterations_and_hides_their_states() -> None:
    found = steps(
        history(
            entered("Map", "Train"),
            ("MapStateStarted", {"mapStateStartedEventDetails": {"length": 2}}),
            entered("Task", "Job"),
            ("TaskFailed", {"taskFailedEventDetails": {"error": "States.TaskFailed", "cause": "no signal"}}),
            left("Task", "Job"),
            ("MapIterationSucceeded", {}),
            entered("Task", "Job"),
        )
    )
    assert [(s.name, s.status, s.done, s.total, s.failed) for s in found] == [("Train", "running", 1, 2, 1)]
    assert found[0].error == "States.TaskFailed: no signal"


def test_an_execution_that_failed_shows_the_error_in_its_last_step() -> None:
    found = steps(
        history(
            entered("Task", "A"),
            ("TaskFailed", {"taskFailedEventDetails": {"error": "DatasetRejected", "cause": "empty"}}),
            ("ExecutionFailed", {"executionFailedEventDetails": {"error": "DatasetRejected", "cause": "empty"}}),
        )
    )
    assert [(s.status, s.error) for s in found] == [("failed", "DatasetRejected: empty")]


def test_an_aborted_execution_ends_its_running_step() -> None:
    found = steps(history(entered("Task", "A"), ("ExecutionAborted", {"executionAbortedEventDetails": {}})))
    assert [(s.status, s.error) for s in found] == [("failed", "Aborted")]


def test_deciding_states_are_not_steps() -> None:
    assert steps(history(entered("Choice", "Go?"), left("Choice", "Go?"), entered("Pass", "Shape"))) == ()


def test_a_task_that_succeeded_after_a_retry_is_done_without_an_error() -> None:
    found = steps(
        history(
            entered("Task", "A"),
            ("LambdaFunctionFailed", {"lambdaFunctionFailedEventDetails": {"error": "NotReady", "cause": "pending"}}),
            ("LambdaFunctionSucceeded", {}),
            left("Task", "A"),
        )
    )
    assert [(s.status, s.error) for s in found] == [("done", "")]
