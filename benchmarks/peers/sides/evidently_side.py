"""Windows -> which columns evidently calls drifted with its defaults: python evidently_side.py <folder>

Reads reference.parquet, windows.parquet (column "window") and columns.json in the folder; writes evidently.json. The
tests are those that the preset chooses for each column, without the report around them, which takes twenty times as
long; the first windows go through the whole report as well, and must say the same.
"""

import json
import sys
import warnings
from multiprocessing import Pool
from pathlib import Path

warnings.filterwarnings("ignore")

import pandas as pd  # noqa: E402
from evidently import DataDefinition, Dataset, Report  # noqa: E402
from evidently.legacy.calculations.stattests.registry import get_stattest  # noqa: E402
from evidently.presets import DataDriftPreset  # noqa: E402

CHECKED = 3
FOLDER = Path(sys.argv[1])
KINDS = json.loads((FOLDER / "columns.json").read_text())
REFERENCE = pd.read_parquet(FOLDER / "reference.parquet")


def by_tests(window):
    found = []
    for name, kind in KINDS.items():
        before, now = REFERENCE[name].dropna(), window[name].dropna()
        # a column without values has no verdict: the report itself fails on it
        if len(now) and get_stattest(before, now, kind, None)(before, now, kind, None).drifted:
            found.append(name)
    return found


def by_report(window):
    numbers = [name for name, kind in KINDS.items() if kind == "num"]
    others = [name for name, kind in KINDS.items() if kind == "cat"]
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=others)
    sides = [Dataset.from_pandas(part[list(KINDS)], data_definition=definition) for part in (window, REFERENCE)]
    content = Report([DataDriftPreset()], include_tests=True).run(*sides).dict()
    return round(content["metrics"][0]["value"]["count"])


def main():
    parts = [part for _, part in pd.read_parquet(FOLDER / "windows.parquet").groupby("window", sort=True)]
    with Pool(2) as pool:
        found = pool.map(by_tests, parts, chunksize=4)
    whole = [both for both in zip(parts, found, strict=True) if both[0][list(KINDS)].notna().any().all()]
    for part, drifted in whole[:CHECKED]:
        assert by_report(part) == len(drifted), (by_report(part), drifted)
    (FOLDER / "evidently.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
