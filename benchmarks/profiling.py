"""A window of rows profiled, checked and held against a reference: PSI, KS and chi-square of 30 columns in one pass.

    python benchmarks/profiling.py                      (a minute: 1 million rows, ours, polars alone, decoding alone)
    python benchmarks/profiling.py --peers              (minutes, most of it installing the peers into build/peers)
    python benchmarks/profiling.py --rows 10000000      (ours and decoding; writes 1.9 GB below build/peers)

20 columns of doubles (2 % missing) and 10 of texts (4 to 40 values), Parquet with snappy in row groups of 250,000; a
reference of 100,000 rows. Every side is a process of its own and gets the same files. Seconds are without imports and
without preparing the reference; "processor" is the time of all cores, which tells more where others work on the machine
too; memory is the process's own at its peak, without what it only maps from the file.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import polars as pl  # noqa: E402

from benchmarks import table  # noqa: E402
from benchmarks.peers import compare  # noqa: E402
from benchmarks.peers.sides import profiling_perennial, profiling_turn  # noqa: E402
from lifecycle.tally import Tally, total  # noqa: E402
from tabular.tally import tally_of  # noqa: E402

FOLDER = compare.BUILD / "profiling"
MILLION = 1_000_000
REFERENCE_ROWS = 100_000
HOURS = 720
HOUR_ROWS = 10_000
PANDAS = ("pandas==2.2.3", "scipy==1.18.0", "pyarrow==25.0.0")
EVIDENTLY = ("evidently==0.7.23", "pandas<3", "scikit-learn==1.9.0", "pyarrow")
NANNYML = ("nannyml==0.13.1", "pandas<3", "statsmodels", "pyarrow")


@dataclass(frozen=True, kw_only=True)
class Side:
    """One way to do it: its script, what is installed for it, what it computes, whether it takes 10 million rows."""

    name: str
    script: str
    does: str
    environment: str = ""
    packages: tuple[str, ...] = ()
    large: bool = False
    taken: list[float] = field(default_factory=list)
    worked: list[float] = field(default_factory=list)
    peaks: list[int] = field(default_factory=list)
    found: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)


def sides(*, peers: bool, rows: int) -> list[Side]:
    """Return the sides of this run, ours first."""
    every = "PSI, KS, chi-square, checks"
    found = [
        Side(name="Perennial", script="perennial", does=every, large=True),
        Side(name="decoding alone, polars", script="decode", does="-", large=True),
        Side(name="polars alone, streaming", script="polars", does="PSI, chi-square, checks; no KS", large=True),
    ]
    pyarrow = ("pyarrow==25.0.0",)
    if peers:
        found += [
            Side(
                name="decoding alone, pyarrow",
                script="decode",
                does="-",
                environment="pyarrow",
                packages=pyarrow,
                large=True,
            ),
            Side(name="pandas + scipy", script="pandas", does=every, environment="pandas-scipy", packages=PANDAS),
            Side(
                name="nannyml 0.13.1", script="nannyml", does="KS, chi-square", environment="nannyml", packages=NANNYML
            ),
            Side(name="evidently 0.7.23", script="evidently", does="PSI", environment="evidently", packages=EVIDENTLY),
        ]
    return [side for side in found if side.large or rows <= MILLION]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=MILLION, help="of the window, in millions")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", action="store_true", help="also pandas + scipy, nannyml, evidently and pyarrow")
    chosen = parser.parse_args()
    print(table.machine(), flush=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    window, reference = written(chosen.rows, 1, 0.05), written(REFERENCE_ROWS, 0, 0.0)
    taking_part = sides(peers=chosen.peers, rows=chosen.rows)
    for number in range(chosen.rounds + 1):
        for side in taking_part:
            measure(side, window, reference, warm=number > 0)
    ours = taking_part[0]
    lines = []
    for side in taking_part:
        took, peak = statistics.median(side.taken), statistics.median(side.peaks)
        shown = f"{table.seconds(took)} ({table.seconds(min(side.taken))})"
        times = f"{took / statistics.median(ours.taken):.2f}"
        worked = table.seconds(statistics.median(side.worked))
        lines.append([side.name, side.does, shown, times, worked, f"{peak / 1e6:,.0f} MB", apart(ours, side)])
    print(f"{chosen.rows:,} rows; KS here is at most {ours.found['error']:.5f} below the exact one")
    columns = ["side", "does", "median (fastest)", "x ours", "processor", "memory", "largest difference from ours"]
    table.show(columns, lines)
    merging()


def written(rows: int, seed: int, moved: float) -> Path:
    """Return a Parquet file of so many rows, made on first use; `moved` shifts numbers and values a little."""
    path = FOLDER / f"{rows}-{seed}.parquet"
    if path.exists():
        return path
    parts = []
    for start in range(0, rows, MILLION):
        part = FOLDER / f"part-{start}.parquet"
        made(min(MILLION, rows - start), seed + start, moved).write_parquet(part, compression="snappy")
        parts.append(part)
    making = path.with_suffix(".making")
    pl.scan_parquet(parts).sink_parquet(making, compression="snappy", row_group_size=250_000)
    for part in parts:
        part.unlink()
    making.rename(path)
    return path


def made(rows: int, seed: int, moved: float) -> pl.DataFrame:
    """Return rows: every other number is lognormal, the others normal; texts are equally frequent unless moved."""
    chance = np.random.default_rng(seed)
    columns: dict[str, pl.Series] = {}
    for place, name in enumerate(profiling_turn.NUMBERS):
        drawn = chance.normal(10 * place, 1 + place, rows) if place % 2 else chance.lognormal(1, 1, rows)
        values = pl.Series(name, drawn * (1 + moved))
        columns[name] = values.set(pl.Series(chance.random(rows) < 0.02), None)
    for name, values in profiling_turn.WORDS.items():
        drawn = (chance.random(rows) ** (1 + moved) * len(values)).astype(np.int64)
        columns[name] = pl.Series(name, values).gather(drawn)
    return pl.DataFrame(columns)


def measure(side: Side, window: Path, reference: Path, *, warm: bool) -> None:
    """Run a side once; the first time only fills the page cache and writes bytecode."""
    python = compare.environment(side.environment, side.packages) if side.packages else Path(sys.executable)
    hidden = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH")
    settings = {name: value for name, value in os.environ.items() if name not in hidden}
    settings |= {"PYTHONPATH": str(ROOT) if not side.packages else "", "NML_DISABLE_USAGE_LOGGING": "1"}
    settings |= {"PYTHONWARNINGS": "ignore", "DO_NOT_TRACK": "1"}
    command = [str(python), str(compare.SIDES / f"profiling_{side.script}.py"), str(window), str(reference)]
    with subprocess.Popen(command, env=settings, stdout=subprocess.PIPE, text=True) as process:
        peak: list[int] = [0]
        watcher = threading.Thread(target=watch, args=(process.pid, peak))
        watcher.start()
        said, _ = process.communicate()
        watcher.join()
    if process.returncode:
        sys.exit(f"{side.name} failed")
    side.found.update(json.loads(said.splitlines()[-1]))
    if warm:
        side.taken.append(float(side.found["seconds"]))
        side.worked.append(float(side.found["worked"]))
        side.peaks.append(peak[0])


def watch(pid: int, peak: list[int]) -> None:
    """Note the largest anonymous memory of a process until it ends."""
    status = Path(f"/proc/{pid}/status")
    while True:
        try:
            lines = status.read_text().splitlines()
        except OSError:
            return
        found = [int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon")]
        if not found:
            return
        peak[0] = max(peak[0], found[0])
        time.sleep(0.01)


def apart(ours: Side, side: Side) -> str:
    """Return by how much a side's figures differ from ours at most."""
    if side is ours:
        return "-"
    told = []
    for what, exact in (("ks", True), ("psi", True), ("chi2", False)):
        pairs = [(value, ours.found[what][name]) for name, value in side.found.get(what, {}).items()]
        if pairs:
            worst = max(abs(one - two) / (1 if exact else max(1.0, abs(one))) for one, two in pairs)
            told.append(f"{what} {worst:.1e}" + ("" if exact else " of it"))
    return ", ".join(told) or "-"


def merging() -> None:
    """Print what one more hour costs a window of 30 days, and what adding up all of its hours does."""
    reference = profiling_perennial.prepare(written(REFERENCE_ROWS, 0, 0.0))
    rows = made(HOUR_ROWS, 7, 0.0)
    hour = tally_of(rows, profiling_perennial.CONTRACT, reference)
    month = total(reference, [hour] * 29)
    size = len(json.dumps(hour.to_plain()))
    table.show(
        ["a window of 30 days, 30 columns", "takes"],
        [
            [
                f"counting one hour of {HOUR_ROWS:,} rows",
                timed(lambda: tally_of(rows, profiling_perennial.CONTRACT, reference)),
            ],
            ["adding its tally to the rest", timed(lambda: month.merge(hour))],
            [
                f"reading its tally from JSON ({size / 1000:.0f} kB)",
                timed(lambda: Tally.from_plain(json.loads(json.dumps(hour.to_plain())))),
            ],
            [f"adding up all {HOURS} hours anew", timed(lambda: total(reference, [hour] * HOURS))],
        ],
    )


def timed(action: object) -> str:
    taken = []
    for _ in range(5):
        started = time.perf_counter()
        action()
        taken.append(time.perf_counter() - started)
    return table.seconds(statistics.median(taken))


if __name__ == "__main__":
    main()
