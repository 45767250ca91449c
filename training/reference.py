"""Training rows, holdout and winner -> reference.json: what live rows are held against (`lifecycle.reference`)."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from lifecycle.reference import ColumnReference, Reference
from lifecycle.scoring import CompiledModel
from lifecycle.spec import Kind, ModelSpec, Task
from tabular.reference import column_reference, column_references
from training import importance, measure, swings
from training.candidates import Candidate, Job
from training.measure import Numbers
from training.rows import Rows

RESAMPLES: Final = 1_000
GROUPS: Final = 2_000
"""Of more rows than this, groups of equally many rows are drawn instead: as good for a mean, and as quick."""


def of(job: Job, train: Rows, winner: Candidate, model: CompiledModel) -> bytes:
    """Return the file's bytes."""
    contract = job.spec.contract
    weights = importance.of_columns(model, contract, job.holdout.raw)
    rules = job.spec.monitoring
    columns = swings.of_columns(column_references(train.raw, contract), train.raw, contract, rules)
    given = scores(contract.task, winner.outputs, winner.trained.fitted.classes)
    found = Reference(
        rows=len(train),
        columns={name: replace(column, importance=weights[name]) for name, column in columns.items()},
        scores=swings.of_scores(score_reference(given), given, job.holdout.raw, contract, rules),
        quality=quality(job.spec, winner, job.holdout.raw),
    )
    return json.dumps(found.to_plain(), ensure_ascii=False, allow_nan=False).encode()


def scores(task: Task, outputs: Numbers, classes: Sequence[str] | None) -> pl.Series:
    """Return the holdout's scores: probability of the positive class, likeliest class, or value."""
    if task is Task.MULTICLASS:
        assert classes is not None, "a multi-class model has classes"
        decided = np.asarray(classes, dtype=object)[outputs.argmax(axis=1)]
        return pl.Series("score", decided.tolist(), dtype=pl.String)
    return pl.Series("score", outputs)


def score_reference(given: pl.Series) -> ColumnReference:
    """Return the bins of scores."""
    return column_reference(given, Kind.CATEGORY if given.dtype == pl.String else Kind.NUMBER)


def quality(spec: ModelSpec, winner: Candidate, holdout: pl.DataFrame) -> dict[str, Any]:
    """Return the objective on the holdout, its interval, of the confidence that the gates ask for, and its swing."""
    objective = spec.objective
    losses = measure.objective_losses(objective, spec.contract.task, winner.labels, winner.outputs, winner.threshold)
    resampled = [objective.from_mean(mean) for mean in means(losses, spec.training.seed).tolist()]
    outside = (1 - spec.gates.confidence) / 2
    low, high = np.quantile(resampled, [outside, 1 - outside]).tolist()
    return {
        "metric": objective.metric,
        "value": objective.from_mean(float(losses.mean())),
        "low": low,
        "high": high,
        "rows": len(losses),
        "confidence": spec.gates.confidence,
        "swing": swings.of_quality(losses, holdout, spec),
    }


def means(losses: Numbers, seed: int) -> Numbers:
    """Return the means of `RESAMPLES` resamples of the rows (percentile bootstrap)."""
    rng = np.random.default_rng(seed)
    values: npt.NDArray[np.float64] = losses
    if len(losses) > GROUPS:
        values = np.array([part.mean() for part in np.array_split(rng.permutation(losses), GROUPS)])
    drawn = rng.integers(0, len(values), size=(RESAMPLES, len(values)))
    found: Numbers = values[drawn].mean(axis=1)
    return found
