"""The whole loop on the laptop engine, three times, each with a new engine: upload of three months to first answers.

    python benchmarks/loop.py          (two minutes; no other engine may run in this checkout)

Warm: environments exist and a first synth has been done. The settle time passes on the engine's clock, which runs
fast while nothing happens; it is part of "settle" below and aside in the total.
"""

import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import table  # noqa: E402

DATA = ROOT / "models" / "flights" / "data"
RUNS = 3
STEP = re.compile(r"^\s*done (.+?)\s{2,}([\d.]+) s\s*$", re.MULTILINE)
TOTAL = re.compile(r"Upload to first answers: ([\d.]+) s, of which ([\d.]+) s settling")


def main() -> None:
    print(table.machine(), flush=True)
    if not (DATA / "2013-04.csv").exists():
        made = [sys.executable, ROOT / "models" / "flights" / "monthly.py", "--out", DATA, "--months", "1-4"]
        subprocess.run(made, check=True)
    subprocess.run([sys.executable, "app.py"], cwd=ROOT, env=environment(), check=True, capture_output=True)
    steps: dict[str, list[float]] = {}
    totals = []
    for _ in range(RUNS):
        said = run()
        for name, seconds in STEP.findall(said):
            steps.setdefault(re.sub(r"http://\S+|\s*\(.*\)", "", name), []).append(float(seconds))
        whole, settle = map(float, TOTAL.findall(said)[0])
        totals.append(whole - settle)
    rows = [[name, "", shown(times)] for name, times in steps.items()]
    goals = {"train the candidate families": "7 s", "evaluate, compile, prove parity": "2.5 s"}
    rows = [[name, goals.get(name, ""), times] for name, _, times in rows]
    rows.append(["upload to first answers, settle aside", "20 s", shown(totals)])
    table.show(["step", "goal", f"median of {RUNS} (fastest, slowest)"], rows)


def run() -> str:
    """Run the loop once and return what it printed."""
    command = [sys.executable, "-c", "from cli.main import main; main()", "local", "run", "flights"]
    files = [str(DATA / f"2013-0{month}.csv") for month in (1, 2, 3)]
    asked = ["--ask", str(DATA / "2013-04.csv"), "--once"]
    done = subprocess.run(
        [*command, *files, *asked], cwd=ROOT, env=environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"the loop failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout + done.stderr


def environment() -> dict[str, str]:
    """Return this process's environment with bytecode on, wide lines and the project's own tools first."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}", "COLUMNS": "120"}


def shown(times: list[float]) -> str:
    return f"{statistics.median(times):.1f} s ({min(times):.1f}, {max(times):.1f})"


if __name__ == "__main__":
    main()
