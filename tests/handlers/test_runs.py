"""One run per content and model, none lost: starts, ends, waits, duplicates, and deaths in between."""

import json
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from lambdas import close_run, cut_version, profile_objects, register_model, start_run, validate_version
from lifecycle import claims, formats
from lifecycle.claims import State

from .calls_made import counted
from .conftest import SPEC, STAGE, World

GOOD = b"flight,origin,distance,late\nF1,JFK,100,true\nF2,EWR,200.5,false\nF3,LGA,,true\n"


def upload(world: World, content: bytes = GOOD, name: str = "a.csv") -> dict[str, Any]:
    """Upload a file, cut, and return the announcement's detail."""
    world.upload(name, content)
    world.pass_time(61)
    record = {
        "messageId": "m",
        "receiptHandle": "r",
        "body": json.dumps({"key": f"incoming/flights/{name}"}),
        "attributes": {"SentTimestamp": str(int(time.time() * 1000))},
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:look",
    }
    cut_version.handler({"Records": [record]}, SimpleNamespace(aws_request_id="cutter"))
    return dict(json.loads([e for e in world.sent if e["DetailType"] == "Data Version Cut"][-1]["Detail"]))


def start(execution: str, detail: dict[str, Any]) -> dict[str, Any]:
    event = {"execution": execution, "started_at": "2026-11-21T12:00:00Z", "detail": detail}
    return start_run.handler(event, None)


def validated(run: dict[str, Any]) -> dict[str, Any]:
    for batch in run["batches"]:
        profile_objects.handler(batch, None)
    return validate_version.handler({"run_id": run["run_id"], "version": run["version"]}, None)


def stop(execution: str) -> None:
    boto3.client("stepfunctions").stop_execution(executionArn=execution, error="Stopped", cause="by hand")


def close(execution: str) -> None:
    close_run.handler({"detail": {"executionArn": execution, "stateMachineArn": machine(execution)}}, None)


def machine(execution: str) -> str:
    return execution.replace(":execution:", ":stateMachine:").rsplit(":", 1)[0]


def running(execution: str) -> list[str]:
    states = boto3.client("stepfunctions")
    found = states.list_executions(stateMachineArn=machine(execution), statusFilter="RUNNING")["executions"]
    return [entry["executionArn"] for entry in found]


def record_of(world: World, run: dict[str, Any]) -> dict[str, Any]:
    return dict(world.read("artifact-bucket", f"runs/flights/{run['run_id']}/run.json"))


def test_a_new_version_goes_with_everything_its_steps_need(world: World, execution: Callable[[str], str]) -> None:
    detail = upload(world)
    run = start(execution("one"), detail)
    assert (run["go"], run["decision"], run["version"]) == (True, "start", detail["version"])
    assert run["run_id"].startswith("flights-")
    assert run["run_id"].endswith("-a1")
    [batch] = run["batches"]
    objects = world.read("artifact-bucket", batch["batch"])
    assert [entry["name"] for entry in objects] == ["a.csv"]
    assert [family["run_id"] for family in run["families"]] == [run["run_id"]] * 3
    assert run["uri"]["train"] == f"s3://artifact-bucket/runs/flights/{run['run_id']}/train/"
    assert world.read("artifact-bucket", f"runs/flights/{run['run_id']}/inputs/champion.json") == {"live": None}
    # SageMaker refuses an input that holds nothing: without this file, a run whose families all failed would not say so
    asked = world.read("artifact-bucket", f"runs/flights/{run['run_id']}/train/families.json")
    assert asked == [entry["family"] for entry in run["families"]]
    record = record_of(world, run)
    assert (record["status"], record["reason"], record["parent"]) == ("running", "new data version", None)
    assert [entry["kind"] for entry in world.ledger("model#flights")] == ["run started"]


def test_asking_again_with_the_same_execution_changes_nothing(world: World, execution: Callable[[str], str]) -> None:
    detail, one = upload(world), execution("one")
    assert start(one, detail) == start(one, detail)
    assert len(world.ledger("model#flights")) == 1


def test_a_second_event_of_a_running_version_is_a_duplicate(world: World, execution: Callable[[str], str]) -> None:
    detail = upload(world)
    start(execution("one"), detail)
    assert start(execution("two"), detail)["decision"] == "duplicate"


def test_a_version_that_was_trained_is_not_trained_again_unless_asked(
    world: World, execution: Callable[[str], str]
) -> None:
    detail, one = upload(world), execution("one")
    run = start(one, detail)
    validated(run)
    finish(one)
    close(one)
    assert start(execution("two"), detail)["decision"] == "duplicate"
    again = start(execution("three"), {**detail, "rerun": True, "reason": "a new library"})
    assert again["run_id"] == run["run_id"].replace("-a1", "-a2")
    assert again["batches"] == [], "its objects are profiled already"


def test_what_is_known_of_a_file_is_read_once_by_a_warm_function(world: World, execution: Callable[[str], str]) -> None:
    one = execution("one")
    validated(start(one, upload(world)))
    stop(one)
    close(one)
    run = start(execution("two"), upload(world, b"flight,origin,distance,late\nF7,JFK,1,true\n", "b.csv"))
    with counted("s3") as calls:
        assert validated(run)["accepted"] is True
    fetched = [call["Key"] for call in calls.of("GetObject") if call["Key"].startswith("profiles/")]
    b_csv = next(e["sha256"] for e in world.read("artifact-bucket", run["batches"][0]["batch"]) if e["name"] == "b.csv")
    # the profile's second mention is the look whether it exists, before it was made
    assert sorted({key.rsplit("/")[-1].partition(".")[0] for key in fetched}) == [b_csv]


def finish(execution: str) -> None:
    """Let an execution succeed: moto's own has no API for it, so its record is set."""
    from moto.stepfunctions.models import stepfunctions_backends

    for backend in stepfunctions_backends["123456789012"].values():
        for state_machine in backend.state_machines:
            for entry in state_machine.executions:
                if entry.execution_arn == execution:
                    entry.status = "SUCCEEDED"
                    entry.stop_date = entry.start_date


def test_an_upload_during_a_run_waits_and_runs_after_it(world: World, execution: Callable[[str], str]) -> None:
    one = execution("one")
    first = upload(world)
    start(one, first)
    second = upload(world, GOOD + b"F4,JFK,1,false\n")
    assert start(execution("two"), second)["decision"] == "wait"
    stop(one)
    close(one)
    waited = [arn for arn in running(one) if ":waited-" in arn]
    assert len(waited) == 1
    given = json.loads(boto3.client("stepfunctions").describe_execution(executionArn=waited[0])["input"])
    assert given["detail"]["version"] == second["version"]
    close(one)
    assert [arn for arn in running(one) if ":waited-" in arn] == waited, "the event came twice"
    assert start(waited[0], given["detail"])["go"]


def test_of_many_versions_that_wait_only_the_newest_runs(world: World, execution: Callable[[str], str]) -> None:
    one = execution("one")
    start(one, upload(world))
    second = upload(world, GOOD + b"F4,JFK,1,false\n")
    third = upload(world, GOOD + b"F5,JFK,1,false\n")
    assert start(execution("three"), third)["decision"] == "wait"
    assert start(execution("two"), second)["decision"] == "superseded"
    stop(one)
    close(one)
    [waited] = [arn for arn in running(one) if ":waited-" in arn]
    given = json.loads(boto3.client("stepfunctions").describe_execution(executionArn=waited)["input"])
    assert given["detail"]["version"] == third["version"]


def test_a_version_asked_for_by_name_waits_beside_new_data(world: World, execution: Callable[[str], str]) -> None:
    one = execution("one")
    first = upload(world)
    start(one, first)
    second = upload(world, GOOD + b"F4,JFK,1,false\n")
    start(execution("two"), second)
    asked = {"stage": STAGE, "dataset": "flights", "version": second["version"], "rerun": True, "reason": "I want it"}
    assert start(execution("three"), asked)["decision"] == "wait"
    stop(one)
    close(one)
    waiting = world.claims().read(claims.waiting("flights"))
    assert waiting is not None
    assert waiting.value["newest"]["version"] == second["version"]
    assert [entry["reason"] for entry in waiting.value["named"]] == ["I want it"]


@pytest.mark.parametrize("seen", [True, False])
def test_after_an_aborted_run_the_next_upload_works(world: World, execution: Callable[[str], str], seen: bool) -> None:
    one = execution("one")
    run = start(one, upload(world))
    stop(one)
    if seen:
        close(one)
        assert record_of(world, run)["status"] == "aborted"
    second = upload(world, GOOD + b"F4,JFK,1,false\n")
    assert start(execution("two"), second)["decision"] == "start"
    assert record_of(world, run)["status"] == "aborted"
    assert "run ended" in [entry["kind"] for entry in world.ledger("model#flights")]


def test_an_aborted_version_can_be_run_again_under_a_new_attempt(world: World, execution: Callable[[str], str]) -> None:
    detail, one = upload(world), execution("one")
    start(one, detail)
    stop(one)
    close(one)
    assert start(execution("two"), detail)["run_id"].endswith("-a2")


def test_a_start_that_died_between_its_claims_is_completed_or_released(
    world: World, execution: Callable[[str], str]
) -> None:
    detail, one = upload(world), execution("one")
    wanted = claims.Taking(
        claim=claims.run("flights"), owner=one, lease_seconds=86400, value={"version": detail["version"]}
    )
    world.claims().hold(wanted, 0.0)
    stop(one)
    close(one)
    held = world.claims().read(claims.run("flights"))
    assert held is not None
    assert held.state is State.FREE
    assert start(execution("two"), detail)["run_id"].endswith("-a1")


def test_a_failing_start_of_what_waits_is_not_started_for_ever(world: World, execution: Callable[[str], str]) -> None:
    one = execution("one")
    start(one, upload(world))
    second = upload(world, GOOD + b"F4,JFK,1,false\n")
    start(execution("two"), second)
    stop(one)
    close(one)
    [waited] = [arn for arn in running(one) if ":waited-" in arn]
    stop(waited)
    close(waited)
    assert [arn for arn in running(one) if ":waited-" in arn] == []


def test_an_execution_started_with_nonsense_does_not_keep_what_waits_from_starting(
    world: World, execution: Callable[[str], str]
) -> None:
    one = execution("one")
    start(one, upload(world))
    start(execution("two"), upload(world, GOOD + b"F4,JFK,1,false\n"))
    stop(one)
    states = boto3.client("stepfunctions")
    odd = states.start_execution(stateMachineArn=machine(one), name="odd", input='{"hello": 1}')["executionArn"]
    stop(odd)
    close(one)
    close(odd)
    assert len([arn for arn in running(one) if ":waited-" in arn]) >= 1


def test_good_data_are_accepted_with_a_report(world: World, execution: Callable[[str], str]) -> None:
    run = start(execution("one"), upload(world))
    answer = validated(run)
    assert answer == {
        "accepted": True,
        "report": f"runs/flights/{run['run_id']}/validation/report.json",
        "problems": 0,
    }
    html = world.s3.get_object(Bucket="artifact-bucket", Key=answer["report"].replace("json", "html"))["Body"].read()
    assert b"accepted" in html
    assert record_of(world, run)["validation"]["rows"] == 3


BAD = {
    "empty": (b"", "is empty"),
    "header only": (b"flight,origin,distance,late\n", "no rows"),
    "text for a number": (GOOD + b"F9,JFK,far,true\n", "a.csv row 4"),
    "nan": (GOOD + b"F9,JFK,nan,true\n", "values are no number"),
    "infinity": (GOOD + b"F9,JFK,-inf,true\n", "values are no number"),
    "out of range": (GOOD + b"F9,JFK,-1,true\n", "outside 0 to 10000"),
    "missing column": (b"flight,distance,late\nF1,1,true\nF2,2,false\n", "not in a.csv"),
    "renamed column": (b"flight,Origin,distance,late\nF1,J,1,true\nF2,J,2,false\n", "Is it 'Origin' there?"),
    "label missing": (GOOD + b"F9,JFK,1,\n", "1 of 4 rows have no label"),
    "one class": (b"flight,origin,distance,late\nF1,J,1,true\nF2,J,2,true\n", "all labels are the same class"),
    "one row": (b"flight,origin,distance,late\nF1,J,1,true\n", "1 rows; the contract asks for 2"),
    "duplicate id": (GOOD + b"F1,JFK,1,true\n", "repeat a value"),
    "not utf-8": (GOOD + b"F9,\xe9,1,true\n", "not UTF-8"),
    "ragged": (GOOD + b"F9,1,true\n", "another number"),
    "doubled header": (b"flight,origin,origin,late\nF1,1,1,true\n", "more than once"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_data_are_rejected_with_a_record_a_report_and_their_reasons(
    world: World, execution: Callable[[str], str], kind: str
) -> None:
    content, reason = BAD[kind]
    one = execution("one")
    run = start(one, upload(world, content))
    answer = validated(run)
    assert not answer["accepted"]
    report = world.read("artifact-bucket", answer["report"])
    assert reason in " ".join(problem["text"] for problem in report["problems"])
    finish(one)
    close(one)
    assert record_of(world, run)["status"] == "rejected"
    kinds = [entry["kind"] for entry in world.ledger("model#flights")]
    assert kinds == ["run started", "version rejected", "run ended"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.xlsx", GOOD, "only files that end in .csv, .csv.gz, .parquet are read"),
        ("a.parquet", GOOD, "the name says parquet, the content is csv"),
        ("a.csv.gz", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03KL", "cut-off gzip"),
        ("a.parquet", b"PAR1 and then nothing", "not readable as Parquet"),
    ],
)
def test_files_that_are_not_what_they_say_are_rejected_by_name(
    world: World, execution: Callable[[str], str], name: str, content: bytes, reason: str
) -> None:
    answer = validated(start(execution("one"), upload(world, content, name)))
    report = world.read("artifact-bucket", answer["report"])
    assert reason in report["problems"][0]["text"]
    assert report["problems"][0]["objects"] == [name]


def test_a_file_too_large_for_the_profile_function_is_refused_by_name(
    world: World, execution: Callable[[str], str]
) -> None:
    run = start(execution("one"), upload(world))
    [batch] = run["batches"]
    [entry] = world.read("artifact-bucket", batch["batch"])
    large = json.dumps([{**entry, "size": formats.STORED_BYTES + 1}]).encode()
    world.s3.put_object(Bucket="artifact-bucket", Key=batch["batch"], Body=large)
    report = world.read("artifact-bucket", validated(run)["report"])
    assert "Split it into smaller files" in report["problems"][0]["text"]


def test_two_files_with_different_columns_are_told_apart(world: World, execution: Callable[[str], str]) -> None:
    world.upload("b.csv", b"flight,distance,late,gate\nF7,1,true,B4\n")
    run = start(execution("one"), upload(world))
    report = world.read("artifact-bucket", validated(run)["report"])
    assert [(problem["column"], problem["objects"]) for problem in report["problems"]] == [("origin", ["b.csv"])]
    assert [(one["column"], one["objects"]) for one in report["notes"]] == [("gate", ["b.csv"])]


def test_an_id_repeated_in_another_file_is_found(world: World, execution: Callable[[str], str]) -> None:
    world.upload("b.csv", b"flight,origin,distance,late\nF2,JFK,1,true\n")
    report = world.read("artifact-bucket", validated(start(execution("one"), upload(world)))["report"])
    assert [problem["text"] for problem in report["problems"]] == [
        "1 rows repeat a value of an earlier row: b.csv row 1. Remove them."
    ]


def test_an_object_is_profiled_once_whatever_version_it_is_part_of(
    world: World, execution: Callable[[str], str]
) -> None:
    one = execution("one")
    run = start(one, upload(world))
    assert profile_objects.handler(run["batches"][0], None) == {"profiled": 1, "known": 0}
    assert profile_objects.handler(run["batches"][0], None) == {"profiled": 0, "known": 1}
    stop(one)
    close(one)
    world.upload("c.csv", GOOD)
    second = upload(world, GOOD.replace(b"F", b"G"), "b.csv")
    again = start(execution("two"), second)
    objects = world.read("artifact-bucket", again["batches"][0]["batch"])
    assert [entry["name"] for entry in objects] == ["b.csv"], "c.csv has the content of a.csv"


SCORECARD = {
    "schema": 1,
    "task": "binary",
    "objective": {"metric": "log_loss", "unit": None},
    "rows": {"train": 10, "validation": 5, "holdout": 5, "unlabelled": 0},
    "winner": {"family": "random-forest", "job": "job-1", "threshold": 0.5, "parameters": {}},
    "metrics": {"winner": {"log_loss": 0.4}, "dummy": {"log_loss": 0.6}, "champion": None},
    "comparison": None,
    "slices": [],
    "compiled": {"sha256": "ab" * 32, "bytes": 10, "parity": {"rows": 5, "equal": 5, "worst": 0.0}},
    "failed_families": [],
}


def registered(world: World, run: dict[str, Any], log_loss: float = 0.4, **facts: Any) -> dict[str, Any]:
    figures = {"winner": {"log_loss": log_loss}, "dummy": {"log_loss": 0.6}, "champion": None}
    card = {**SCORECARD, "metrics": figures, **facts}
    key = f"runs/flights/{run['run_id']}/evaluation/scorecard.json"
    world.s3.put_object(Bucket="artifact-bucket", Key=key, Body=json.dumps(card).encode())
    return register_model.handler({"run_id": run["run_id"], "version": run["version"]}, None)


def packages() -> list[dict[str, Any]]:
    sagemaker = boto3.client("sagemaker")
    found = sagemaker.list_model_packages(ModelPackageGroupName="perennial-test-flights")["ModelPackageSummaryList"]
    return [sagemaker.describe_model_package(ModelPackageName=entry["ModelPackageArn"]) for entry in found]


def test_a_candidate_that_passes_is_approved_by_the_policy_with_reasons(
    world: World, execution: Callable[[str], str]
) -> None:
    run = start(execution("one"), upload(world))
    answer = registered(world, run)
    assert answer["status"] == "Approved"
    [package] = packages()
    assert package["ModelApprovalStatus"] == "Approved"
    assert "beats the dummy" in package["ApprovalDescription"]
    assert package["CustomerMetadataProperties"] == {
        "run_id": run["run_id"],
        "data_version": run["version"],
        "contract_id": SPEC.contract.contract_id,
        "spec_id": SPEC.spec_id,
        "family": "random-forest",
        "compiled": f"runs/flights/{run['run_id']}/evaluation/compiled.json",
        "compiled_sha256": "ab" * 32,
    }
    assert record_of(world, run)["registration"]["package"] == answer["package"]


def test_registering_twice_registers_once(world: World, execution: Callable[[str], str]) -> None:
    run = start(execution("one"), upload(world))
    assert registered(world, run) == registered(world, run)
    assert len(packages()) == 1
    assert [entry["kind"] for entry in world.ledger("model#flights")] == ["run started", "candidate registered"]


def test_a_registration_that_died_before_its_approval_is_completed(
    world: World, execution: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from lambdas import wiring

    run = start(execution("one"), upload(world))
    monkeypatch.setenv("APPROVAL", "manual")
    wiring.settings.cache_clear()
    assert registered(world, run)["status"] == "PendingManualApproval"
    monkeypatch.setenv("APPROVAL", "auto")
    wiring.settings.cache_clear()
    assert registered(world, run)["status"] == "Approved"
    assert [package["ModelApprovalStatus"] for package in packages()] == ["Approved"]


def test_a_candidate_that_fails_its_gates_is_registered_as_rejected_with_reasons(
    world: World, execution: Callable[[str], str]
) -> None:
    answer = registered(world, start(execution("one"), upload(world)), log_loss=0.7)
    assert answer["status"] == "Rejected"
    assert any("does not beat the dummy" in reason for reason in answer["reasons"])
    assert packages()[0]["ModelApprovalStatus"] == "Rejected"
    assert "does not beat" in packages()[0]["ModelPackageDescription"]


@pytest.mark.parametrize(("trigger", "status"), [("upload", "Approved"), ("alarm", "Rejected"), ("hand", "Rejected")])
def test_a_model_that_is_no_better_than_the_live_one_is_rejected_where_the_loop_asked_for_it(
    world: World, execution: Callable[[str], str], trigger: str, status: str
) -> None:
    run = start(execution("one"), {**upload(world), "trigger": trigger, "reason": "drift"})
    even = {"metric": "log_loss", "difference": 0.0, "low": -0.01, "high": 0.01, "confidence": 0.95, "rows": 5}
    answer = registered(world, run, comparison=even)
    assert answer["status"] == status
    assert any("differs from the live model's by +0 " in reason for reason in answer["reasons"])


def look_again(execution: str) -> None:
    close_run.handler({"machine": machine(execution)}, None)


def test_an_end_that_nobody_told_is_found_by_the_weekly_look_and_what_waits_starts(
    world: World, execution: Callable[[str], str]
) -> None:
    one = execution("one")
    look_again(one)  # before there ever was a run
    run = start(one, upload(world))
    second = upload(world, GOOD + b"F4,JFK,1,false\n")
    start(execution("two"), second)
    stop(execution("two"))
    look_again(one)
    assert record_of(world, run)["status"] == "running"
    stop(one)
    look_again(one)
    assert record_of(world, run)["status"] == "aborted"
    [waited] = [arn for arn in running(one) if ":waited-" in arn]
    given = json.loads(boto3.client("stepfunctions").describe_execution(executionArn=waited)["input"])
    assert given["detail"]["version"] == second["version"]
    assert start(waited, given["detail"])["go"]
    look_again(one)
    assert [arn for arn in running(one) if ":waited-" in arn] == [waited]


def test_a_run_that_an_execution_took_after_it_was_stopped_is_given_back_by_the_weekly_look(
    world: World, execution: Callable[[str], str]
) -> None:
    detail, one = upload(world), execution("one")
    stop(one)
    close(one)
    run = start(one, detail)  # the function was at work when its execution was stopped
    look_again(one)
    assert record_of(world, run)["status"] == "aborted"
    assert start(execution("two"), detail)["run_id"].endswith("-a2")
