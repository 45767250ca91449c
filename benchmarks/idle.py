"""The laptop engine with nothing to do: start to ready with the stacks deployed, memory, and processor time.

    python benchmarks/idle.py          (two minutes)

The stacks are this checkout's own, synthesized before. Ready is when /_engine/ready says so, everything deployed. Each
start is a process of its own: over an empty data directory, and over the one that the start before left.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import table  # noqa: E402
from benchmarks.loop import environment  # noqa: E402

STARTS = 5
IDLE_SECONDS = 60.0
PATIENCE_SECONDS = 60.0
TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def engine(folder: Path, starts: list[float]) -> Iterator[int]:
    """Start an engine over `folder`, note how long it took to be ready, and yield its process id."""
    state = folder / "engine.json"
    state.unlink(missing_ok=True)
    command = [sys.executable, "-m", "local.engine", "--cdk-out", "cdk.out", "--state-file", str(state)]
    began = time.perf_counter()
    with (folder / "engine.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--data", str(folder / "data")], cwd=ROOT, env=environment(), stdout=log, stderr=log
        )
    try:
        while not ready(state):
            if process.poll() is not None or time.perf_counter() - began > PATIENCE_SECONDS:
                sys.exit(f"the engine is not ready:\n{(folder / 'engine.log').read_text()[-4000:]}")
            time.sleep(0.01)
        starts.append(time.perf_counter() - began)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def ready(state: Path) -> bool:
    """Whether an engine has said where it is, and there that all is deployed."""
    try:
        where = json.loads(state.read_text())["endpoint"]
        with urllib.request.urlopen(f"{where}/_engine/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except (FileNotFoundError, json.JSONDecodeError, urllib.error.URLError):
        return False


def processor_seconds(pid: int) -> float:
    """What a process has used, without its children: there are none while it has nothing to do."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mb(pid: int) -> float:
    """Resident set of a process in megabytes (10^6 bytes)."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024 / 1e6


def idle(pid: int) -> tuple[float, float]:
    """Return the largest resident set, and the share of a core, over `IDLE_SECONDS`."""
    before, most = processor_seconds(pid), 0.0
    for _ in range(int(IDLE_SECONDS)):
        time.sleep(1)
        most = max(most, resident_mb(pid))
    return most, (processor_seconds(pid) - before) / IDLE_SECONDS


def main() -> None:
    print(table.machine(), flush=True)
    subprocess.run([sys.executable, "app.py"], cwd=ROOT, env=environment(), check=True, capture_output=True)
    fresh: list[float] = []
    again: list[float] = []
    for number in range(STARTS):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            with engine(folder, fresh) as pid:
                if number == 0:
                    most, share = idle(pid)
            with engine(folder, again):
                pass
    rows = [
        ["start to ready, stacks deployed", "5 s", shown(fresh)],
        ["start to ready over what the engine before left", "5 s", shown(again)],
        [f"resident set while idle, largest of {IDLE_SECONDS:.0f} s", "250 MB", f"{most:.0f} MB"],
        ["share of a core while idle", "1 %", f"{share:.1%}"],
    ]
    table.show(["laptop engine", "goal", f"median of {STARTS} (fastest, slowest)"], rows)


def shown(times: list[float]) -> str:
    return f"{statistics.median(times):.1f} s ({min(times):.1f}, {max(times):.1f})"


if __name__ == "__main__":
    main()
