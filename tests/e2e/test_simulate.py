"""`perennial simulate`, as an operator types it: ten days after the months that are learnt from, and what it leaves."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.conftest import checkout, clean_environment, perennial, wait_until

pytestmark = pytest.mark.slow

DESCRIBED = """
model: rain
dataset: rain
task: binary
target: wet
positive: "1"
id: key
time: at
min_rows: 100
columns:
  key: {kind: id}
  at: {kind: datetime, feature: false, max_null_share: 0}
  x: {kind: number}
  wet: {kind: integer}
split: {by: time, holdout: 0.2, validation: 0.2}
candidates: [logistic-regression]
"""
SPAN = ("--from", "2013-01", "--to", "2013-04")


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with one model and `rows.csv`: ten rows a day."""
    folder = checkout(tmp_path_factory.mktemp("simulated"))
    (folder / "models/rain").mkdir()
    (folder / "models/rain/model.yaml").write_text(DESCRIBED)
    chance, start = random.Random(5), datetime(2013, 1, 1, tzinfo=UTC)
    lines = ["key,at,x,wet"]
    for n in range(1000):
        x = chance.random()
        moment = start + timedelta(hours=2.4 * n)
        lines.append(f"r{n},{moment:%Y-%m-%dT%H:%M:%SZ},{x:.4f},{int(x + chance.random() * 0.5 > 0.8)}")
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")
    return folder


def engine_of(folder: Path) -> int | None:
    """The pid of the engine of a simulation, None while there is none."""
    with suppress(FileNotFoundError, json.JSONDecodeError):
        return int(json.loads((folder / ".perennial/simulate/rain/.perennial/engine.json").read_text())["pid"])
    return None


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_month_is_asked_told_and_counted_for_both_models(described: Path) -> None:
    said = json.loads(perennial(described, "simulate", "rain", "rows.csv", *SPAN, "--full", "--json").stdout)
    [month] = said["months"]
    assert month["month"] == "2013-04"
    assert said["asked"] == said["labels"] == month["rows"] == 100
    assert said["refused"] == said["lost_labels"] == 0
    assert month["renewing"]["low"] <= month["renewing"]["value"] <= month["renewing"]["high"]
    assert {"run", "promotion"} <= {event["kind"] for event in said["events"]}
    page = (described / ".perennial/reports/rain-simulation.html").read_text()
    assert "2013-04" in page
    assert engine_of(described) is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_whoever_is_stopped_leaves_no_engine_behind(described: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-c", "from cli.main import main; main()", "simulate", "rain", "rows.csv", *SPAN]
    process = subprocess.Popen(
        command,
        cwd=described,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    pid = wait_until(lambda: engine_of(described), "engine")
    process.send_signal(number)
    process.wait(30)
    until = time.monotonic() + 20
    while runs(pid) and time.monotonic() < until:
        time.sleep(0.2)
    assert not runs(pid)
