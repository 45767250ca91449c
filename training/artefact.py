"""A trained family <-> its model folder: estimator.joblib (stock classes only), family.json, trials.json."""

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
from training.compile import Fitted
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
    )
    return Trained(job=job, fitted=fitted, family=family, trials=trials)


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    """Read one member without unpacking; tar writes names with or without a leading "./"."""
    names = [entry for entry in tar.getnames() if entry.removeprefix("./") == name]
    stream = tar.extractfile(names[0]) if names else None
    if stream is None:
        raise KeyError(name)
    return stream.read()


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")
