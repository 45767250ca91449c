"""State machines run as AWS would run them: data flow, errors, waits, history."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.states_world import World, one, task, world

SYNC = "arn:aws:states:::sagemaker:createTrainingJob.sync"


@pytest.fixture
def here() -> Iterator[World]:
    with world() as made:
        yield made


def test_a_task_calls_its_function_with_parameters_and_places_the_result(here: World) -> None:
    here.functions["add"] = lambda event: {"sum": event["a"] + event["b"], "run": event["run"]}
    state = task("add", Parameters={"a.$": "$.x", "b": 2, "run.$": "$$.Execution.Name"}, ResultPath="$.out")
    output = here.output(one(state), {"x": 1})
    assert output["x"] == 1
    assert output["out"]["sum"] == 3
    assert output["out"]["run"]


def test_a_map_keeps_order_and_runs_no_more_than_its_concurrency(here: World) -> None:
    running, most = [], []

    def work(event: Any) -> Any:
        running.append(1)
        most.append(len(running))
        running.pop()
        return event["n"] * 10 + event["i"]

    here.functions["work"] = work
    state = {
        "Type": "Map",
        "ItemsPath": "$.items",
        "ItemSelector": {"n.$": "$$.Map.Item.Value", "i.$": "$$.Map.Item.Index", "base.$": "$.base"},
        "MaxConcurrency": 2,
        "ItemProcessor": {"StartAt": "Work", "States": {"Work": task("work")}},
        "End": True,
    }
    assert here.output(one(state), {"items": [5, 6, 7], "base": 1}) == [50, 61, 72]
    assert max(most) <= 2


def test_a_function_error_is_caught_under_its_class_name(here: World) -> None:
    def fail(event: Any) -> Any:
        raise LookupError("no such thing")

    here.functions["fail"] = fail
    state = task("fail", Catch=[{"ErrorEquals": ["LookupError"], "ResultPath": "$.failure", "Next": "Failed"}])
    failed = {"Type": "Fail", "ErrorPath": "$.failure.Error", "CausePath": "$.failure.Cause"}
    ended = here.run(one(state, Failed=failed), {"kept": True})
    assert (ended["status"], ended["error"]) == ("FAILED", "LookupError")
    assert json.loads(ended["cause"])["errorMessage"] == "no such thing"


def test_a_retry_waits_on_the_engine_clock_and_counts(here: World) -> None:
    calls: list[float] = []

    def flaky(event: Any) -> Any:
        calls.append(here.clock.now())
        if len(calls) < 3:
            raise BlockingIOError("busy")
        return event["retries"]

    here.functions["flaky"] = flaky
    here.clock.set_idle_speed(600)
    here.clock.start()
    retry = [{"ErrorEquals": ["BlockingIOError"], "IntervalSeconds": 30, "BackoffRate": 2, "MaxAttempts": 4}]
    state = task("flaky", Parameters={"retries.$": "$$.State.RetryCount"}, Retry=retry)
    assert here.output(one(state)) == 2
    assert calls[1] - calls[0] >= 30
    assert calls[2] - calls[1] >= 60


def test_a_path_that_is_not_there_cannot_be_caught(here: World) -> None:
    state = task("x", Parameters={"a.$": "$.missing"}, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "After"}])
    ended = here.run(one(state, After={"Type": "Succeed"}), {})
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")
    assert "$.missing" in ended["cause"]


def test_a_result_over_256_kb_is_refused_and_not_caught_by_all(here: World) -> None:
    here.functions["big"] = lambda event: "x" * 300_000
    state = task("big", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "After"}])
    assert here.run(one(state, After={"Type": "Succeed"}))["error"] == "States.DataLimitExceeded"


def test_a_job_runs_to_its_end_and_its_timestamps_are_milliseconds(here: World) -> None:
    state = {
        "Type": "Task",
        "Resource": SYNC,
        "Parameters": {"TrainingJobName.$": "States.Format('{}-{}', $.run, $$.State.RetryCount)"},
        "ResultSelector": {"job.$": "$.TrainingJobName", "status.$": "$.TrainingJobStatus"},
        "End": True,
    }
    arn = here.start(one(state), {"run": "r"})
    here.until(lambda: "r-0" in here.sagemaker.jobs)
    here.sagemaker.finish("r-0", "Completed")
    assert json.loads(here.end(arn)["output"]) == {"job": "r-0", "status": "Completed"}
    kinds = [event["type"] for event in here.history(arn)]
    assert kinds == [
        "ExecutionStarted",
        "TaskStateEntered",
        "TaskScheduled",
        "TaskStarted",
        "TaskSubmitted",
        "TaskSucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ]


def test_a_failed_job_is_a_failed_task_with_the_description_as_cause(here: World) -> None:
    arn = here.start(one({"Type": "Task", "Resource": SYNC, "Parameters": {"TrainingJobName": "j"}, "End": True}))
    here.until(lambda: "j" in here.sagemaker.jobs)
    here.sagemaker.finish("j", "Failed", FailureReason="AlgorithmError: no rows, exit code: 1")
    ended = here.end(arn)
    assert ended["error"] == "States.TaskFailed"
    assert json.loads(ended["cause"])["FailureReason"] == "AlgorithmError: no rows, exit code: 1"


def test_a_job_refused_for_want_of_instances_is_retried_under_a_new_name(here: World) -> None:
    found = {"Error": {"Code": "ResourceLimitExceeded", "Message": "none left"}}
    here.sagemaker.refusals.append(ClientError(found, "CreateTrainingJob"))  # type: ignore[arg-type]
    here.clock.set_idle_speed(600)
    here.clock.start()
    retry = [{"ErrorEquals": ["SageMaker.ResourceLimitExceededException"], "IntervalSeconds": 60}]
    parameters = {"TrainingJobName.$": "States.Format('j-{}', $$.State.RetryCount)"}
    state = {"Type": "Task", "Resource": SYNC, "Parameters": parameters, "Retry": retry, "End": True}
    arn = here.start(one(state))
    here.until(lambda: "j-1" in here.sagemaker.jobs)
    here.sagemaker.finish("j-1", "Completed")
    assert here.end(arn)["status"] == "SUCCEEDED"


def test_stopping_an_execution_stops_its_job(here: World) -> None:
    arn = here.start(one({"Type": "Task", "Resource": SYNC, "Parameters": {"TrainingJobName": "j"}, "End": True}))
    here.until(lambda: "j" in here.sagemaker.jobs)
    here.call("StopExecution", executionArn=arn, error="Operator", cause="changed my mind")
    here.until(lambda: here.sagemaker.stopped == ["j"])
    ended = here.end(arn)
    assert (ended["status"], ended["error"], ended["cause"]) == ("ABORTED", "Operator", "changed my mind")


def test_a_machine_that_runs_too_long_times_out_and_stops_its_job(here: World) -> None:
    state = {"Type": "Task", "Resource": SYNC, "Parameters": {"TrainingJobName": "j"}, "End": True}
    arn = here.start({**one(state), "TimeoutSeconds": 100})
    here.until(lambda: "j" in here.sagemaker.jobs)
    here.clock.advance(101)
    assert here.end(arn)["status"] == "TIMED_OUT"
    here.until(lambda: here.sagemaker.stopped == ["j"])
    assert here.history(arn)[-1]["type"] == "ExecutionTimedOut"


def test_a_failing_iteration_ends_the_others_and_their_jobs(here: World) -> None:
    train = {"Type": "Task", "Resource": SYNC, "Parameters": {"TrainingJobName.$": "$.name"}, "End": True}
    state = {
        "Type": "Map",
        "ItemProcessor": {"StartAt": "Train", "States": {"Train": train}},
        "End": True,
    }
    arn = here.start(one(state), [{"name": "a"}, {"name": "b"}])
    here.until(lambda: {"a", "b"} <= set(here.sagemaker.jobs))
    here.sagemaker.finish("a", "Failed")
    assert here.end(arn)["error"] == "States.TaskFailed"
    assert here.sagemaker.stopped == ["b"]
    kinds = [event["type"] for event in here.history(arn)]
    assert {"MapIterationFailed", "MapIterationAborted", "MapStateFailed"} <= set(kinds)


def test_a_wait_lets_idle_time_pass_fast(here: World) -> None:
    here.clock.set_idle_speed(3600)
    here.clock.start()
    arn = here.start(one({"Type": "Wait", "Seconds": 3600, "End": True}))
    ended = here.end(arn)
    assert (ended["stopDate"] - ended["startDate"]).total_seconds() >= 3600


def test_the_input_says_how_long_a_wait_lasts(here: World) -> None:
    here.clock.set_idle_speed(3600)
    here.clock.start()
    wait = one({"Type": "Wait", "SecondsPath": "$.rollout.wait_seconds", "End": True})
    arn = here.start(wait, {"rollout": {"wait_seconds": 300}})
    ended = here.end(arn)
    assert 300 <= (ended["stopDate"] - ended["startDate"]).total_seconds() < 310
    for wrong in ({}, {"rollout": {"wait_seconds": "300"}}, {"rollout": {"wait_seconds": -1}}):
        assert here.run(wait, wrong)["error"] == "States.Runtime"


def test_every_change_of_status_is_an_event(here: World) -> None:
    arn = here.start(one({"Type": "Succeed"}), {"a": 1})
    here.end(arn)
    here.until(lambda: len(here.events) == 2)
    first, last = (event["detail"] for event in here.events)
    assert (first["status"], first["stopDate"], first["input"]) == ("RUNNING", None, '{"a": 1}')
    assert (last["status"], last["output"], last["executionArn"]) == ("SUCCEEDED", '{"a":1}', arn)
    assert isinstance(last["startDate"], int)


def test_choices_and_their_default(here: World) -> None:
    rules = [{"Variable": f"$.{name}", "BooleanEquals": True, "Next": name} for name in ("a", "b")]
    ends = {name: {"Type": "Pass", "Parameters": {"at": name}, "End": True} for name in ("a", "b", "c")}
    machine = one({"Type": "Choice", "Choices": rules, "Default": "c"}, **ends)
    assert here.output(machine, {"a": True, "b": True}) == {"at": "a"}
    assert here.output(machine, {"a": False, "b": True}) == {"at": "b"}
    assert here.output(machine, {"a": 1, "b": "true"}) == {"at": "c"}


def test_a_null_result_path_keeps_the_input(here: World) -> None:
    here.functions["f"] = lambda event: "ignored"
    assert here.output(one(task("f", ResultPath=None)), {"kept": 1}) == {"kept": 1}


def moments(history: list[dict[str, Any]], *kinds: str) -> list[float]:
    return [event["timestamp"].timestamp() for event in history if event["type"] in kinds]


def test_the_history_is_honest_however_fast_waits_run_down(here: World) -> None:
    """Each step lasts as long as it says: no time slips by between two states, or while a function works."""
    here.clock.set_idle_speed(5000)
    here.clock.start()
    here.functions["f"] = lambda _: time.sleep(0.05)
    wait = {"Type": "Wait", "Next": "Work"}
    states = {"Long": wait | {"Seconds": 1000}, "Work": task("f") | {"Next": "Short"}, "Short": wait | {"Seconds": 300}}
    states["Work"].pop("End")
    states["Short"] |= {"Next": "End"}
    arn = here.start({"StartAt": "Long", "States": {**states, "End": {"Type": "Succeed"}}})
    here.end(arn)
    found = moments(here.history(arn), "WaitStateEntered", "WaitStateExited")
    assert 1000 <= found[1] - found[0] < 1001
    assert 0.05 <= found[2] - found[1] < 1
    assert 300 <= found[3] - found[2] < 301
    assert moments(here.history(arn), "ExecutionSucceeded")[0] - found[3] < 1


def test_waits_and_retries_inside_a_map_run_down_fast_and_exactly(here: World) -> None:
    here.clock.set_idle_speed(5000)
    here.clock.start()
    failures = [RuntimeError("first")]

    def work(_: Any) -> Any:
        if failures:
            raise failures.pop()

    here.functions["f"] = work
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 500, "MaxAttempts": 1}]
    waits = {"Wait": {"Type": "Wait", "Seconds": 1000, "Next": "Work"}, "Work": task("f", Retry=retry)}
    states = {"Type": "Map", "ItemProcessor": {"StartAt": "Wait", "States": waits}, "End": True}
    began = time.perf_counter()
    arn = here.start(one(states), [1, 2, 3])
    assert here.end(arn)["status"] == "SUCCEEDED"
    assert time.perf_counter() - began < 10
    start, stop = moments(here.history(arn), "ExecutionStarted", "ExecutionSucceeded")
    assert 1500 <= stop - start < 1502


def test_an_empty_map_holds_nothing(here: World) -> None:
    here.clock.set_idle_speed(5000)
    here.clock.start()
    states = {"Type": "Map", "ItemProcessor": {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}}
    definition = one(states | {"Next": "W"}, W={"Type": "Wait", "Seconds": 5000, "End": True})
    assert here.run(definition, [])["status"] == "SUCCEEDED"
