"""The engine in a terminal: it serves until Ctrl-C, and leaves nothing behind."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import clean_environment

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("e2e")]


def test_ctrl_c_ends_the_engine_and_everything_it_started(workspace: Path) -> None:
    command = [sys.executable, "-c", "from cli.main import main; main()", "local", "up"]
    process = subprocess.Popen(
        command, cwd=workspace, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if "Ctrl-C" in line:
            break
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0, "".join(said)
    process.stdout.close()
    assert not (workspace / ".perennial" / "engine.json").exists()
    assert processes_in(workspace) == []


def processes_in(folder: Path) -> list[str]:
    """Commands of processes that run from a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if (path / "cwd").readlink() == folder:
                found.append((path / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found
