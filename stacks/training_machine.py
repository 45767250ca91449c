"""The training state machine: a data version becomes a registered model, or a verdict why not."""

from dataclasses import dataclass
from typing import Any, Final

from stacks import asl
from stacks.functions import PROFILE_OBJECTS, REGISTER_MODEL, REPLAY_CANDIDATE, START_RUN, VALIDATE_VERSION
from stacks.jobs import Jobs, evaluation_task, training_task

# The claim of a run lasts 24 hours; an execution must end before it, or two runs could work at once.
LIMIT_SECONDS: Final = 23 * 3600
AT_ONCE: Final = 2  # a new account may run about four instances of a type; two leave room for another model
FAILED: Final = "RunFailed"


@dataclass(frozen=True, kw_only=True)
class TrainingFunctions:
    """ARNs of the functions that the machine calls; `replay_candidate` only where a gate asks for a replay."""

    start_run: str
    profile_objects: str
    validate_version: str
    register_model: str
    replay_candidate: str | None = None


def training_machine(functions: TrainingFunctions, jobs: Jobs) -> dict[str, Any]:
    """Return the definition. Input: a "Data Version Cut" event, or the same shape from `perennial train`."""
    return {
        "Comment": "Data version -> profiled, validated, trained, evaluated, registered",
        "StartAt": "StartRun",
        "TimeoutSeconds": LIMIT_SECONDS,
        "States": {
            "StartRun": asl.function_task(
                START_RUN, functions.start_run, asl.start_payload(), result="$.run", then="Go?", failed=FAILED
            ),
            "Go?": asl.when("$.run.go", "ProfileObjects", "Nothing"),
            "Nothing": asl.succeed("another run works on this model, or this version was trained before"),
            "ProfileObjects": _profile_objects(functions.profile_objects),
            "ValidateVersion": _validate_version(functions.validate_version),
            "Accepted?": asl.when("$.validation.accepted", "TrainFamilies", "Rejected"),
            "Rejected": asl.succeed("the data version breaks the contract; the report says where"),
            "TrainFamilies": _train_families(jobs),
            "EvaluateCandidates": evaluation_task(jobs, then=_after_evaluation(functions)),
            **_replay(functions),
            "RegisterModel": _register_model(functions.register_model),
            "Done": asl.succeed("the winner is registered with its reasons"),
            FAILED: asl.fail(),
        },
    }


def _validate_version(arn: str) -> asl.State:
    return asl.function_task(VALIDATE_VERSION, arn, _RUN, result="$.validation", then="Accepted?", failed=FAILED)


def _after_evaluation(functions: TrainingFunctions) -> str:
    return "ReplayCandidate" if functions.replay_candidate else "RegisterModel"


def _replay(functions: TrainingFunctions) -> dict[str, asl.State]:
    arn = functions.replay_candidate
    if arn is None:
        return {}
    task = asl.function_task(REPLAY_CANDIDATE, arn, _RUN, result="$.replay", then="RegisterModel", failed=FAILED)
    return {"ReplayCandidate": task}


def _register_model(arn: str) -> asl.State:
    return asl.function_task(REGISTER_MODEL, arn, _RUN, result="$.registered", then="Done", failed=FAILED)


def _profile_objects(arn: str) -> asl.State:
    payload = {"run_id.$": "$.run_id", "batch.$": "$.batch"}
    profile = asl.function_task(PROFILE_OBJECTS, arn, payload, result="$.profiled", then=None, failed="BatchFailed")
    return {
        "Type": "Map",
        "ItemsPath": "$.run.batches",
        "MaxConcurrency": 5,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "INLINE"},
            "StartAt": "ProfileBatch",
            "States": {"ProfileBatch": profile, "BatchFailed": asl.fail()},
        },
        **_counted("$.profiling"),
        "Catch": [asl.catch(FAILED)],
        "Next": "ValidateVersion",
    }


def _train_families(jobs: Jobs) -> asl.State:
    return {
        "Type": "Map",
        "ItemsPath": "$.run.families",
        "ItemSelector": {
            "run_id.$": "$$.Map.Item.Value.run_id",
            "family.$": "$$.Map.Item.Value.family",
            "version.$": "$.run.version",
            "uri.$": "$.run.uri",
        },
        "MaxConcurrency": AT_ONCE,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "INLINE"},
            "StartAt": "Train",
            "States": {
                "Train": training_task(jobs),
                # a family that fails does not fail the run while another succeeds: evaluation reads what is there
                "FamilyFailed": {
                    "Type": "Pass",
                    "Parameters": {"family.$": "$.family", "error.$": "$.failure.Error"},
                    "End": True,
                },
            },
        },
        **_counted("$.training"),
        "Catch": [asl.catch(FAILED)],
        "Next": "EvaluateCandidates",
    }


def _counted(path: str) -> asl.State:
    """Keep of a Map's results their number: a null ResultPath, which would drop them, does not survive synthesis."""
    return {"ResultSelector": {"iterations.$": "States.ArrayLength($)"}, "ResultPath": path}


_RUN: Final = {"run_id.$": "$.run.run_id", "version.$": "$.run.version"}
