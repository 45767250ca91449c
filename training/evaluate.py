"""Entry point of the processing job: all families of a run on one holdout, the winner compiled and proven.

python -m training.evaluate --root /opt/ml --run-id RUN --version DATA_VERSION
"""

import argparse
import json
import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training import failure, vendored
from training.paths import ProcessingPaths

CODE = Path(__file__).resolve().parents[1]


def main(arguments: list[str] | None = None) -> int:
    """Run the job and return its exit code."""
    parser = argparse.ArgumentParser(prog="training.evaluate", description="Compare and compile the families of a run.")
    parser.add_argument("--root", type=Path, required=True, help="the job's root folder (/opt/ml)")
    parser.add_argument("--run-id", required=True)
    parser.add_argument("--version", required=True, help="id of the data version")
    parser.add_argument("--code", type=Path, default=CODE, help="folder with the spec and the user's code")
    options = parser.parse_args(arguments)
    paths = ProcessingPaths(options.root)
    return failure.run(lambda: evaluate(paths, options.code, options.run_id, options.version), paths.message)


def evaluate(paths: ProcessingPaths, code: Path, run_id: str, version: str) -> None:
    """Leave scorecard, report, card, baseline, reference, trials, the winner's compiled model, rows to probe it with.

    Raises TrainingFailed with every family's reason when none can be used.
    """
    vendored.add(paths.input("wheels"), "polars")
    # late: these need the vendored wheels
    from lifecycle import families
    from lifecycle.spec import ModelSpec, contract_to_plain
    from lifecycle.split import Side
    from training import baseline, candidates, champion, probe, reference, report, rows, scorecard, threads

    log = logging.getLogger(__name__)
    threads.limit()
    spec = ModelSpec.find(code)
    for package in ("skops", *families.packages(spec)):
        vendored.add(paths.input("wheels"), package)
    data = rows.load(spec, paths.input("data"), paths.input("manifest"))
    validation, holdout = (data.of(side).with_features(spec, code) for side in (Side.VALIDATION, Side.HOLDOUT))
    job = candidates.Job(spec=spec, code=code, run_id=run_id, version=version, validation=validation, holdout=holdout)
    train = data.of(Side.TRAIN)
    archives, failed = candidates.load_all(paths.input("candidates"), spec, code)
    usable = candidates.evaluate_all(archives, job, failed)
    winner, model, parity = candidates.choose(usable, job, failed)
    classes = list(winner.trained.fitted.classes) if winner.trained.fitted.classes else None
    live = champion.score(paths.input("inputs"), spec, code, classes, job.holdout)
    counts = {side.name.lower(): int((data.sides == side).sum()) for side in Side}
    card = {
        **scorecard.build(job, winner, usable, live, train, parity),
        "rows": {**counts, "unlabelled": data.unlabelled, "invalid": data.invalid},
        "failed_families": failed,
    }
    trials = {entry.fitted.family: entry.trials for entry in archives}
    known = {"baseline.json": baseline.of(train, spec.contract)}
    known["reference.json"] = reference.of(job, train, winner, model)
    out = _written(paths.evaluation, {**winner.files, **known})
    _write(out / "scorecard.json", card)
    _write(out / "trials.json", trials)
    _write(out / "probe.json", probe.recorded(model, job.holdout.raw))
    (out / "report.html").write_text(report.html(card, trials, spec.model), encoding="utf-8")
    (out / "card.md").write_text(report.markdown(card, spec.model, contract_to_plain(spec.contract)), encoding="utf-8")
    log.info("winner: %s; %d families cannot be used", winner.trained.fitted.family, len(failed))


def _written(folder: Path, files: Mapping[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def _write(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
