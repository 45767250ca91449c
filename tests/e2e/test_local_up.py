"""The engine in a terminal: it serves until Ctrl-C, and leaves nothing behind."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import clean_environment, wait_until

pytestmark = pytest.mark.slow


def test_ctrl_c_ends_the_engine_and_everything_it_started(workspace: Path, tmp_path: Path) -> None:
    # a checkout of its own: in the workspace, another engine may be running
    checkout = tmp_path / "checkout"
    shutil.copytree(workspace, checkout, symlinks=True, ignore=shutil.ignore_patterns("cdk.out", ".perennial"))
    command = [sys.executable, "-c", "from cli.main import main; main()", "local", "up"]
    output = checkout / "output"
    with output.open("w") as said:
        process = subprocess.Popen(
            command, cwd=checkout, env=clean_environment(), stdout=said, stderr=subprocess.STDOUT, text=True
        )
    wait_until(lambda: "Ctrl-C" in output.read_text() or process.poll() is not None, "engine that serves")
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0, output.read_text()
    assert not (checkout / ".perennial" / "engine.json").exists()
    assert processes_in(checkout) == set()


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
