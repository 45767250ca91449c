"""Uploads that are bad, late, repeated or cross each other: one version per content, one run per version, none lost."""

import os
import random
import re
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from lifecycle import names
from tests.e2e.conftest import Lab, rows_as_csv, wait_until

pytestmark = pytest.mark.slow

MODEL = "plain"


def versions(lab: Lab, dataset: str) -> list[str]:
    found = lab.client("s3").list_objects_v2(Bucket=lab.shared[names.OUTPUT_DATA_BUCKET], Prefix=f"versions/{dataset}/")
    return [o["Key"].split("/")[2] for o in found.get("Contents", []) if o["Key"].endswith("/manifest.json")]


def verdicts(lab: Lab, model: str) -> list[dict[str, Any]]:
    bucket = lab.shared[names.OUTPUT_ARTIFACT_BUCKET]
    found = lab.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"runs/{model}/").get("Contents", [])
    return [lab.artifact(o["Key"]) for o in found if o["Key"].endswith("/run.json")]


@pytest.fixture(scope="module")
def live(lab: Lab) -> str:
    """The first good upload of the module's model, taken to HTTPS; its live version."""
    lab.upload(MODEL, "first.csv", rows_as_csv(600, 1))
    return wait_until(lambda: lab.live_version(MODEL), "live model")


def test_a_rejected_upload_leaves_a_record_and_a_report_and_the_live_model_keeps_answering(lab: Lab, live: str) -> None:
    before = len(lab.executions(MODEL))
    lab.upload(MODEL, "bad.csv", b"key,x,z,y\n" + b"".join(b"bad-%d,not a number,a,1\n" % n for n in range(300)))
    lab.ended(MODEL, before + 1)
    record = wait_until(lambda: next((r for r in verdicts(lab, MODEL) if r["status"] == "rejected"), None), "rejection")
    report = lab.artifact(f"runs/{MODEL}/{record['run_id']}/validation/report.json")
    assert any("bad.csv" in str(problem) and "x" in str(problem) for problem in report["problems"])
    assert lab.live_version(MODEL) == live
    lab.delete(MODEL, "bad.csv")
    lab.settle()


def test_the_same_file_again_starts_no_second_run(lab: Lab, live: str) -> None:
    lab.settle()
    before = (len(versions(lab, MODEL)), len(lab.executions(MODEL)))
    lab.upload(MODEL, "first.csv", rows_as_csv(600, 1))
    lab.settle()
    assert (len(versions(lab, MODEL)), len(lab.executions(MODEL))) == before


def test_a_replaced_file_and_a_deleted_file_each_make_a_version(lab: Lab, live: str) -> None:
    lab.upload(MODEL, "second.csv", rows_as_csv(300, 2))
    lab.settle()
    with_both = set(versions(lab, MODEL))
    lab.upload(MODEL, "second.csv", rows_as_csv(300, 3))
    lab.settle()
    replaced = set(versions(lab, MODEL))
    assert len(replaced - with_both) == 1
    lab.delete(MODEL, "second.csv")
    lab.settle()
    # without the second file the content is that of the first version: the same id, no new one
    assert set(versions(lab, MODEL)) == replaced


def test_fifty_files_in_random_order_twice_and_one_late_make_one_version_with_all(lab: Lab, live: str) -> None:
    lab.settle()
    before = set(versions(lab, MODEL))
    files = {f"part-{n:02}.csv": rows_as_csv(40, 100 + n) for n in range(50)}
    order = list(files) * 2
    random.Random(5).shuffle(order)
    late = order.pop()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: lab.upload(MODEL, name, files[name]), order))
    lab.upload(MODEL, late, files[late])
    lab.settle()
    added = set(versions(lab, MODEL)) - before
    assert len(added) == 1
    bucket = lab.shared[names.OUTPUT_DATA_BUCKET]
    manifest = lab.client("s3").get_object(Bucket=bucket, Key=f"versions/{MODEL}/{added.pop()}/manifest.json")
    text = manifest["Body"].read().decode()
    assert all(name in text for name in files)


def test_an_upload_during_a_run_waits_and_runs_after_it(lab: Lab, live: str) -> None:
    lab.settle()
    wait_until(lambda: all(e["status"] != "RUNNING" for e in lab.executions(MODEL)), "quiet machine")
    known = {r["run_id"] for r in verdicts(lab, MODEL)}
    lab.upload(MODEL, "while-1.csv", rows_as_csv(400, 11))
    wait_until(lambda: any(e["status"] == "RUNNING" for e in lab.executions(MODEL)) or None, "running run")
    lab.upload(MODEL, "while-2.csv", rows_as_csv(400, 12))

    def both() -> list[dict[str, Any]] | None:
        new = [r for r in verdicts(lab, MODEL) if r["run_id"] not in known and r["status"] not in ("running",)]
        return new if len(new) >= 2 else None

    new = wait_until(both, "two finished runs")
    assert len({r["version"] for r in new}) == len(new)


def test_an_aborted_run_releases_its_claim_and_the_next_upload_works(lab: Lab, live: str) -> None:
    lab.settle()
    lab.upload(MODEL, "aborted.csv", rows_as_csv(400, 21))
    running = wait_until(
        lambda: next((r for r in verdicts(lab, MODEL) if r["status"] == "running"), None), "record of a running run"
    )
    lab.client("stepfunctions").stop_execution(executionArn=running["execution"], error="Operator", cause="a test")
    aborted = wait_until(lambda: next((r for r in verdicts(lab, MODEL) if r["status"] == "aborted"), None), "record")
    lab.upload(MODEL, "after-abort.csv", rows_as_csv(400, 22))

    def finished() -> dict[str, Any] | None:
        fresh = (r for r in verdicts(lab, MODEL) if r["started_at"] > aborted["started_at"])
        return next((r for r in fresh if r["status"] in ("registered", "succeeded")), None)

    assert wait_until(finished, "a run after the aborted one")["version"] != aborted["version"]


def test_a_job_killed_half_way_fails_its_family_and_not_the_run(lab: Lab, live: str) -> None:
    lab.settle()
    wait_until(lambda: all(e["status"] != "RUNNING" for e in lab.executions(MODEL)), "quiet machine")
    known = {r["run_id"] for r in verdicts(lab, MODEL)}
    lab.upload(MODEL, "killed.csv", rows_as_csv(3000, 31))
    job, processes = wait_until(lambda: a_job_of(MODEL), "training job")
    for process in processes:
        with suppress(ProcessLookupError):  # a fork that ended with the one before
            os.kill(process, signal.SIGKILL)

    def finished() -> dict[str, Any] | None:
        return next((r for r in verdicts(lab, MODEL) if r["run_id"] not in known and r["status"] != "running"), None)

    record = wait_until(finished, "end of the run")
    assert record["status"] == "succeeded"
    assert [f["family"] for f in record["failed_families"]] == [
        job.removeprefix(record["run_id"] + "-").rsplit("-", 1)[0]
    ]
    described = lab.client("sagemaker").describe_training_job(TrainingJobName=job)
    assert described["TrainingJobStatus"] == "Failed"
    output = f"{record['run_id']}/train/{job}/output/"
    bucket = lab.shared[names.OUTPUT_ARTIFACT_BUCKET]
    left = lab.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"runs/{MODEL}/{output}")
    assert left["KeyCount"] == 0


def a_job_of(model: str) -> tuple[str, list[int]] | None:
    """Name and processes of a training job of a model that trains now: its working folder carries its name."""
    found: dict[str, list[int]] = {}
    training = set()
    for folder in Path("/proc").glob("[0-9]*/cwd"):
        try:
            job = re.search(rf"/jobs/TrainingJob/({model}-[^/]+)/", f"{folder.readlink()}/")
            if job and b"training.train" in (folder.parent / "cmdline").read_bytes().split(b"\0"):
                training.add(job[1])  # not what unpacks its code before
        except OSError:
            continue
        if job:
            found.setdefault(job[1], []).append(int(folder.parent.name))
    return next(((job, processes) for job, processes in found.items() if job in training), None)
