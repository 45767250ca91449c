"""The engine in a terminal: it serves until Ctrl-C, and leaves nothing behind."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import checkout, clean_environment, perennial, rows_as_csv, wait_until

pytestmark = pytest.mark.slow


def test_ctrl_c_ends_the_engine_and_everything_it_started(tmp_path: Path) -> None:
    folder = checkout(tmp_path / "checkout")
    table = folder / "tables" / "plain.csv"
    table.write_bytes(rows_as_csv(600, 1))
    perennial(folder, "new", "plain", "--from", str(table), "--target", "y")
    command = [sys.executable, "-c", "from cli.main import main; main()", "local", "up"]
    output = folder / "output"
    with output.open("w") as said:
        process = subprocess.Popen(
            command, cwd=folder, env=clean_environment(), stdout=said, stderr=subprocess.STDOUT, text=True
        )
    wait_until(lambda: "Ctrl-C" in output.read_text() or process.poll() is not None, "engine that serves")
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0, output.read_text()
    assert not (folder / ".perennial" / "engine.json").exists()
    assert processes_in(folder) == set()


def processes_in(folder: Path) -> set[int]:
    """Processes that run from a folder."""
    found = set()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if (path / "cwd").readlink() == folder:
                found.add(int(path.name))
        except OSError:
            continue
    return found
