"""A trained family <-> its model folder: estimator.joblib, perhaps transformer.joblib, family.json, trials.json."""

import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import sklearn

from lifecycle.errors import TrainingFailed
from lifecycle.spec import Kind
from training.compile import Fitted
from training.own_steps import Own
from training.trials import Outcome

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A family as its training job left it; `job` is the training job's name."""

    job: str
    fitted: Fitted
    family: Mapping[str, Any]
    trials: list[dict[str, Any]]


def save(folder: Path, outcome: Outcome, facts: Mapping[str, Any]) -> None:
    """Write a family's model folder; `facts` (run id, version, rows ...) go into family.json."""
    folder.mkdir(parents=True, exist_ok=True)
    fitted = outcome.fitted
    joblib.dump(fitted.estimator, folder / "estimator.joblib", compress=1)
    if fitted.own is not None:
        joblib.dump(fitted.own.transformer, folder / "transformer.joblib", compress=1)
    family = {
        "schema": SCHEMA,
        **facts,
        "family": fitted.family,
        "parameters": outcome.parameters,
        "metric": outcome.metric,
        "validation": outcome.validation,
        "classes": fitted.classes,
        "encoder": fitted.encoder,
        "learned": fitted.learned,
        "own": None if fitted.own is None else _plain(fitted.own),
        "scikit_learn": sklearn.__version__,
    }
    _write(folder / "family.json", family)
    _write(folder / "trials.json", outcome.trials)


def load(archive: Path, job: str) -> Trained:
    """Return the family in a model.tar.gz. Raises TrainingFailed when the archive is not one of ours or is damaged."""
    try:
        with tarfile.open(archive) as tar:
            parts = {name: _member(tar, name) for name in ("family.json", "trials.json", "estimator.joblib")}
            family = json.loads(parts["family.json"])
            said = family.get("own")
            own = None if said is None else _own(said, _member(tar, "transformer.joblib"))
        trials = json.loads(parts["trials.json"])
        estimator = joblib.load(io.BytesIO(parts["estimator.joblib"]))
    except (tarfile.TarError, OSError, EOFError, KeyError, ValueError) as error:
        raise TrainingFailed(f"{job}: model.tar.gz cannot be read: {type(error).__name__}: {error}") from error
    fitted = Fitted(
        family=family["family"],
        estimator=estimator,
        encoder=family["encoder"],
        classes=family["classes"],
        learned=family["learned"],
        own=own,
    )
    return Trained(job=job, fitted=fitted, family=family, trials=trials)


def _plain(own: Own) -> dict[str, Any]:
    return {"features": list(own.features), "parts": own.parts, "default": own.default}


def _own(said: Mapping[str, Any], transformer: bytes) -> Own:
    features = [(name, Kind(kind)) for name, kind in said["features"]]
    fitted = joblib.load(io.BytesIO(transformer))
    return Own(transformer=fitted, features=features, parts=said["parts"], default=said["default"])


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    """Read one member without unpacking; tar writes names with or without a leading "./"."""
    names = [entry for entry in tar.getnames() if entry.removeprefix("./") == name]
    stream = tar.extractfile(names[0]) if names else None
    if stream is None:
        raise KeyError(name)
    return stream.read()


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")
