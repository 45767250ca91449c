"""`cdk synth` without the CLI: process start to a complete cdk.out, with bytecode, in an empty folder each time.

    python benchmarks/synth.py          (half a minute)

Staged assets are named by their content and stay, as they do in a checkout.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import table  # noqa: E402

ROUNDS = 5


def main() -> None:
    print(table.machine())
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    taken = []
    for _ in range(ROUNDS + 1):
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            subprocess.run(
                [sys.executable, "app.py"],
                cwd=ROOT,
                env={**kept, "CDK_OUTDIR": folder},
                check=True,
                capture_output=True,
            )
            taken.append(time.perf_counter() - began)
    table.show(
        ["what", "goal", "median", "fastest", "slowest"],
        [["synth", "3 s", *(table.seconds(f(taken[1:])) for f in (statistics.median, min, max))]],
    )
    print(f"the first one, which may write bytecode and assets: {table.seconds(taken[0])}")


if __name__ == "__main__":
    main()
