"""The state machines keep to the dialect, retry what is transient, catch the rest and fit the services' limits."""

import json
import re
from collections.abc import Iterator
from typing import Any

from lifecycle import errors
from lifecycle.errors import Unavailable, names_of
from lifecycle.names import FAMILY_NAME_LENGTH, JOB_NAME_LENGTH, MODEL_NAME_LENGTH
from local.states import allowed
from stacks.asl import INTRINSICS, STATE_TYPES
from stacks.jobs import ENTRY_POINT_LENGTH, Jobs, evaluation_task, training_task
from tests.infrastructure.world import Assembly, flat


def definitions(assembly: Assembly) -> dict[str, dict[str, Any]]:
    return {
        f"{stack}/{name}": json.loads(flat(machine["Properties"]["DefinitionString"]))
        for stack, name, machine in assembly.resources("AWS::StepFunctions::StateMachine")
    }


def states(definition: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in definition["States"].items():
        yield name, state
        if "ItemProcessor" in state:
            yield from states(state["ItemProcessor"])


def every_state(assembly: Assembly) -> Iterator[tuple[str, dict[str, Any]]]:
    for definition in definitions(assembly).values():
        yield from states(definition)


def test_each_model_has_two_machines(assembly: Assembly) -> None:
    assert len(definitions(assembly)) == 6


def test_only_allowed_state_types_and_functions_occur(assembly: Assembly) -> None:
    assert {state["Type"] for _, state in every_state(assembly)} <= STATE_TYPES
    text = json.dumps(definitions(assembly))
    assert set(re.findall(r"States\.[A-Za-z0-9]+(?=\()", text)) <= INTRINSICS
    assert "JSONata" not in text


def test_every_task_retries_and_catches_and_ends(assembly: Assembly) -> None:
    tasks = [(name, state) for name, state in every_state(assembly) if state["Type"] == "Task"]
    assert len(tasks) == 1 + 3 * (6 + 7)
    for name, task in tasks:
        assert task["Retry"], name
        assert task["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name
        assert task["TimeoutSeconds"] > 0, name


def test_every_map_catches(assembly: Assembly) -> None:
    maps = [state for _, state in every_state(assembly) if state["Type"] == "Map"]
    assert maps
    assert all(state["Catch"] for state in maps)
    assert all(state["ItemProcessor"]["ProcessorConfig"] == {"Mode": "INLINE"} for state in maps)


def test_functions_are_retried_on_what_may_pass_and_on_nothing_else(assembly: Assembly) -> None:
    ours = {name for name in dir(errors) if isinstance(getattr(errors, name), type)}
    for name, task in every_state(assembly):
        if task["Type"] != "Task" or "sagemaker" in str(task["Resource"]):
            continue
        retried = {error for entry in task["Retry"] for error in entry["ErrorEquals"]}
        assert retried & ours == set(names_of(Unavailable)), name


def test_every_state_that_is_named_exists(assembly: Assembly) -> None:
    for definition in definitions(assembly).values():
        levels = [definition, *(s["ItemProcessor"] for _, s in states(definition) if "ItemProcessor" in s)]
        for level in levels:
            known = set(level["States"])
            named = {level["StartAt"]}
            for state in level["States"].values():
                named |= {state[key] for key in ("Next", "Default") if key in state}
                named |= {entry["Next"] for key in ("Catch", "Choices") for entry in state.get(key, [])}
            assert named == known, "each state is reached, and nothing else is named"


def test_an_execution_ends_before_its_claim_does(assembly: Assembly) -> None:
    for name, definition in definitions(assembly).items():
        assert definition["TimeoutSeconds"] < 24 * 3600, name


def test_definitions_fit_step_functions_limit(assembly: Assembly) -> None:
    for _, _, machine in assembly.resources("AWS::StepFunctions::StateMachine"):
        assert len(flat(machine["Properties"]["DefinitionString"])) < 1_000_000


def test_machines_log_everything_but_data_and_are_traced(assembly: Assembly) -> None:
    for _, _, machine in assembly.resources("AWS::StepFunctions::StateMachine"):
        logging = machine["Properties"]["LoggingConfiguration"]
        assert (logging["Level"], logging["IncludeExecutionData"]) == ("ALL", False)
        assert machine["Properties"]["TracingConfiguration"] == {"Enabled": True}


def jobs() -> Jobs:
    return Jobs(
        stage="dev",
        model="m" * MODEL_NAME_LENGTH,
        spec_id="ab" * 32,
        image="image",
        role_arn="role",
        key_arn="key",
        code_uri="s3://assets/code.zip",
        wheels_uri="s3://assets/wheels.zip",
        instance_type="ml.m5.large",
        volume_gb=30,
        max_minutes=60,
    )


def test_job_names_carry_the_attempt_and_fit_sagemaker() -> None:
    train, evaluate = training_task(jobs())["Parameters"], evaluation_task(jobs(), then="X")["Parameters"]
    assert train["TrainingJobName.$"] == "States.Format('{}-{}-{}', $.run_id, $.family, $$.State.RetryCount)"
    assert evaluate["ProcessingJobName.$"] == "States.Format('{}-evaluate-{}', $.run.run_id, $$.State.RetryCount)"
    run = f"{'m' * MODEL_NAME_LENGTH}-12345678-a99"
    assert len(f"{run}-{'f' * FAMILY_NAME_LENGTH}-6") <= JOB_NAME_LENGTH


def test_entry_points_fit_sagemaker() -> None:
    train, evaluate = training_task(jobs())["Parameters"], evaluation_task(jobs(), then="X")["Parameters"]
    for line in (
        train["AlgorithmSpecification"]["ContainerEntrypoint"],
        evaluate["AppSpecification"]["ContainerEntrypoint"],
    ):
        assert len(line) <= 10
        assert max(map(len, line)) <= ENTRY_POINT_LENGTH


def test_a_processing_job_has_at_most_ten_inputs() -> None:
    assert len(evaluation_task(jobs(), then="X")["Parameters"]["ProcessingInputs"]) <= 10


def test_jobs_are_cut_off_from_the_network_and_encrypt_with_the_stages_key() -> None:
    train, evaluate = training_task(jobs())["Parameters"], evaluation_task(jobs(), then="X")["Parameters"]
    assert train["EnableNetworkIsolation"] is True
    assert evaluate["NetworkConfig"] == {"EnableNetworkIsolation": True}
    assert train["OutputDataConfig"]["KmsKeyId"] == evaluate["ProcessingOutputConfig"]["KmsKeyId"] == "key"


def test_the_laptop_engine_knows_the_same_dialect(assembly: Assembly) -> None:
    assert set(allowed.STATE_FIELDS) == STATE_TYPES
    assert set(allowed.INTRINSICS) == INTRINSICS
    for name, state in every_state(assembly):
        assert set(state) <= allowed.STATE_FIELDS[state["Type"]], name
