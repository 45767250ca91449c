"""The engine is killed in each stage of the loop and started again on its data: nothing is lost, nothing done twice.

One engine and one model, whose loop closes by itself as in test_closed_loop: traffic drifts, its labels are harvested,
a second model is trained and goes live through a canary.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lifecycle import ledger, names
from tests.e2e.conftest import Lab, checkout, clean_environment, wait_until
from tests.e2e.test_closed_loop import IDLE_SPEED, LEARNING, TOLD, as_csv, entries, new_model, now, once, rows, traffic

pytestmark = pytest.mark.slow

MODEL = "plain"


class Killed:
    """An engine with a data directory, which can be killed and started again; `lab` is the present one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._state = folder / ".perennial" / "engine.json"
        self._state.parent.mkdir()
        self.lab = self._started()

    def _started(self) -> Lab:
        command = [sys.executable, "-m", "local.engine", "--cdk-out", "cdk.out", "--state-file", str(self._state)]
        self._state.unlink(missing_ok=True)
        with (self._folder / "engine.log").open("a") as log:
            self._process = subprocess.Popen(
                [*command, "--data", "data", "--idle-speed", str(IDLE_SPEED)],
                cwd=self._folder, env=clean_environment(), stdout=log, stderr=log,
            )  # fmt: skip
        wait_until(lambda: self._state.exists() or self._process.poll() is not None or None, "engine", 90)
        assert self._process.poll() is None, (self._folder / "engine.log").read_text()[-4000:]
        return Lab(self._folder, json.loads(self._state.read_text()))

    def kill(self) -> None:
        """Kill the engine at once, and start another on what it left."""
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self.lab = self._started()

    def end(self) -> None:
        self._process.terminate()
        self._process.wait(60)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Killed]:
    folder = checkout(tmp_path / "checkout")
    table = folder / "tables" / "first.csv"
    table.write_bytes(as_csv(*rows(800, 1, once)))
    new_model(folder, MODEL, table, LEARNING)
    subprocess.run([sys.executable, "app.py"], cwd=folder, env=clean_environment(), check=True, capture_output=True)
    made = Killed(folder)
    try:
        yield made
    finally:
        made.end()


def jobs(lab: Lab, kind: str) -> list[dict[str, Any]]:
    """All jobs of a kind ("training" or "processing")."""
    sagemaker, word = lab.client("sagemaker"), kind.title()
    found = getattr(sagemaker, f"list_{kind}_jobs")()[f"{word}JobSummaries"]
    return [{"name": one[f"{word}JobName"], "status": one[f"{word}JobStatus"]} for one in found]


def packages(lab: Lab) -> list[int]:
    found = lab.client("sagemaker").list_model_packages(ModelPackageGroupName=names.package_group("dev", MODEL))
    return sorted(one["ModelPackageVersion"] for one in found["ModelPackageSummaryList"])


def run_records(lab: Lab) -> list[dict[str, Any]]:
    bucket = lab.shared[names.OUTPUT_ARTIFACT_BUCKET]
    found = lab.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"runs/{MODEL}/").get("Contents", [])
    return [lab.artifact(one["Key"]) for one in found if one["Key"].endswith("/run.json")]


def held(lab: Lab) -> list[str]:
    """The claims that somebody holds."""
    items = lab.client("dynamodb").scan(TableName=lab.shared[names.OUTPUT_CLAIMS_TABLE])["Items"]
    return [item["claim"]["S"] for item in items if item["state"]["S"] == "held"]


def at_rest(lab: Lab) -> bool:
    found = [one for machine in ("training", "deployment") for one in lab.executions(MODEL, machine)]
    return all(one["status"] != "RUNNING" for one in found)


def kill_when(engine: Killed, find: Any, stage: str) -> None:
    wait_until(lambda: find(engine.lab) or None, stage, seen=lambda: engine.lab.story(MODEL))
    engine.kill()


def running_jobs(lab: Lab, kind: str) -> bool:
    return any(one["status"] == "InProgress" for one in jobs(lab, kind))


def decided(lab: Lab) -> bool:
    return any(entry["decision"] == "start" for entry in entries(lab, MODEL, ledger.RETRAINING_DECIDED))


def live(lab: Lab, version: str) -> bool:
    return any(entry["model_version"] == version for entry in entries(lab, MODEL, ledger.MODEL_LIVE))


def test_the_loop_survives_a_kill_in_each_of_its_stages(engine: Killed) -> None:
    engine.lab.upload(MODEL, "first.csv", as_csv(*rows(800, 1, once)))
    engine.kill()  # while the dataset settles
    kill_when(engine, lambda lab: lab.executions(MODEL), "cut version, whose run begins")
    kill_when(engine, lambda lab: running_jobs(lab, "training"), "training job")
    kill_when(engine, lambda lab: running_jobs(lab, "processing"), "evaluation")
    kill_when(engine, packages, "registered model")
    kill_when(engine, lambda lab: lab.executions(MODEL, "deployment"), "deployment")
    wait_until(lambda: live(engine.lab, "1") or None, "first model, live", seen=lambda: engine.lab.story(MODEL))

    ids = traffic(engine.lab, MODEL, *rows(TOLD, 2, now, lowest=2.0))
    engine.kill()  # while log lines wait for their delivery
    kill_when(engine, lambda lab: entries(lab, MODEL, ledger.ALERT_BEGUN), "alert of the monitor")
    kill_when(engine, decided, "decision to harvest and to train")
    kill_when(engine, lambda lab: entries(lab, MODEL, ledger.TRAFFIC_SHIFTED), "canary")
    wait_until(lambda: live(engine.lab, "2") or None, "second model, live", seen=lambda: engine.lab.story(MODEL))
    wait_until(lambda: at_rest(engine.lab) or None, "end of all executions")

    lab = engine.lab
    records = run_records(lab)
    assert sorted(record["status"] for record in records) == ["succeeded", "succeeded"], records
    assert len({record["version"] for record in records}) == 2, "one run per data version"
    assert packages(lab) == [1, 2]
    assert all(job["status"] == "Completed" for kind in ("training", "processing") for job in jobs(lab, kind))
    assert wait_until(lambda: lab.live_version(MODEL), "answer") == "2"
    assert wait_until(lambda: not held(lab), "end of all claims")
    assert len(set(ids)) == TOLD
