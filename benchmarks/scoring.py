"""Compiled scoring beside scikit-learn's own path, same model, same rows, in one run, bytecode compiled for both.

    python benchmarks/scoring.py

Model: hist gradient boosting, 100 trees of 31 leaves, 20 numbers and 10 categories. Medians of rounds;
in each round the sides take turns of 20 calls.
"""

import argparse
import compileall
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import joblib  # noqa: E402
import pandas as pd  # noqa: E402
import polars as pl  # noqa: E402
from sklearn.compose import ColumnTransformer  # noqa: E402
from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import OrdinalEncoder  # noqa: E402

from benchmarks import table as shown  # noqa: E402
from lifecycle.scoring import CompiledModel  # noqa: E402
from lifecycle.spec import Candidate, Column, Contract, Kind, ModelSpec, Task  # noqa: E402
from training import encode, estimators, predict, threads  # noqa: E402
from training.compile import Fitted, compile_model  # noqa: E402

NUMBERS = [f"n{i:02}" for i in range(20)]
CATEGORIES = [f"c{i:02}" for i in range(10)]
CALLS = 20
SETTINGS = {"max_iter": 100, "max_leaf_nodes": 31, "learning_rate": 0.1}

OURS = """
import json, sys
from lifecycle.scoring import CompiledModel
model = CompiledModel.load(open(sys.argv[1], "rb").read())
print(json.dumps(model.score(json.loads(open(sys.argv[2]).read()))))
"""
THEIRS = """
import json, sys, joblib
import pandas as pd
model = joblib.load(sys.argv[1])
print(json.dumps(model.predict_proba(pd.DataFrame(json.loads(open(sys.argv[2]).read())))[:, 1].tolist()))
"""


def table(rows: int, seed: int) -> pl.DataFrame:
    """Return mixed columns and a label that depends on some of them."""
    chance = random.Random(seed)
    made = []
    for _ in range(rows):
        row: dict[str, Any] = {name: chance.gauss(0, 1) for name in NUMBERS}
        row |= {name: f"v{chance.randrange(8)}" for name in CATEGORIES}
        score = row["n00"] * row["n01"] + row["n02"] + (row["c00"] in ("v1", "v2")) - (row["c01"] == "v3")
        row["y"] = "yes" if score + chance.gauss(0, 1) > 0 else "no"
        made.append(row)
    return pl.DataFrame(made)


def our_model(frame: pl.DataFrame) -> tuple[bytes, Fitted, ModelSpec]:
    """Return the compiled file, and what it was made from."""
    columns = [Column(name=n, kind=Kind.NUMBER) for n in NUMBERS] + [
        Column(name=n, kind=Kind.CATEGORY) for n in CATEGORIES
    ]
    contract = Contract(
        task=Task.BINARY, target="y", columns=(*columns, Column(name="y", kind=Kind.CATEGORY)), positive="yes"
    )
    spec = ModelSpec(model="benchmark", dataset="benchmark", contract=contract)
    entry = Candidate(family="hist-gradient-boosting")
    labels = (frame["y"] == "yes").cast(pl.Int64).to_numpy()
    encoder = encode.fit(frame, contract.features, estimators.layout_of(entry), labels.astype(float))
    estimator = estimators.build(entry, spec, SETTINGS, ROOT, encoder)
    estimator.fit(predict.inputs(frame, encoder, estimator), labels)
    fitted = Fitted(family="b", estimator=estimator, encoder=encoder, classes=["no", "yes"], learned={})
    return compile_model(fitted, spec, 0.5, "run", "version"), fitted, spec


def their_model(frame: pl.DataFrame) -> Any:
    """Return the usual scikit-learn pipeline over a data frame, with the same hyperparameters."""
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=float("nan"))
    columns = ColumnTransformer([("c", encoder, CATEGORIES)], remainder="passthrough")
    learner = HistGradientBoostingClassifier(
        categorical_features=range(len(CATEGORIES)), early_stopping=False, **SETTINGS
    )
    return make_pipeline(columns, learner).fit(pd.DataFrame(frame.drop("y").to_dicts()), frame["y"].to_list())


def medians(sides: dict[str, Callable[[], Any]], rounds: int, calls: int = 1) -> dict[str, float]:
    """Return the median seconds per call of each side; in each round every side has its turn of `calls` calls."""
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, run in sides.items():
            run()  # not counted: the other side has just emptied the caches
            started = time.perf_counter()
            for _ in range(calls):
                run()
            taken[name].append((time.perf_counter() - started) / calls)
    return {name: statistics.median(values) for name, values in taken.items()}


def starts(folder: Path, rounds: int) -> dict[str, float]:
    """Return the median seconds from process start to a printed score."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {"PYTHONPATH": str(ROOT)}
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")

    def process(source: str, model: str) -> Callable[[], Any]:
        command = [sys.executable, "-S", "-c", source] if source != THEIRS else [sys.executable, "-c", source]
        return lambda: subprocess.run(
            [*command, str(folder / model), str(folder / "row.json")], env=environment, check=True, capture_output=True
        )

    sides = {
        "bare Python": process("pass", "compiled.json"),
        "compiled": process(OURS, "compiled.json"),
        "scikit-learn": process(THEIRS, "model.joblib"),
    }
    for run in sides.values():
        run()  # writes the bytecode of everything that is imported
    return medians(sides, rounds)


def in_process(model: CompiledModel, pipeline: Any, rows: Sequence[dict[str, Any]], rounds: int) -> dict[str, float]:
    """Return the median seconds from JSON bytes to JSON bytes."""
    body = json.dumps(rows).encode()
    return medians(
        {
            "compiled": lambda: json.dumps(model.score(json.loads(body))).encode(),
            "scikit-learn": lambda: json.dumps(
                pipeline.predict_proba(pd.DataFrame(json.loads(body)))[:, 1].tolist()
            ).encode(),
        },
        rounds,
        CALLS,
    )


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=41, help="rounds in process; a third of it for process starts")
    rounds = parser.parse_args().rounds
    print(shown.machine())
    threads.limit()
    compileall.compile_dir(ROOT / "lifecycle", quiet=2)
    frame, unseen = table(20_000, 1), table(5_000, 2)
    file, fitted, spec = our_model(frame)
    pipeline = their_model(frame)
    rows = unseen.drop("y").to_dicts()
    model = CompiledModel.load(file)
    expected = predict.outputs(
        fitted.estimator, predict.inputs(unseen, fitted.encoder, fitted.estimator), spec.contract.task, 2
    )
    found = [output[0] for output in model.outputs(rows)]
    worst = max(abs(a - b) for a, b in zip(found, expected.tolist(), strict=True))
    nodes = sum(len(p[0].nodes) for p in fitted.estimator._predictors)
    print(f"{nodes} nodes, {len(file):,} bytes compiled; worst difference on {len(rows)} rows: {worst:.1e}")
    slow = CompiledModel.load(file)
    walked = statistics.median(_timed(lambda: slow.outputs(rows[:1])) for _ in range(101))
    built = _timed(CompiledModel.load(file).accelerate)
    print(f"one row without preparation {walked * 1e6:.0f} us; preparation {built * 1e3:.0f} ms, once")
    found_lines = []
    for name, goal, count in (("1 row, JSON to JSON", "30 us", 1), ("100 rows, JSON to JSON", "2 ms", 100)):
        found_lines.append(_line(name, goal, in_process(model, pipeline, rows[:count], rounds)))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "compiled.json").write_bytes(file)
        (folder / "row.json").write_text(json.dumps(rows[:1]))
        joblib.dump(pipeline, folder / "model.joblib")
        took = starts(folder, max(3, rounds // 3))
    found_lines.append(_line("process start to first score", "18 ms", took))
    print(f"bare Python starts in {shown.seconds(took['bare Python'])}")
    shown.show(["what", "goal", "compiled", "scikit-learn", "ratio"], found_lines)
    return 0


def _timed(run: Callable[[], Any]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def _line(name: str, goal: str, took: dict[str, float]) -> list[str]:
    ours, theirs = took["compiled"], took["scikit-learn"]
    return [name, goal, shown.seconds(ours), shown.seconds(theirs), f"{theirs / ours:.0f}"]


if __name__ == "__main__":
    sys.exit(main())
