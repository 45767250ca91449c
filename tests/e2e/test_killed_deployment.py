"""`kill -9` while stacks are deployed over data: the engine that starts next ends the deployment, and data are there.

Small stacks; every moment of a kill, one by one: `benchmarks/killed_deployments.py`.
"""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, Lab, clean_environment, wait_until
from tests.local.deployer_world import resource, template, write_assembly
from tests.local.interrupted_world import NEW, NEW_SETTINGS, OLD, data_of, fill, known, settings, there

pytestmark = pytest.mark.slow

MANY = {f"More{number:02}": resource("SQS::Queue") for number in range(60)}
HALF = "More30"
SECONDS = 60.0


class Seen(Lab):
    def ids(self, name: str) -> dict[str, str]:
        found = self.client("cloudformation").list_stack_resources(StackName=name)["StackResourceSummaries"]
        return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}


def started(folder: Path) -> subprocess.Popen[bytes]:
    state = folder / "engine.json"
    state.unlink(missing_ok=True)
    command = [sys.executable, "-m", "local.engine", "--cdk-out", "cdk.out", "--state-file", str(state)]
    with (folder / "engine.log").open("a") as log:
        return subprocess.Popen(
            [*command, "--data", "data", "--any-call"],
            cwd=folder, env=clean_environment() | {"PYTHONPATH": str(ROOT)}, stdout=log, stderr=log,
        )  # fmt: skip


def ready(folder: Path, process: subprocess.Popen[bytes]) -> Seen:
    state = folder / "engine.json"
    wait_until(lambda: state.exists() or process.poll() is not None or None, "engine", SECONDS)
    assert process.poll() is None, (folder / "engine.log").read_text()[-4000:]
    return Seen(folder, json.loads(state.read_text()))


def is_kept(folder: Path, logical_id: str) -> bool:
    """Whether the data directory knows of a resource."""
    with closing(sqlite3.connect(f"file:{folder / 'data' / 'state.sqlite3'}?mode=ro", uri=True)) as base:
        return base.execute("SELECT 1 FROM kept WHERE key = ?", (logical_id,)).fetchone() is not None


def test_a_deployment_that_was_killed_half_way_is_ended_by_the_next_engine(tmp_path: Path) -> None:
    write_assembly(tmp_path / "cdk.out", {"one": OLD})
    process = started(tmp_path)
    try:
        fill(ready(tmp_path, process))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

        write_assembly(tmp_path / "cdk.out", {"one": template(**NEW["Resources"], **MANY)})
        process = started(tmp_path)
        until = time.monotonic() + SECONDS
        while not is_kept(tmp_path, HALF):
            assert time.monotonic() < until, (tmp_path / "engine.log").read_text()[-4000:]
            time.sleep(0.005)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert not (tmp_path / "engine.json").exists(), "the stacks were not deployed yet"

        process = started(tmp_path)
        engine = ready(tmp_path, process)
        (stack,) = engine.client("cloudformation").describe_stacks(StackName="one")["Stacks"]
        assert stack["StackStatus"] == "UPDATE_COMPLETE"
        assert there(engine) == known(engine, "one")
        assert settings(engine) == NEW_SETTINGS
        assert set(MANY) <= set(engine.ids("one"))
        assert data_of(engine) == ["bucket", "queue"], "the table was replaced"
    finally:
        process.kill()
        process.wait()
