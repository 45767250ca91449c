"""The predict handler: process start to first answer, one row and 100 rows, against scikit-learn on the same model.

    python benchmarks/handler.py          (half a minute)

Hist gradient boosting, 100 trees of 31 leaves, on January's flights; 22 columns in, six derived by features.py. Each
process start imports from a copy with bytecode; sides alternate, medians are printed. Page cache warm, one request at
a time, log lines written to /dev/null.
"""

import compileall
import hashlib
import json
import os
import py_compile
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import redirect_stdout
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import joblib  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import polars as pl  # noqa: E402
from sklearn.compose import make_column_transformer  # noqa: E402
from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import OrdinalEncoder  # noqa: E402

from benchmarks import table  # noqa: E402
from lambdas import predict  # noqa: E402
from lambdas.live_model import LiveModel, Place  # noqa: E402
from lifecycle.encoding import ORDINAL  # noqa: E402
from lifecycle.schema import Kind  # noqa: E402
from lifecycle.spec import ModelSpec  # noqa: E402
from stacks.model_yaml import read_model  # noqa: E402
from tabular.read import read_objects  # noqa: E402
from training import encode, estimators, rows  # noqa: E402
from training.compile import Fitted, compile_model  # noqa: E402

MODEL = ROOT / "models" / "flights"
JANUARY = MODEL / "data" / "2013-01.csv"
TREES = {"max_iter": 100, "max_leaf_nodes": 31, "early_stopping": False, "random_state": 7}
STARTS, ROUNDS = 15, 400
SETTINGS = Place(stage="bench", model="flights")

FIRST_ANSWER = """
import json, sys
sys.path.insert(0, ".")
import lambdas.predict as predict
answer = predict.handler(json.loads(open(sys.argv[1]).read()), None)
assert answer["statusCode"] == 200, answer
"""
SCORING_ONLY = """
import json, sys
from pathlib import Path
sys.path.insert(0, ".")
from lifecycle.scoring import CompiledModel
model = CompiledModel.load(Path("model/compiled.json").read_bytes(), Path("."))
model.score(json.loads(json.loads(open(sys.argv[1]).read())["body"])["rows"])
"""
SKLEARN = """
import json, sys
import joblib, pandas
sys.path.insert(0, ".")
from features import features
pipe = joblib.load(sys.argv[2])
rows = json.loads(json.loads(open(sys.argv[1]).read())["body"])["rows"]
frame = pandas.DataFrame([{**row, **features(row)} for row in rows]).reindex(columns=pipe.names)
pipe.predict_proba(frame)
"""


def main() -> None:
    print(table.machine())
    if not JANUARY.exists():
        subprocess.run([sys.executable, MODEL / "monthly.py", "--months", "1"], check=True)
    spec = read_model(MODEL / "model.yaml")
    frame = rows.clean(
        read_objects([(JANUARY, JANUARY.name)], spec.contract), {c.name: c.kind for c in spec.contract.columns}
    )
    frame, labels, _ = rows.labelled(rows.acceptable(frame, spec.contract)[0], spec.contract)
    wide = rows.with_derived(frame.select([c.name for c in spec.contract.inputs]), spec, MODEL)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        package = write_package(folder / "task", spec, wide, labels == "true")
        sample = requests(frame, spec)
        pipe = fit_pipe(spec, wide, labels == "true", folder)
        rows_shown = in_process(package, sample, pipe) + starts(package, folder, sample)
        table.show(["what", "goal", "handler", "scoring", "scikit-learn", "sklearn / handler"], rows_shown)


def write_package(root: Path, spec: ModelSpec, wide: pl.DataFrame, late: np.ndarray) -> Path:
    encoder = encode.fit(wide, spec.contract.features, ORDINAL, late.astype(float))
    estimator = HistGradientBoostingClassifier(**TREES, categorical_features=estimators.categorical(encoder))
    estimator.fit(encode.dense(wide, encoder), late)
    open_ended = [c.name for c in spec.contract.inputs if c.kind is Kind.CATEGORY and c.categories is None]
    fitted = Fitted(
        family="hist-gradient-boosting",
        estimator=estimator,
        encoder=encoder,
        classes=("false", "true"),
        learned=encode.learned(wide, open_ended),
    )
    compiled = compile_model(fitted, spec, 0.3, "flights-bench-a1", "0" * 64)
    for package in ("lifecycle", "lambdas"):
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "model").mkdir()
    (root / "model" / "compiled.json").write_bytes(compiled)
    release = {"model_version": "1", "run_id": "flights-bench-a1", "data_version": "0" * 64, "asset_key": "bench"}
    release["compiled_sha256"] = hashlib.sha256(compiled).hexdigest()
    (root / "model" / "release.json").write_text(json.dumps(release))
    (root / spec.file_name).write_bytes(spec.to_bytes())
    shutil.copy(MODEL / "features.py", root)
    compileall.compile_dir(root, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    print(f"compiled model {len(compiled) / 1000:.0f} kB, package {size(root) / 1e6:.1f} MB unzipped, with bytecode")
    return root


def fit_pipe(spec: ModelSpec, wide: pl.DataFrame, late: np.ndarray, folder: Path) -> object:
    """The usual way: a pipeline over a data frame, from the raw and derived columns."""
    kinds = dict(spec.contract.features)
    words = [name for name, kind in kinds.items() if kind is Kind.CATEGORY]
    numbers = [name for name in kinds if name not in words]
    coder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=250)
    transform = make_column_transformer((coder, words), ("passthrough", numbers))
    boosting = HistGradientBoostingClassifier(**TREES, categorical_features=list(range(len(words))))
    pipe = make_pipeline(transform, boosting)
    pipe.fit(as_pandas(wide.select(list(kinds)).to_dicts()), late)
    pipe.names = list(kinds)
    joblib.dump(pipe, folder / "pipe.joblib")
    return pipe


def as_pandas(found: list[dict]) -> pd.DataFrame:
    return pd.DataFrame(found)


def requests(frame: pl.DataFrame, spec: ModelSpec) -> list[dict]:
    sent = frame.select([c.name for c in spec.contract.inputs]).gather_every(40).head(600)
    sent = sent.with_columns(pl.col("scheduled").dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
    return sent.to_dicts()


def event(found: list[dict]) -> dict:
    return {
        "rawPath": "/models/flights/predictions",
        "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": "POST"}},
        "body": json.dumps({"rows": found}),
        "isBase64Encoded": False,
    }


def in_process(package: Path, sample: list[dict], pipe: object) -> list[list[str]]:
    lines = []
    sys.path.insert(0, str(MODEL))
    from features import features

    live = LiveModel.load(package, SETTINGS)
    assert live is not None
    times: dict[str, list[float]]
    for count, rounds in ((1, ROUNDS), (100, ROUNDS // 8)):
        times = {"handler": [], "scoring": [], "scikit-learn": []}
        for number in range(rounds):
            request = event(sample[number % 500 : number % 500 + count])
            with Path(os.devnull).open("w") as quiet, redirect_stdout(quiet):
                begin = time.perf_counter()
                predict.answer(live, SETTINGS, request)
                times["handler"].append(time.perf_counter() - begin)
            begin = time.perf_counter()
            json.dumps(live._model.score(json.loads(request["body"])["rows"]))
            times["scoring"].append(time.perf_counter() - begin)
            if number % 4 == 0:
                begin = time.perf_counter()
                found = [{**row, **features(row)} for row in json.loads(request["body"])["rows"]]
                json.dumps(pipe.predict_proba(pd.DataFrame(found).reindex(columns=pipe.names))[:, 1].tolist())
                times["scikit-learn"].append(time.perf_counter() - begin)
        middle = {side: statistics.median(found) for side, found in times.items()}
        named = "1 row, event to answer" if count == 1 else f"{count} rows, event to answer"
        lines.append(line(named, "150 us" if count == 1 else "", middle))
    return lines


def line(name: str, goal: str, middle: dict[str, float]) -> list[str]:
    sides = [table.seconds(middle[side]) for side in ("handler", "scoring", "scikit-learn")]
    return [name, goal, *sides, f"{middle['scikit-learn'] / middle['handler']:.1f}"]


def starts(package: Path, folder: Path, sample: list[dict]) -> list[list[str]]:
    request = folder / "event.json"
    request.write_text(json.dumps(event(sample[:1])))
    environment = {"PATH": os.environ["PATH"], "LAMBDA_TASK_ROOT": str(package), "STAGE": "bench", "MODEL": "flights"}
    sides = {
        "bare Python": ["-c", "pass"],
        "scoring": ["-c", SCORING_ONLY, str(request)],
        "handler": ["-c", FIRST_ANSWER, str(request)],
        "scikit-learn": ["-c", SKLEARN, str(request), str(folder / "pipe.joblib")],
    }
    times: dict[str, list[float]] = {side: [] for side in sides}
    for number in range(STARTS):
        for side, arguments in sides.items():
            if side.startswith("scikit") and number >= 5:
                continue
            begin = time.perf_counter()
            subprocess.run([sys.executable, *arguments], cwd=package, env=environment, check=True, capture_output=True)
            times[side].append(time.perf_counter() - begin)
    middle = {side: statistics.median(found) for side, found in times.items()}
    print(f"bare Python starts in {table.seconds(middle['bare Python'])}")
    return [line("process start to first answer", "60 ms", middle)]


def size(root: Path) -> int:
    return sum(file.stat().st_size for file in root.rglob("*") if file.is_file())


if __name__ == "__main__":
    main()
