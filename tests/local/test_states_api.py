"""The Step Functions API: names, idempotency, paging, and definitions that are refused by name."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.api import ApiError
from tests.local.states_world import ROLE, World, one, task, world

PASS = one({"Type": "Pass", "End": True})
FAIL = {"Type": "Fail", "ErrorPath": "$.e", "CausePath": "$.e"}
WAIT = one({"Type": "Wait", "Seconds": 10_000, "End": True})


@pytest.fixture
def here() -> Iterator[World]:
    with world() as made:
        yield made


def refused(here: World, definition: dict[str, Any]) -> str:
    with pytest.raises(ApiError) as caught:
        here.create(definition, "refused")
    assert caught.value.code == "InvalidDefinition"
    return caught.value.message


@pytest.mark.parametrize(
    ("state", "named"),
    [
        ({"Type": "Parallel", "Branches": [], "End": True}, "'Parallel'"),
        (task("f", HeartbeatSeconds=5), "HeartbeatSeconds"),
        (task("f", Assign={"a": 1}), "Assign"),
        (task("f", Parameters={"a.$": "States.UUID()"}), "States.UUID"),
        (task("f", Parameters={"a.$": "$.items[?(@.a)]"}), "not a reference path"),
        (task("f", ResultPath="$.a[*]"), "not a reference path"),
        (task("f", InputPath="$.a"), "InputPath"),
        (task("f", Parameters={"a.$": "States.Array(States.Array($))"}), "expected a path"),
        (task("f", Parameters={"a.$": "$.items[0]"}), "not a reference path"),
        ({"Type": "Fail", "ErrorPath": "$.e"}, "Fail needs CausePath"),
        ({"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "End": True}, "sns:publish"),
        (
            {"Type": "Task", "Resource": "arn:aws:states:::sagemaker:createTrainingJob", "End": True},
            "createTrainingJob",
        ),
        ({"Type": "Pass"}, "exactly one of Next and End"),
        ({"Type": "Pass", "Next": "Nowhere"}, "Nowhere"),
        ({"Type": "Wait", "End": True}, "exactly one of Seconds and SecondsPath"),
        ({"Type": "Wait", "Seconds": 1, "SecondsPath": "$.s", "End": True}, "exactly one of Seconds and SecondsPath"),
        ({"Type": "Choice", "Choices": []}, "Choices"),
        (task("f", Retry=[{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["A"]}]), "stand alone and last"),
        (task("f", TimeoutSeconds=0), "positive integer"),
    ],
)
def test_what_the_engine_does_not_run_is_refused_by_name(here: World, state: dict[str, Any], named: str) -> None:
    assert named in refused(here, one(state))


def test_unknown_comparisons_and_unreachable_states_are_refused(here: World) -> None:
    choice = {"Type": "Choice", "Choices": [{"Variable": "$.a", "StringMatches": "x*", "Next": "End"}]}
    assert "StringMatches" in refused(here, one(choice, End={"Type": "Succeed"}))
    assert "not reachable" in refused(here, one({"Type": "Pass", "End": True}, Lost={"Type": "Succeed"}))


def test_a_definition_that_is_no_json_is_refused(here: World) -> None:
    with pytest.raises(ApiError, match="InvalidDefinition"):
        here.call("CreateStateMachine", name="m", definition="{", roleArn=ROLE)


def test_creating_twice_is_creating_once_unless_it_differs(here: World) -> None:
    assert here.create(PASS) == here.create(PASS)
    with pytest.raises(ApiError, match="StateMachineAlreadyExists"):
        here.create(WAIT)


def test_the_same_name_and_input_is_one_execution_while_it_runs(here: World) -> None:
    arn = here.create(WAIT)
    first = here.call("StartExecution", stateMachineArn=arn, name="n", input="{}")
    assert here.call("StartExecution", stateMachineArn=arn, name="n", input="{}") == first
    with pytest.raises(ApiError, match="ExecutionAlreadyExists"):
        here.call("StartExecution", stateMachineArn=arn, name="n", input='{"other": 1}')


def test_a_name_is_free_again_ninety_days_after_its_execution_ended(here: World) -> None:
    arn = here.create(PASS)
    here.end(here.call("StartExecution", stateMachineArn=arn, name="n")["executionArn"])
    with pytest.raises(ApiError, match="ExecutionAlreadyExists"):
        here.call("StartExecution", stateMachineArn=arn, name="n")
    here.clock.advance(90 * 86_400 + 1)
    here.end(here.call("StartExecution", stateMachineArn=arn, name="n")["executionArn"])


@pytest.mark.parametrize("name", ["", "x" * 81, "a b", "a:b", "a/b"])
def test_names_that_aws_refuses_are_refused(here: World, name: str) -> None:
    with pytest.raises(ApiError, match="InvalidName"):
        here.call("CreateStateMachine", name=name, definition=json.dumps(PASS), roleArn=ROLE)


@pytest.mark.parametrize("text", ["{", "x" * 262_145])
def test_inputs_that_are_no_json_or_too_large_are_refused(here: World, text: str) -> None:
    with pytest.raises(ApiError, match="InvalidExecutionInput"):
        here.call("StartExecution", stateMachineArn=here.create(PASS), input=text)


def test_a_running_execution_keeps_the_definition_that_it_began_with(here: World) -> None:
    two = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 50, "Next": "P"}, "P": {"Type": "Succeed"}}}
    arn = here.create(two)
    running = here.call("StartExecution", stateMachineArn=arn)["executionArn"]
    here.call("UpdateStateMachine", stateMachineArn=arn, definition=json.dumps(one(FAIL)))
    here.clock.advance(51)
    assert here.end(running)["status"] == "SUCCEEDED"
    again = here.call("StartExecution", stateMachineArn=arn, input='{"e": "E"}')
    assert here.end(again["executionArn"])["error"] == "E"


def test_the_history_can_be_paged_and_read_backwards(here: World) -> None:
    arn = here.start(PASS)
    here.end(arn)
    first = here.call("GetExecutionHistory", executionArn=arn, maxResults=3)
    rest = here.call("GetExecutionHistory", executionArn=arn, nextToken=first["nextToken"])
    numbers = [event["id"] for event in first["events"] + rest["events"]]
    assert numbers == [1, 2, 3, 4]
    backwards = here.call("GetExecutionHistory", executionArn=arn, reverseOrder=True)["events"]
    assert [event["id"] for event in backwards] == [4, 3, 2, 1]
    assert backwards[0]["type"] == "ExecutionSucceeded"


def test_executions_are_listed_newest_first_and_by_status(here: World) -> None:
    arn = here.create(PASS)
    names = ["a", "b"]
    for name in names:
        here.end(here.call("StartExecution", stateMachineArn=arn, name=name)["executionArn"])
    listed = here.call("ListExecutions", stateMachineArn=arn, statusFilter="SUCCEEDED")["executions"]
    assert [execution["name"] for execution in listed] == ["b", "a"]
    assert here.call("ListExecutions", stateMachineArn=arn, statusFilter="FAILED")["executions"] == []


def test_deleting_a_machine_ends_what_runs(here: World) -> None:
    arn = here.start(WAIT)
    here.call("DeleteStateMachine", stateMachineArn=arn.rsplit(":", 1)[0].replace("execution", "stateMachine"))
    assert here.end(arn)["status"] == "ABORTED"


def test_what_does_not_exist_is_said_to_not_exist(here: World) -> None:
    with pytest.raises(ApiError, match="ExecutionDoesNotExist"):
        here.call("DescribeExecution", executionArn="arn:none")
    with pytest.raises(ApiError, match="StateMachineDoesNotExist"):
        here.call("StartExecution", stateMachineArn="arn:none")
