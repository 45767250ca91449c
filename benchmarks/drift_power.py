"""How often windows of unchanged data raise an alarm, and how often windows with a known shift do.

    python benchmarks/drift_power.py                  (a minute)
    python benchmarks/drift_power.py --evidently      (five minutes, some of it installing evidently into build/peers)

Every window is judged alone (`confirm: 1`), with the defaults of model.yaml otherwise: the hysteresis of the product
can only lower both. Both sides get the same reference rows and the same windows, scores included as one more column.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import polars as pl  # noqa: E402

from benchmarks import table  # noqa: E402
from benchmarks.drifting import real, synthetic  # noqa: E402
from benchmarks.drifting.setting import Setting, measured  # noqa: E402
from benchmarks.peers import compare  # noqa: E402
from lifecycle.drift_alert import AlertState, judge  # noqa: E402
from lifecycle.monitoring import Monitoring  # noqa: E402
from lifecycle.quality_alert import judge_quality  # noqa: E402
from tabular.tally import tally_of  # noqa: E402

USUAL = Monitoring(confirm=1, clear=1)
FINE = replace(USUAL, min_psi=0.01)
STATIONARY, SHIFTED, ROWS = 200, 20, 1000
UNCHANGED = "no shift"
SHIFTED_COLUMN = synthetic.COLUMNS | real.COLUMNS
THEIR_ROWS = 3000  # of rows in no order; it takes a second a window on more
EVIDENTLY = ("evidently==0.7.23", "pandas<3", "scikit-learn==1.9.0", "pyarrow")


Cases = dict[str, list[pl.DataFrame]]
Said = dict[str, dict[str, list[bool]]]
"""Case -> side -> whether it raised an alarm, window by window."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evidently", action="store_true", help="judge the same windows with evidently, too")
    chosen = parser.parse_args()
    print(table.machine())
    for title, parts in worlds():
        said: Said = {}
        took = [0.0, 0.0]
        for setting, cases in parts:
            for place, side in enumerate([ours, theirs] if chosen.evidently else [ours]):
                started = time.perf_counter()
                side(setting, cases, said)
                took[place] += time.perf_counter() - started
        shown(title, said)
        print(f"judging took {took[0]:.0f} s in one process; evidently {took[1]:.0f} s in two\n")


def worlds() -> Iterator[tuple[str, list[tuple[Setting, Cases]]]]:
    """Yield (title, reference and its rows, cases)."""
    draw = np.random.default_rng(2013)
    setting = synthetic_setting(draw)
    made = {UNCHANGED: [synthetic.rows(draw, ROWS) for _ in range(STATIONARY)]}
    for name, (shift, sizes) in synthetic.SHIFTS.items():
        for size in sizes:
            made[f"{name} {size:g}"] = [shift(synthetic.rows(draw, ROWS), draw, size) for _ in range(SHIFTED)]
    yield "independent rows, 20 features", [(setting, made)]
    yield "flights, rows drawn at random", [real.drawn(draw, STATIONARY, SHIFTED, ROWS)]
    yield "flights, whole days", list(real.days(draw))
    yield "flights, days of the year after", [real.year()]


def synthetic_setting(draw: np.random.Generator) -> Setting:
    """Return the reference of independent rows: nothing is known of how windows swing."""
    rows, holdout = synthetic.rows(draw, 5000), synthetic.rows(draw, 5000)
    return Setting.of(synthetic.CONTRACT, rows, holdout, synthetic.importances())


def ours(setting: Setting, cases: Cases, said: Said) -> None:
    """Judge every window."""
    for name, windows in cases.items():
        answers = said.setdefault(name, {})
        for window in windows:
            tally = tally_of(window, setting.contract, setting.reference, score="score")
            for side, rules in (("drift", USUAL), ("fine", FINE)):
                found = judge(setting.reference, tally, rules, AlertState(), until="")
                answers.setdefault(side, []).append(bool(found.drifted or found.score.drifted))
            found = judge_quality(setting.reference, measured(window), USUAL, AlertState(), until="")
            answers.setdefault("quality", []).append(found.confirmed)


def theirs(setting: Setting, cases: Cases, said: Said) -> None:
    """Let evidently judge the same windows, the score as one more column."""
    kinds = {name: "num" if each.kind == "number" else "cat" for name, each in setting.reference.columns.items()}
    kinds["score"] = "num"
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        windows = [window.select(list(kinds)) for part in cases.values() for window in part]
        numbered = [window.with_columns(window=pl.lit(number)) for number, window in enumerate(windows)]
        pl.concat(numbered, how="vertical_relaxed").write_parquet(folder / "windows.parquet")
        setting.rows.select(list(kinds))[:THEIR_ROWS].write_parquet(folder / "reference.parquet")
        (folder / "columns.json").write_text(json.dumps(kinds))
        python = compare.environment("evidently", EVIDENTLY)
        subprocess.run([python, compare.SIDES / "evidently_side.py", folder], check=True)
        drifted = iter(json.loads((folder / "evidently.json").read_text()))
    for name, part in cases.items():
        shifted = SHIFTED_COLUMN.get(name.rpartition(" ")[0], SHIFTED_COLUMN.get(name))
        for _ in part:
            found = next(drifted)
            said[name].setdefault("half", []).append(len(found) >= len(kinds) / 2)
            said[name].setdefault("any", []).append(len(found) > 0)
            if shifted is not None:
                said[name].setdefault("that", []).append(shifted in found)
            elif name == UNCHANGED:
                said[name].setdefault("that", []).extend(column in found for column in kinds)


def shown(title: str, said: Said) -> None:
    """Print the shares of windows with an alarm."""
    sides = ["drift", "fine", "quality", "half", "that", "any"]
    heads = ["drift", "drift, min_psi 0.01", "quality, by labels", "evidently: data set", "the column", "any column"]
    rows = []
    for name, answers in said.items():
        count = len(answers["drift"])
        shares = [f"{sum(answers[side]) / len(answers[side]):.1%}" if side in answers else "-" for side in sides]
        rows.append([name, str(count), *(share.replace(".0%", "%") for share in shares)])
    table.show([title, "windows", *heads], rows)


if __name__ == "__main__":
    main()
