"""Winner, dummy, champion and the other families on one holdout -> the scorecard (docs/architecture.md section 6)."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from lifecycle import metrics
from lifecycle.serverless import LAMBDA, SERVERLESS
from lifecycle.spec import Kind, ModelSpec, Task
from training import measure
from training.candidates import Candidate, Job
from training.champion import Champion
from training.rows import Rows
from training.trials import indices

SCHEMA = 1
SLICE_VALUES = 12
"""A category with at most this many values is sliced in every report; gates may slice any column."""


def build(
    job: Job,
    winner: Candidate,
    others: Mapping[str, Candidate],
    champion: Champion,
    train: Rows,
    parity: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the scorecard, but for `rows` and `failed_families`, which the caller knows."""
    spec, task, labels = job.spec, job.spec.contract.task, winner.labels
    fitted = winner.trained.fitted
    prior = dummy(task, indices(train.labels, list(fitted.classes) if fitted.classes else None), winner.outputs)
    live = None
    if champion.outputs is not None:
        live = measure.all_metrics(task, labels, champion.outputs, champion.threshold, job.costs, spec.objective.money)
    figures = {name: entry.figures for name, entry in others.items()}
    return {
        "schema": SCHEMA,
        "run_id": job.run_id,
        "version": job.version,
        "contract_id": spec.contract.contract_id,
        "spec_id": spec.spec_id,
        "task": str(task),
        "classes": fitted.classes,
        "objective": {"metric": spec.objective.metric, "unit": spec.objective.money and spec.objective.money.unit},
        "winner": {
            "family": fitted.family,
            "job": winner.trained.job,
            "threshold": winner.threshold,
            "parameters": winner.trained.family["parameters"],
        },
        "metrics": {
            "winner": winner.figures,
            "dummy": _of_dummy(job, winner, prior),
            "champion": live,
            **figures,
        },
        "champion": {"run_id": champion.run_id, "compared": live is not None, "reason": champion.reason},
        "comparison": compare(job, winner, champion),
        "slices": sliced(job, winner),
        "calibration": measure.calibration(labels, winner.outputs) if task is Task.BINARY else [],
        "serving": serving(winner),
        "compiled": {
            "sha256": hashlib.sha256(winner.compiled).hexdigest(),
            "bytes": len(winner.compiled),
            "parity": parity,
        },
    }


def serving(winner: Candidate) -> dict[str, Any]:
    """Return who scores the winner, and, if an endpoint does, why and the archive that it serves."""
    if winner.remote is None:
        return {"target": LAMBDA, "reason": None, "endpoint": None}
    archive = winner.remote.archive
    found = {"sha256": hashlib.sha256(archive).hexdigest(), "bytes": len(archive)}
    return {"target": SERVERLESS, "reason": winner.remote.reason, "endpoint": found}


def dummy(task: Task, train: npt.NDArray[Any], like: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return what a model that ignores its input answers: class shares or the mean of the training rows."""
    if task is Task.MULTICLASS:
        return np.tile(np.bincount(train, minlength=like.shape[1]) / len(train), (len(like), 1))
    return np.full(len(like), float(train.mean()))


def _of_dummy(job: Job, winner: Candidate, prior: npt.NDArray[np.float64]) -> dict[str, float | None]:
    """The dummy's figures; in money it is the better of always and never deciding positively."""
    task, money = job.spec.contract.task, job.spec.objective.money
    found = measure.all_metrics(task, winner.labels, prior, winner.threshold, job.costs)
    if money is None:
        return found
    constant = (np.full(len(prior), decided) for decided in (True, False))
    best = max(float(measure.earned(money, winner.labels, decided).mean()) for decided in constant)
    return {**found, metrics.MONEY: best}


def compare(job: Job, winner: Candidate, champion: Champion) -> dict[str, Any] | None:
    """Return the paired bootstrap of the objective against the live model, or None without one."""
    if champion.outputs is None:
        return None
    task, objective = job.spec.contract.task, job.spec.objective
    ours, theirs = (
        measure.objective_losses(objective, task, winner.labels, outputs, threshold)
        for outputs, threshold in ((winner.outputs, winner.threshold), (champion.outputs, champion.threshold))
    )
    return measure.bootstrap(objective.metric, ours, theirs, job.spec.gates.confidence, job.spec.training.seed)


def sliced(job: Job, winner: Candidate) -> list[dict[str, Any]]:
    """Return the loss in each slice: the columns that gates name, and every category of few values."""
    spec, frame = job.spec, job.holdout.frame
    task = spec.contract.task
    gated = {gate.column for gate in spec.gates.slices if gate.column in frame.columns}
    losses = {metrics.DEFAULT[task], spec.objective.metric, *(g.metric for g in spec.gates.slices)} & set(
        metrics.OF_SLICES[task]
    )
    kinds = dict(spec.contract.features)
    few = {name for name, kind in kinds.items() if kind is Kind.CATEGORY and _is_open(spec, name)}
    few = {name for name in few if frame[name].n_unique() <= SLICE_VALUES}
    values = {name: _texts(job.holdout, name, _is_open(spec, name)) for name in sorted(gated | few)}
    rows = {name: measure.row_losses(task, winner.labels, winner.outputs, name) for name in sorted(losses)}
    return measure.slices(values, rows)


def _is_open(spec: ModelSpec, name: str) -> bool:
    column = spec.contract.by_name.get(name)
    return column is None or not column.private


def _texts(rows: Rows, name: str, is_open: bool) -> list[str | None]:
    """A column's values as text; those of a private column are numbered instead of shown."""
    values = [None if value is None else str(value) for value in rows.frame[name].to_list()]
    if is_open:
        return values
    numbers = {value: f"private value {i + 1}" for i, value in enumerate(sorted({v for v in values if v is not None}))}
    return [None if value is None else numbers[value] for value in values]
