"""The whole product while events come never, late, up to three times and out of order, and executions are killed.

Which events may stay away for good, and which only for long: docs/decisions/0102-what-chaos-does.md.
"""

import json
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from lifecycle import keys, names
from local.chaos import Chaos
from tests import tables
from tests.local.product_world import MODEL, STAGE, Product, product

pytestmark = pytest.mark.slow

ASKED = 12
"""How often a person asks again at most: two in five executions are killed."""

KEYS = {
    "candidates": "[linear-regression]",
    "monitoring": "{prediction_log: true, every_minutes: 10080, window_hours: 168}",  # nothing here is about looks
}

WEEKS = 10
RUN = re.compile(r".*-a\d+(?=-)")
STATES = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


def versions(world: Product) -> set[str]:
    """Ids of all data versions that were cut."""
    bucket = world.output(names.shared_stack(STAGE), names.OUTPUT_DATA_BUCKET)
    pages = world.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"versions/{MODEL}/")
    return {
        entry["Key"].split("/")[2]
        for page in pages
        for entry in page.get("Contents", [])
        if entry["Key"].endswith("/manifest.json")
    }


def runs(world: Product) -> list[str]:
    """Run ids of the processing jobs that evaluated something: a run evaluates at most once."""
    jobs = world.client("sagemaker").list_processing_jobs()["ProcessingJobSummaries"]
    return [job["ProcessingJobName"].rpartition("-evaluate-")[0] for job in jobs]


def packages(world: Product) -> list[dict[str, Any]]:
    group = names.package_group(STAGE, MODEL)
    found = world.client("sagemaker").list_model_packages(ModelPackageGroupName=group)
    return list(found["ModelPackageSummaryList"])


def published(world: Product) -> list[str]:
    """Numbers of the predict function's versions that a deployment published."""
    function = names.predict_function(STAGE, MODEL)
    found = world.client("lambda").list_versions_by_function(FunctionName=function)["Versions"]
    return [one["Version"] for one in found if one["Version"] not in ("$LATEST", "1")]


def live(world: Product) -> str | None:
    answer = world.door.call("GET", f"/models/{MODEL}")
    return str(answer.body["model_version"]) if answer.status == 200 else None


def at_rest(world: Product) -> bool:
    return all(one["status"] in STATES for kind in ("training", "deployment") for one in world.executions(kind))


def held(world: Product) -> list[str]:
    """The claims that somebody holds."""
    table = world.output(names.shared_stack(STAGE), names.OUTPUT_CLAIMS_TABLE)
    items = world.client("dynamodb").scan(TableName=table)["Items"]
    return [item["claim"]["S"] for item in items if item["state"]["S"] == "held"]


def records(world: Product) -> list[dict[str, Any]]:
    """The records of all runs (`run.json`)."""
    s3, bucket = world.client("s3"), world.output(names.shared_stack(STAGE), names.OUTPUT_ARTIFACT_BUCKET)
    found = s3.list_objects_v2(Bucket=bucket, Prefix=f"runs/{MODEL}/").get("Contents", [])
    keys = [entry["Key"] for entry in found if entry["Key"].endswith("/run.json")]
    return [json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys]


def rest(world: Product) -> None:
    """Let come what may still come: events that are late, and the weekly looks for what no event tells.

    What a look starts may be killed, or its end be told to nobody, so that it takes the look of the week after.
    """
    for _ in range(WEEKS):
        assert world.engine.clock.reach(world.engine.clock.now() + 7.1 * 86_400, 240)
        if at_rest(world) and not held(world):
            return
    pytest.fail(f"after {WEEKS} weeks something still runs or is held: {held(world)}")


def newest(world: Product) -> str:
    """The dataset's newest version."""
    bucket = world.output(names.shared_stack(STAGE), names.OUTPUT_DATA_BUCKET)
    told = world.client("s3").get_object(Bucket=bucket, Key=keys.current(MODEL))["Body"].read()
    return str(json.loads(told)["version"])


def asked_again(world: Product) -> bool:
    """Ask for what did not come to its end, as a person does whom the topic told of it; whether there was anything.

    An execution that was stopped is not tried again by itself: whoever stopped it would have to stop it for ever.
    """
    version = newest(world)
    if not any(one["version"] == version and one["status"] == "succeeded" for one in records(world)):
        detail = {"stage": STAGE, "dataset": MODEL, "version": version, "rerun": True, "reason": "it was stopped"}
        return world.start("training", detail)
    approved = [one for one in packages(world) if one["ModelApprovalStatus"] == "Approved"]
    last = max(approved, key=lambda one: int(one["ModelPackageVersion"]))
    if live(world) != str(last["ModelPackageVersion"]):
        return world.start(
            "deployment", {"package_arn": last["ModelPackageArn"], "by": "me", "reason": "it was stopped"}
        )
    return False


def at_once(world: Product) -> list[tuple[str, str]]:
    """Training jobs of two runs that were at work at the same time."""
    found = world.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]
    spans = sorted((one["CreationTime"], one["TrainingEndTime"], one["TrainingJobName"]) for one in found)
    pairs = [(a[2], b[2]) for a, b in pairwise(spans) if b[0] < a[1]]
    return [(a, b) for a, b in pairs if RUN.match(a)[0] != RUN.match(b)[0]]  # type: ignore[index]


@pytest.mark.parametrize("seed", [4])
def test_each_content_is_one_version_and_one_run_and_nothing_is_lost(tmp_path: Path, seed: int) -> None:
    often = Chaos(seed=seed, missing_probability=0.3, kill_probability=0.4, latest_kill_seconds=30.0)
    with product(tmp_path, often, idle_speed=200, keys=KEYS) as world:
        tables_of = [tables.amounts(tmp_path / f"{number}.csv", 400, number).read_bytes() for number in (8, 9, 10)]
        for number, body in enumerate(tables_of[:2]):
            world.upload(f"{number}.csv", body)
        rest(world)
        world.upload("1.csv", tables_of[1])  # the same content again is no new version
        rest(world)
        assert len(versions(world)) == 1
        world.upload("2.csv", tables_of[2])
        rest(world)
        for _ in range(ASKED):
            if not asked_again(world):
                break
            rest(world)
        else:
            pytest.fail(f"still not at its end after {ASKED} tries: {records(world)}")

        assert len(versions(world)) == 2
        found = records(world)
        done = Counter(one["version"] for one in found if one["status"] == "succeeded")
        assert max(done.values()) == 1, "one run per version, those that were stopped aside"
        assert set(done) <= versions(world)
        assert newest(world) in done
        assert at_once(world) == []
        assert all(one["status"] in ("succeeded", "aborted") for one in found)
        assert len(runs(world)) == len(set(runs(world)))
        made = [one["ModelPackageVersion"] for one in packages(world)]
        assert sum(done.values()) <= len(made) <= len(found)
        assert len(published(world)) <= len(made)
        row = {"area": 80.5, "rooms": 3, "built": 1990, "district": "centre", "garden": True}
        assert world.door.predict(MODEL, [row]).status == 200
