"""The live model on the new holdout: its answers, or the reason why it cannot be compared."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lifecycle import evaluation
from lifecycle.errors import LifecycleError
from lifecycle.spec import ModelSpec, Task
from training.candidates import loaded
from training.rows import Rows, named_rows

MODEL_FILE = "champion.model.json"
ARCHIVE = "champion.endpoint.tar.gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Champion:
    """What the live model answers on the holdout, shaped as our own outputs; or `reason`, why there is nothing."""

    run_id: str | None
    reason: str | None
    threshold: float | None = None
    outputs: npt.NDArray[np.float64] | None = None


def score(inputs: Path, spec: ModelSpec, code: Path, classes: list[str] | None, holdout: Rows) -> Champion:
    """Return the live model's answers on the holdout rows."""
    path = inputs / MODEL_FILE
    if not path.is_file():
        said = json.loads((inputs / "champion.json").read_bytes()) if (inputs / "champion.json").is_file() else {}
        return Champion(run_id=None, reason=said.get("reason") or "no model is live")
    try:
        archive = inputs / ARCHIVE
        model = loaded(path.read_bytes(), code, archive.read_bytes() if archive.is_file() else None)
        run_id = model.ids.get("run_id")
        reason = evaluation.why_not_comparable(model.contract, spec.contract)
        if reason is None and set(model.classes or ()) != set(classes or ()):
            reason = f"the live model knows the classes {model.classes}, this one {classes}"
        if reason is not None:
            return Champion(run_id=run_id, reason=reason)
        outputs = np.array(model.outputs(list(named_rows(holdout.raw))))
    except LifecycleError as error:
        return Champion(run_id=None, reason=f"the live model cannot score these rows: {error}")
    if spec.contract.task is Task.MULTICLASS and model.classes is not None and classes is not None:
        outputs = outputs[:, [model.classes.index(text) for text in classes]]
    else:
        outputs = outputs[:, 0]
    return Champion(run_id=run_id, reason=None, threshold=model.threshold, outputs=outputs)
