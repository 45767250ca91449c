"""The whole product while every event may come late, twice and out of order, as EventBridge allows itself."""

from pathlib import Path
from typing import Any

import pytest

from lifecycle import names
from local.events import Chaos
from tests import tables
from tests.local.product_world import MODEL, STAGE, Product, product

pytestmark = pytest.mark.slow

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


@pytest.mark.parametrize("seed", [1, 2])
def test_each_content_is_trained_and_deployed_once_and_answers(tmp_path: Path, seed: int) -> None:
    with product(tmp_path, Chaos(seed=seed), idle_speed=200) as world:
        first, second = tables.amounts(tmp_path / "a.csv", 400, 8), tables.amounts(tmp_path / "b.csv", 400, 9)
        for path in (first, second):
            world.upload(path.name, path.read_bytes())
        world.until(lambda: live(world) is not None, "live model")
        world.upload(second.name, second.read_bytes())  # the same content again is no new version
        world.settle()
        world.until(lambda: at_rest(world), "end of all executions")

        assert len(versions(world)) == 1
        assert len(runs(world)) == len(set(runs(world))) == 1
        assert [one["ModelPackageVersion"] for one in packages(world)] == [1]
        assert published(world) == ["2"]
        row = {"area": 80.5, "rooms": 3, "built": 1990, "district": "centre", "garden": True}
        answer = world.door.predict(MODEL, [row])
        assert (answer.status, answer.body["model_version"]) == (200, "1")
