"""Perennial's scoring beside the usual ways to serve the same kind of model, each in an environment of its own.

    make bench-peers          (a few minutes, most of it installing the peers into build/peers)

Model: hist gradient boosting, 100 trees of 31 leaves, 20 numbers and 10 categories, trained on the same rows with the
same settings on every side. Each side is started as a process and answers one row; then it times itself, JSON to JSON.
Sides take turns in every round; medians; bytecode compiled on every side.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import joblib  # noqa: E402
import pandas as pd  # noqa: E402
import polars as pl  # noqa: E402
from sklearn.compose import ColumnTransformer  # noqa: E402
from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import OneHotEncoder  # noqa: E402

from benchmarks import scoring, table  # noqa: E402
from training import threads  # noqa: E402

SIDES = Path(__file__).parent / "sides"
BUILD = ROOT / "build" / "peers"
UV = ROOT / "build" / "tools" / "bin" / "uv"
# the pickled pipeline is read by the releases that wrote it
FITTED = ("scikit-learn==1.9.0", "pandas==2.2.3")
# one line converts the model: its own environment, since the converter fails with newer protobuf
CONVERTER = ("skl2onnx==1.20.0", "protobuf<7", *FITTED)


@dataclass(frozen=True, kw_only=True)
class Side:
    """One way to serve: its scripts, what is installed for it, and what with to prepare its model, if anything."""

    name: str
    script: str
    packages: tuple[str, ...] = ()
    prepared_with: tuple[str, ...] = ()
    taken: dict[str, list[float]] = field(default_factory=lambda: {"first": [], "1": [], "100": []})
    wrong: list[float] = field(default_factory=list)

    @property
    def python(self) -> Path:
        """The interpreter of the side's environment."""
        return environment(self.script, self.packages) if self.packages else Path(sys.executable)


def peers() -> list[Side]:
    """Return all sides, ours first."""
    mlflow = ("mlflow==3.17.2", *FITTED)
    return [
        Side(name="Perennial", script="perennial"),
        Side(name="scikit-learn + pandas", script="sklearn", packages=FITTED),
        Side(name="MLflow loader", script="mlflow", packages=mlflow, prepared_with=mlflow),
        Side(name="BentoML service", script="bentoml", packages=("bentoml==1.4.39", *FITTED)),
        Side(
            name="onnxruntime",
            script="onnx",
            packages=("onnxruntime==1.31.1", "numpy==2.5.5"),
            prepared_with=CONVERTER,
        ),
    ]


def environment(name: str, packages: tuple[str, ...]) -> Path:
    """Return the interpreter of an environment with exactly these packages, made on first use, bytecode compiled."""
    folder = BUILD / "environments" / name
    wanted = "\n".join(packages)
    made = folder / "packages.txt"
    python = folder / "bin" / "python"
    if not made.is_file() or made.read_text() != wanted:
        print(f"installing {', '.join(packages)}", flush=True)
        subprocess.run([UV, "venv", "-q", "--clear", "-p", sys.executable, folder], check=True)
        install = [UV, "pip", "install", "-q", "--compile-bytecode", "--python", python, *packages]
        subprocess.run(install, check=True)
        made.write_text(wanted)
    return python


def model_files(folder: Path) -> list[float]:
    """Write the model and the rows of all sides; return the pipeline's own answers to the hundred rows."""
    frame, unseen = scoring.table(20_000, 1), scoring.table(100, 2).drop("y")
    (folder / "compiled.json").write_bytes(scoring.our_model(frame)[0])
    for count in (1, 100):
        (folder / f"rows-{count}.json").write_text(json.dumps(unseen.to_dicts()[:count]))
    pipeline = their_model(frame)
    joblib.dump(pipeline, folder / "pipeline.joblib")
    found: list[float] = pipeline.predict_proba(pd.DataFrame(unseen.to_dicts()))[:, 1].tolist()
    return found


def their_model(frame: pl.DataFrame) -> object:
    """Return the pipeline that all peers serve; zeros and ones, because the converter garbles native categories."""
    spread = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = ColumnTransformer([("categories", spread, scoring.CATEGORIES)], remainder="passthrough")
    learner = HistGradientBoostingClassifier(early_stopping=False, **scoring.SETTINGS)
    return make_pipeline(columns, learner).fit(pd.DataFrame(frame.drop("y").to_dicts()), frame["y"].to_list())


def run(side: Side, what: str, folder: Path) -> str:
    """Run a side's script to its end and return what it wrote."""
    preparing = what == "prepare"
    python = environment(f"{side.script}-prepare", side.prepared_with) if preparing else side.python
    script = SIDES / f"{side.script}_{'prepare' if preparing else 'side'}.py"
    settings = {k: v for k, v in os.environ.items() if k not in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH")}
    settings |= {"OMP_NUM_THREADS": "1", "PYTHONPATH": "" if side.packages else str(ROOT), "PYTHONWARNINGS": "ignore"}
    settings |= {"MLFLOW_DISABLE_TELEMETRY": "true", "BENTOML_DO_NOT_TRACK": "1"}
    command = [str(python), str(script), what, str(folder)]
    ended = subprocess.run(command, env=settings, check=True, capture_output=True, text=True)
    return ended.stdout.strip().splitlines()[-1] if ended.stdout.strip() else ""


def compare(sides: list[Side], folder: Path, rounds: int, expected: list[float]) -> None:
    """Let the sides take turns and keep what they took."""
    for number in range(rounds + 1):
        for side in sides:
            started = time.perf_counter()
            run(side, "first", folder)
            if number:  # the first round writes bytecode and fills the page cache
                side.taken["first"].append(time.perf_counter() - started)
    for number in range(max(3, rounds // 3)):
        for side in sides:
            found = json.loads(run(side, "time", folder))
            side.taken["1"].append(found["1"])
            side.taken["100"].append(found["100"])
            if number == 0 and side.packages:
                side.wrong.append(max(abs(a - b) for a, b in zip(found["answers"], expected, strict=True)))
        print(f"round {number + 1} done", flush=True)


def size(side: Side) -> float:
    """Return how many bytes are installed to serve: site-packages, or our own package of the standard library."""
    root = ROOT / "lifecycle" if not side.packages else side.python.parents[1] / "lib"
    return sum(file.stat().st_size for file in root.rglob("*") if file.is_file())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="process starts of each side")
    rounds = parser.parse_args().rounds
    print(table.machine())
    threads.limit()
    folder = BUILD / "model"
    folder.mkdir(parents=True, exist_ok=True)
    expected = model_files(folder)
    sides = peers()
    for side in sides:
        if side.prepared_with:
            run(side, "prepare", folder)
    compare(sides, folder, rounds, expected)
    ours = {what: statistics.median(values) for what, values in sides[0].taken.items()}
    lines = []
    for side in sides:
        took = {what: statistics.median(values) for what, values in side.taken.items()}
        cells = [f"{table.seconds(took[what])} ({took[what] / ours[what]:.0f}x)" for what in ("first", "1", "100")]
        wrong = f"{side.wrong[0]:.0e}" if side.wrong else "-"
        lines.append([side.name, *cells, f"{size(side) / 1e6:.0f} MB", wrong])
    columns = ["side", "start to first score", "1 row", "100 rows", "unzipped", "largest error"]
    table.show(columns, lines)


if __name__ == "__main__":
    main()
