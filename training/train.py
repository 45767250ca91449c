"""Entry point of a training job: one family, its trials, its model folder.

python -m training.train --root /opt/ml
"""

import argparse
import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

from training import failure, vendored
from training.paths import TrainingPaths

CODE = Path(__file__).resolve().parents[1]


def main(arguments: list[str] | None = None) -> int:
    """Run the job and return its exit code."""
    parser = argparse.ArgumentParser(prog="training.train", description="Train one candidate family.")
    parser.add_argument("--root", type=Path, required=True, help="the job's root folder (/opt/ml)")
    parser.add_argument("--code", type=Path, default=CODE, help="folder with the spec and the user's code")
    options = parser.parse_args(arguments)
    paths = TrainingPaths(options.root)
    return failure.run(lambda: train(paths, options.code), paths.failure)


def train(paths: TrainingPaths, code: Path) -> None:
    """Train the family that the hyperparameters name and leave its model folder.

    The hyperparameter `parameters`, a JSON object, asks for one trial with these values instead of a search: an
    experiment's. Raises TrainingFailed, SpecRejected or DatasetRejected with the reason.
    """
    started = time.perf_counter()
    vendored.add(paths.channel("wheels"), "polars")
    # late: these need the vendored wheels
    from lifecycle import families
    from lifecycle.errors import TrainingFailed
    from lifecycle.spec import ModelSpec
    from lifecycle.split import Side
    from training import artefact, rows, threads, trials

    log = logging.getLogger(__name__)
    told = hyperparameters(paths.hyperparameters)
    spec = ModelSpec.find(code)
    if told["spec_id"] != spec.spec_id:
        raise TrainingFailed(f"the job was started for spec {told['spec_id'][:12]}, its code holds {spec.spec_id[:12]}")
    entry = families.candidate(spec, told["family"])
    if "parameters" in told:
        entry = families.settled(entry, given_parameters(told["parameters"]))
    for package in families.packages(spec):
        vendored.add(paths.channel("wheels"), package)
    limited = threads.limit()
    data = rows.load(spec, paths.channel("data"), paths.channel("manifest"))
    counts = {side.name.lower(): int((data.sides == side).sum()) for side in Side}
    log.info("%s: %s rows, %d threads", entry.family, counts, limited)
    outcome = trials.run(data, entry, spec, code)
    facts = {
        "run_id": told["run_id"],
        "version": told["version"],
        "spec_id": spec.spec_id,
        "rows": {**counts, "unlabelled": data.unlabelled, "invalid": data.invalid},
        "seed": spec.training.seed,
        "threads": limited,
        "seconds": round(time.perf_counter() - started, 3),
    }
    artefact.save(paths.model, outcome, facts)
    log.info("%s done in %.1f s: %s", entry.family, facts["seconds"], outcome.parameters)


def hyperparameters(path: Path) -> dict[str, str]:
    """Return the job's hyperparameters: texts, or JSON-encoded texts as the SageMaker SDK writes them."""
    raw = json.loads(path.read_bytes())
    return {name: json.loads(text) if text.startswith('"') else text for name, text in raw.items()}


def given_parameters(text: str) -> dict[str, Any]:
    """Return the values of a trial that an experiment asks for. Raises TrainingFailed when `text` is no JSON object."""
    from lifecycle.errors import TrainingFailed  # late, as in train

    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise TrainingFailed(f"the hyperparameter `parameters` must be a JSON object of values, not {text[:100]!r}")
    return given


if __name__ == "__main__":
    sys.exit(main())
