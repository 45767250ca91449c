"""Deployments that fail, and deployments that are killed: what is there afterwards, and what the next one makes of it.

Killed at every moment: `python benchmarks/killed_deployments.py`; here at those where something else has to be done.
"""

from pathlib import Path

import pytest

from local.deployer import DeploymentError
from tests.local.deployer_world import resource, template
from tests.local.interrupted_world import FAILING, NEW, OLD, copied, engine_on, faults_after, fill, killed_at

MOMENTS = ("after CreateApi", "before DeleteTable")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of an engine that has the old stack, with data in it."""
    folder = tmp_path_factory.mktemp("filled")
    with engine_on(folder / "data", folder / "cdk.out") as (engine, _):
        engine.deploy(one=OLD)
        fill(engine)
    return folder / "data"


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_deployment_is_finished_by_the_next(filled: Path, tmp_path: Path, moment: str) -> None:
    data = copied(filled, tmp_path / "data")
    assert killed_at(moment, data, tmp_path / "cdk.out", NEW)

    assert faults_after(data, tmp_path / "cdk.out", NEW) == []


def test_a_killed_deployment_is_undone_by_the_old_template(filled: Path, tmp_path: Path) -> None:
    data = copied(filled, tmp_path / "data")
    assert killed_at("after DeleteRolePolicy", data, tmp_path / "cdk.out", NEW)

    assert faults_after(data, tmp_path / "cdk.out", OLD) == []


def test_a_killed_deployment_that_fails_afterwards_is_rolled_back(filled: Path, tmp_path: Path) -> None:
    data = copied(filled, tmp_path / "data")
    assert killed_at("after CreateApi", data, tmp_path / "cdk.out", FAILING)
    with engine_on(data, tmp_path / "cdk.out") as (engine, _), pytest.raises(DeploymentError, match="as it was before"):
        engine.deploy(one=FAILING)

    assert faults_after(data, tmp_path / "cdk.out", OLD) == []


def test_a_stack_that_was_killed_while_it_was_made_begins_anew_and_says_what_stays(tmp_path: Path) -> None:
    data, cdk_out = tmp_path / "data", tmp_path / "cdk.out"
    first = template(Kept=resource("S3::Bucket", keep=True), Queue=resource("SQS::Queue", "Kept"))
    assert killed_at("after CreateQueue", data, cdk_out, first)

    with engine_on(data, cdk_out) as (engine, _):
        (old,) = (one["Name"] for one in engine.client("s3").list_buckets()["Buckets"] if one["Name"][:4] == "one-")
        told = [status for _, logical_id, status in engine.deploy(one=first) if logical_id == "one"]

        assert told[0] == f"kept of what was begun: Kept (AWS::S3::Bucket {old}); DELETE_COMPLETE"
        assert told[-1] == "CREATE_COMPLETE"
        assert old not in engine.ids("one").values()
        assert len(engine.client("sqs").list_queues()["QueueUrls"]) == 1
