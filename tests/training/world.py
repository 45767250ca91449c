"""Small tables with everything awkward in them, specs for each task, and jobs run on them as SageMaker would."""

import hashlib
import json
import random
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from lifecycle.metrics import DEFAULT
from lifecycle.spec import Candidate, Column, Contract, Kind, ModelSpec, Objective, Split, Task, Training
from training import evaluate, train

VERSION = "a" * 64
RUN = "demo-12345678-a1"
FEATURES = """
def features(row):
    text = row["note"] or ""
    return {"words": len(text.split()), "shouts": text.isupper(), "first": text[:1]}
"""
PLACES = ["Ålesund", "Köln", "Paris", "東京", 'O\'Hare, "IL"', "x y"]
COLUMNS = (
    Column(name="row_id", kind=Kind.ID),
    Column(name="at", kind=Kind.DATETIME),
    Column(name="size", kind=Kind.NUMBER),
    Column(name="count", kind=Kind.INTEGER),
    Column(name="member", kind=Kind.BOOLEAN),
    Column(name="place", kind=Kind.CATEGORY),
    Column(name="note", kind=Kind.TEXT),
)
TARGETS = {
    Task.BINARY: Column(name="target", kind=Kind.BOOLEAN),
    Task.MULTICLASS: Column(name="target", kind=Kind.CATEGORY),
    Task.REGRESSION: Column(name="target", kind=Kind.NUMBER),
}
DERIVED = {"words": Kind.NUMBER, "shouts": Kind.BOOLEAN, "first": Kind.CATEGORY}


def spec_of(task: Task, families: Sequence[str] = (), **changes: Any) -> ModelSpec:
    contract = Contract(
        task=task,
        target="target",
        columns=(*COLUMNS, TARGETS[task]),
        positive="true" if task is Task.BINARY else None,
        id="row_id",
        time="at",
        derived=DERIVED,
        missing_label="drop",
    )
    spec = ModelSpec(
        model="demo",
        dataset="demo",
        contract=contract,
        split=Split(by="hash", holdout=0.25, validation=0.25),
        objective=Objective(metric=DEFAULT[task]),
        training=Training(candidates=tuple(Candidate(family=name) for name in families), trials=2, seed=3),
        features_sha256=hashlib.sha256(FEATURES.encode()).hexdigest(),
    )
    return replace(spec, **changes)


def table(task: Task, rows: int = 400, seed: int = 1) -> list[dict[str, Any]]:
    chance = random.Random(seed)
    start = datetime(2024, 2, 27, tzinfo=UTC)
    made = []
    for number in range(rows):
        place = chance.choice(PLACES)
        size = None if chance.random() < 0.1 else chance.lognormvariate(2, 1.5)
        count = None if chance.random() < 0.1 else chance.randrange(-5, 40)
        note = chance.choice(["ALL GOOD", "late again", "", "ümlaut øre", "one two three four"])
        score = (0 if size is None else min(size, 40) / 20) + (count or 0) / 30 + PLACES.index(place) / 4 - 1.5
        made.append(
            {
                "row_id": f"r{number}",
                "at": (start + timedelta(hours=5.3 * number)).isoformat(),
                "size": size,
                "count": count,
                "member": chance.choice([True, False, None]),
                "place": None if chance.random() < 0.05 else place,
                "note": note,
                "target": label(task, score + chance.gauss(0, 0.5)),
            }
        )
    return made


def label(task: Task, score: float) -> Any:
    if task is Task.BINARY:
        return score > 0
    if task is Task.MULTICLASS:
        return "high" if score > 0.5 else "low" if score < -0.5 else "mid"
    return 1000 * score


@dataclass(frozen=True)
class World:
    """A folder with the code channel and the data; jobs run in folders beside them."""

    folder: Path
    spec: ModelSpec

    @property
    def code(self) -> Path:
        return self.folder / "code"

    @property
    def evaluation(self) -> Path:
        return self.folder / "evaluate/processing/output/evaluation"

    def train(self, family: str, job: str | None = None, **more: str) -> int:
        """Run the training job of a family and put its archive where the evaluation reads it.

        `more` are hyperparameters besides those of a run.
        """
        root = self.folder / "jobs" / (job or family)
        config = root / "input/config"
        config.mkdir(parents=True)
        told = {"run_id": RUN, "family": family, "version": VERSION, "spec_id": self.spec.spec_id}
        told |= more
        (config / "hyperparameters.json").write_text(json.dumps(told))
        (root / "input/data").mkdir()
        for channel in ("data", "manifest", "wheels"):
            (root / "input/data" / channel).symlink_to(self.folder / channel)
        exit_code = train.main(["--root", str(root), "--code", str(self.code)])
        if exit_code == 0:
            archive = self.folder / "candidates" / (job or family) / "output/model.tar.gz"
            archive.parent.mkdir(parents=True)
            with tarfile.open(archive, "w:gz") as tar:
                tar.add(root / "model", arcname=".")
        return exit_code

    def failure(self, job: str) -> str:
        return (self.folder / "jobs" / job / "output/failure").read_text()

    def evaluate(self) -> int:
        root = self.folder / "evaluate"
        inputs = root / "processing/input"
        inputs.mkdir(parents=True, exist_ok=True)
        for name in ("data", "manifest", "wheels", "candidates", "inputs"):
            if not (inputs / name).is_symlink():
                (inputs / name).symlink_to(self.folder / name)
        arguments = ["--root", str(root), "--code", str(self.code), "--run-id", RUN, "--version", VERSION]
        return evaluate.main(arguments)

    def message(self) -> str:
        return (self.folder / "evaluate/output/message").read_text()

    def scorecard(self) -> dict[str, Any]:
        return json.loads((self.evaluation / "scorecard.json").read_text())

    def compiled(self) -> bytes:
        return (self.evaluation / "compiled.json").read_bytes()


def build(folder: Path, spec: ModelSpec, rows: Sequence[dict[str, Any]], **files: str) -> World:
    """Lay out code channel and data: `rows` as one CSV; `files` are more code files by stem."""
    for name in ("code", "data", "manifest", "wheels", "candidates", "inputs"):
        (folder / name).mkdir(parents=True)
    (folder / "code" / spec.file_name).write_bytes(spec.to_bytes())
    for stem, source in {"features": FEATURES, **files}.items():
        (folder / "code" / f"{stem}.py").write_text(source)
    pl.DataFrame(rows, infer_schema_length=None).write_csv(folder / "data/object-1")
    listed = {"name": "rows.csv", "version_id": "object-1", "key": "k", "sha256": "0" * 64, "size": 1}
    (folder / "manifest/manifest.json").write_text(json.dumps({"schema": 1, "objects": [listed]}))
    (folder / "inputs/champion.json").write_text(json.dumps({"live": None}))
    return World(folder=folder, spec=spec)
