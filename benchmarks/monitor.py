"""What a look of the monitor function costs: a million logged rows of 30 columns, and one more hour of a long window.

    python benchmarks/monitor.py [--rows 1000000]          (three minutes)

The log lies in a folder, as S3 holds it: gzip NDJSON, an object a minute. Each look is a process of its own; memory is
its largest resident set, imports included, which is what Lambda counts.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import table  # noqa: E402
from benchmarks.watching import traffic  # noqa: E402

HOUR = 498_667
"""The newest closed hour, since the epoch."""
LONG_HOURS = 30 * 24
LONG_ROWS = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    print(table.machine(), flush=True)
    shown = []
    with tempfile.TemporaryDirectory() as name:
        size = traffic.write_hour(Path(name), HOUR, rows)
        shown.append(line(f"{rows:,} rows in one hour ({size / 1e9:.1f} GB of lines)", look(name, 1)))
        shown.append(line("the same again: nothing is new", look(name, 1)))
        found = look(name, 1, "--labels")
        shown.append(line(f"the same, {found['labelled']:,} labels joined", {**found, "seconds": found["with_labels"]}))
    with tempfile.TemporaryDirectory() as name:
        for ago in range(24):
            traffic.write_hour(Path(name), HOUR - ago, rows // 24)
        shown.append(line(f"{rows:,} rows in 24 hours", look(name, 24)))
    with tempfile.TemporaryDirectory() as name:
        for ago in range(1, LONG_HOURS + 1):
            traffic.write_hour(Path(name), HOUR - ago, LONG_ROWS, objects=2)
        look(name, LONG_HOURS, now=HOUR)
        traffic.write_hour(Path(name), HOUR, LONG_ROWS, objects=2)
        alone = look(name, 1)
        for path in Path(name).glob(f"monitoring/{traffic.MODEL}/hours/2026-11-20T19/*"):
            path.unlink()
        shown.append(line(f"one hour of {LONG_ROWS} rows alone", alone))
        shown.append(line("the same hour added to 30 days", look(name, LONG_HOURS)))
    table.show(["look", "rows judged", "time", "memory", "objects read"], shown)


def look(folder: str, hours: int, *more: str, now: int = HOUR + 1) -> dict[str, Any]:
    """Run one look that ends with the hour before `now` (since the epoch)."""
    command = [sys.executable, "benchmarks/watching/turn.py", folder, str(now * 3600 + 900), str(hours), *more]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def line(what: str, found: dict[str, Any]) -> list[str]:
    """Return a row of the table."""
    peak = f"{found['peak'] / 1e6:,.0f} MB ({found['idle'] / 1e6:,.0f} before)"
    return [what, f"{found['rows']:,}", table.seconds(found["seconds"]), peak, str(found["read"])]


if __name__ == "__main__":
    main()
