"""Tables that the example never saw: file -> model.yaml -> training jobs -> package -> answers over HTTP."""

import dataclasses
import hashlib
import json
import shutil
import tarfile
from pathlib import Path

import polars as pl
import pytest

from cli.new import new_model
from lambdas.live_model import LiveModel, Place
from lambdas.predict import answer
from lifecycle.schema import Kind
from lifecycle.spec import ModelSpec
from stacks.model_yaml import read_model
from tabular.read import read_objects
from tests.live_package import event
from tests.tables import MAKERS, TARGETS
from training import evaluate, train

VERSION = "e" * 64
RUN = "table-00000000-a1"
ROWS = {"fraud": 6000}


def trained(folder: Path, spec: ModelSpec, source: Path) -> Path:
    """Run the spec's training jobs and its evaluation; return what the evaluation left."""
    code = folder / "code"
    code.mkdir()
    (code / spec.file_name).write_bytes(spec.to_bytes())
    entry = {"name": source.name, "version_id": "v1", "size": source.stat().st_size}
    manifest = json.dumps({"schema": 1, "dataset": spec.dataset, "version": VERSION, "objects": [entry]})
    processing = folder / "processing" / "input"
    for inputs in (processing, *(folder / c.family / "input" / "data" for c in spec.training.candidates)):
        for name in ("data", "manifest", "wheels"):
            (inputs / name).mkdir(parents=True)
        shutil.copy(source, inputs / "data" / "v1")
        (inputs / "manifest" / "manifest.json").write_text(manifest)
    for candidate in spec.training.candidates:
        root, job = folder / candidate.family, f"{RUN}-{candidate.family}-0"
        told = {"run_id": RUN, "family": candidate.family, "version": VERSION, "spec_id": spec.spec_id}
        (root / "input" / "config").mkdir()
        (root / "input" / "config" / "hyperparameters.json").write_text(json.dumps(told))
        assert train.main(["--root", str(root), "--code", str(code)]) == 0, (root / "output" / "failure").read_text()
        output = processing / "candidates" / job / "output"
        output.mkdir(parents=True)
        with tarfile.open(output / "model.tar.gz", "w:gz") as archive:
            for file in sorted((root / "model").iterdir()):
                archive.add(file, file.name)
    (processing / "inputs").mkdir()
    (processing / "inputs" / "champion.json").write_text('{"live": null}')
    arguments = ["--root", str(folder), "--code", str(code), "--run-id", RUN, "--version", VERSION]
    message = folder / "output" / "message"
    assert evaluate.main(arguments) == 0, message.read_text() if message.exists() else "no message"
    return next(folder.rglob("scorecard.json")).parent


def deployed(folder: Path, spec: ModelSpec, evaluation: Path) -> LiveModel:
    task = folder / "task"
    (task / "model").mkdir(parents=True)
    compiled = (evaluation / "compiled.json").read_bytes()
    (task / "model" / "compiled.json").write_bytes(compiled)
    release = {"model_version": "1", "run_id": RUN, "data_version": VERSION, "asset_key": "a"}
    release["compiled_sha256"] = hashlib.sha256(compiled).hexdigest()
    (task / "model" / "release.json").write_text(json.dumps(release))
    (task / spec.file_name).write_bytes(spec.to_bytes())
    live = LiveModel.load(task, Place(stage="dev", model=spec.model))
    assert live is not None
    return live


def as_sent(source: Path, spec: ModelSpec) -> list[dict]:
    """Rows as a client would send them."""
    frame = read_objects([(source, source.name)], spec.contract)
    times = [c.name for c in spec.contract.columns if c.kind is Kind.DATETIME]
    frame = frame.with_columns(pl.col(times).dt.strftime("%Y-%m-%dT%H:%M:%SZ")) if times else frame
    return frame.select([c.name for c in spec.contract.inputs]).head(200).to_dicts()


@pytest.mark.slow
@pytest.mark.parametrize("name", MAKERS)
def test_a_table_becomes_a_model_that_learned_something_and_answers_its_own_rows(name, tmp_path):
    source = MAKERS[name](tmp_path / "table.csv", ROWS.get(name, 1500), 21)
    spec = read_model(new_model(name, source, TARGETS[name], tmp_path))
    spec = dataclasses.replace(spec, training=dataclasses.replace(spec.training, trials=2))
    evaluation = trained(tmp_path, spec, source)
    scorecard = json.loads((evaluation / "scorecard.json").read_bytes())
    [metric] = {"regression": ["rmse_error"]}.get(str(spec.contract.task), ["log_loss"])
    assert scorecard["metrics"]["winner"][metric] < 0.97 * scorecard["metrics"]["dummy"][metric]

    live = deployed(tmp_path, spec, evaluation)
    request = event(f"/models/{name}/predictions", body=json.dumps({"rows": as_sent(source, spec)}))
    response = answer(live, Place(stage="dev", model=name), request)
    body = json.loads(response["body"])
    assert response["statusCode"] == 200, body
    assert len(body["predictions"]) == 200
    wanted = {"binary": "probability", "multiclass": "probabilities", "regression": "value"}
    assert all(wanted[str(spec.contract.task)] in prediction for prediction in body["predictions"])
