"""From an alarm to the run that it starts, and the three proofs of the closed loop, on the laptop engine.

    python benchmarks/closed_loop.py          (four minutes)

"Alarm" is the moment at which the alert stands in the ledger, just before the metrics that the alarms watch are sent.
Idle time passes 1,200 times as fast; what works, works at the machine's own speed. With feedback, the labelled rows
become files, the files a data version (a settle time of a minute of engine time), and the version a run.
"""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import table  # noqa: E402
from lifecycle import ledger, names  # noqa: E402
from tests.e2e import test_closed_loop as world  # noqa: E402
from tests.e2e.conftest import Lab, checkout, clean_environment, perennial, running  # noqa: E402

MODELS = {
    "as it is": "{on_upload: false, cooldown_hours: 1}",
    "with feedback": "{learn_from_feedback: true, cooldown_hours: 1}",
}
PATIENCE_SECONDS = 120.0
PROOF = re.compile(r"^([\d.]+)s call\s+\S+::(\w+)$", re.MULTILINE)


def main() -> None:
    print(table.machine(), flush=True)
    rows = []
    with engine() as lab:
        for said, name in zip(MODELS, ("asis", "learning"), strict=True):
            rows.append([f"alarm to started run, data {said}", "5 s", f"{alarm_to_run(lab, name):.1f} s"])
    for seconds, name in proofs():
        rows.append([name.removeprefix("test_").replace("_", " "), "60 s", f"{seconds:.0f} s"])
    table.show(["what", "goal", "measured"], rows)


@contextmanager
def engine() -> Iterator[Lab]:
    """Run an engine with two models of the tests' small world."""
    with tempfile.TemporaryDirectory() as place:
        folder = checkout(Path(place))
        first = folder / "tables" / "first.csv"
        first.write_bytes(world.as_csv(*world.rows(800, 1, world.once)))
        for name, retraining in zip(("asis", "learning"), MODELS.values(), strict=True):
            world.new_model(folder, name, first, retraining)
        with running(folder, world.IDLE_SPEED) as lab:
            yield lab


def alarm_to_run(lab: Lab, name: str) -> float:
    """Bring a first model live, let its traffic drift, and return the seconds from the alert to the second run."""
    lab.upload(name, "first.csv", world.as_csv(*world.rows(800, 1, world.once)))
    if name == "asis":
        until(lambda: lab.client("s3").list_objects_v2(
            Bucket=lab.shared[names.OUTPUT_DATA_BUCKET], Prefix=f"versions/{name}/current.json"
        )["KeyCount"], "a data version")  # fmt: skip
        perennial(lab.root, "retrain", name, "--reason", "the first model")
    until(lambda: lab.live_version(name), "a first model")
    made, labels = world.rows(700, 2, world.now, lowest=2.0)
    if name == "asis":
        lab.upload(name, "second.csv", world.as_csv(made, labels))
        lab.settle()
    world.traffic(lab, name, made, labels)
    until(lambda: world.entries(lab, name, ledger.ALERT_BEGUN), "alert")
    began = time.perf_counter()
    until(lambda: len(lab.executions(name)) > 1, "second run")
    return time.perf_counter() - began


def until(reached: Callable[[], object], what: str) -> None:
    """Ask fifty times a second until it is so."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not reached():
        if time.monotonic() > end:
            sys.exit(f"no {what} within {PATIENCE_SECONDS:.0f} s")
        time.sleep(0.02)


def proofs() -> list[tuple[float, str]]:
    """Run the three end-to-end proofs one after the other and return the seconds of each."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "--durations", "0", "tests/e2e/test_closed_loop.py"]
    ran = subprocess.run(command, cwd=ROOT, env=clean_environment(), capture_output=True, text=True, check=False)
    if ran.returncode:
        sys.exit(f"a proof failed:\n{ran.stdout}")
    return [(float(seconds), name) for seconds, name in PROOF.findall(ran.stdout)]


if __name__ == "__main__":
    main()
