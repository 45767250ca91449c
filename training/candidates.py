"""Model archives + holdout -> each family's figures, and the first one whose compiled form equals it on every row."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.exceptions import NotFittedError

from lifecycle import evaluation, families, metrics, user_code
from lifecycle.errors import LifecycleError, ModelRejected, TrainingFailed
from lifecycle.gate import PARITY
from lifecycle.scoring import CompiledModel
from lifecycle.serverless import SERVERLESS
from lifecycle.spec import Decision, ModelSpec, Task
from training import artefact, endpoint, measure, own_steps, predict
from training.artefact import Trained
from training.compile import Fitted, compile_model, estimator_data
from training.rows import Rows, named_rows
from training.trials import indices

ASKED_FOR = "model.yaml says serving.target: serverless"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """What an endpoint serves of a family, and why one has to."""

    archive: bytes
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A family on the holdout: answers, threshold (binary), figures, compiled file, and what an endpoint serves."""

    trained: Trained
    threshold: float | None
    labels: npt.NDArray[Any]
    outputs: npt.NDArray[np.float64]
    figures: Mapping[str, float | None]
    compiled: bytes
    remote: Remote | None = None

    @property
    def files(self) -> dict[str, bytes]:
        """What serves the family, by file name."""
        archive = {endpoint.FILE: self.remote.archive} if self.remote else {}
        return {"compiled.json": self.compiled, **archive}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What the evaluation of one run works with."""

    spec: ModelSpec
    code: Path
    run_id: str
    version: str
    validation: Rows
    holdout: Rows

    @property
    def costs(self) -> tuple[float, float] | None:
        """Costs of a false positive and of a false negative, when the spec names any."""
        decision = self.spec.decision
        if decision.false_positive is None and decision.false_negative is None:
            return None
        return decision.false_positive or 0.0, decision.false_negative or 0.0


def load_all(folder: Path, spec: ModelSpec, code: Path) -> tuple[list[Trained], list[dict[str, str]]]:
    """Return (families whose archive is there, reasons of the others), in the spec's order."""
    for name in {c.estimator.partition(":")[0] for c in families.candidates(spec) if c.estimator}:
        # joblib finds the user's classes by name; without them only the family that has such classes fails
        with suppress(LifecycleError):
            user_code.load(code / f"{name}.py", spec.estimators_sha256 or "")
    found: dict[str, Trained] = {}
    failed = []
    for archive in sorted(folder.glob("*/output/model.tar.gz")):
        job = archive.parent.parent.name
        try:
            trained = artefact.load(archive, job)
        except (TrainingFailed, AttributeError, ImportError) as error:
            failed.append({"family": job, "reason": str(error)})
        else:
            found[trained.fitted.family] = trained
    wanted = [entry.family for entry in families.candidates(spec)]
    for family in wanted:
        if family not in found and not any(family in entry["family"] for entry in failed):
            failed.append({"family": family, "reason": "its training job left no model; its failure reason says why"})
    return [found[family] for family in wanted if family in found], failed


def evaluate(trained: Trained, job: Job) -> Candidate:
    """Return a family's figures on the holdout and what serves it (not yet proven equal).

    Raises ModelRejected when the family can be neither compiled nor given to an endpoint, TrainingFailed when it cannot
    be scored.
    """
    task, fitted = job.spec.contract.task, trained.fitted
    sides = []
    for rows in (job.validation, job.holdout):
        labels = indices(rows.labels, list(fitted.classes) if fitted.classes else None)
        try:
            matrix = own_steps.given(rows.frame, fitted.encoder, fitted.estimator, fitted.own)
            sides.append((labels, predict.outputs(fitted.estimator, matrix, task, len(fitted.classes or ()))))
        except (ValueError, TypeError, AttributeError, NotFittedError, pl.exceptions.PolarsError) as error:
            raise TrainingFailed(f"{fitted.family} cannot be scored: {type(error).__name__}: {error}") from error
    (labels, outputs), threshold = sides[1], _threshold(task, sides[0], job.spec.decision)
    remote, estimator = _served(fitted, job.spec)
    return Candidate(
        trained=trained,
        threshold=threshold,
        labels=labels,
        outputs=outputs,
        figures=measure.all_metrics(task, labels, outputs, threshold, job.costs, job.spec.objective.money),
        compiled=compile_model(fitted, job.spec, threshold, job.run_id, job.version, estimator),
        remote=remote,
    )


def _served(fitted: Fitted, spec: ModelSpec) -> tuple[Remote | None, dict[str, Any]]:
    """Return what an endpoint serves of a family, if one has to, and what stands as the estimator in its file."""
    try:
        if spec.serving.target != SERVERLESS:
            return None, estimator_data(fitted, spec.contract.task)
        reason = ASKED_FOR
    except ModelRejected as error:
        reason = str(error)
    remote = Remote(archive=endpoint.archive(fitted, spec.contract.task), reason=reason)
    return remote, endpoint.estimator_data(fitted.estimator)


def evaluate_all(archives: Sequence[Trained], job: Job, failed: list[dict[str, str]]) -> dict[str, Candidate]:
    """Return the families that could be scored and compiled; reasons of the others are added to `failed`."""
    candidates = {}
    for trained in archives:
        try:
            candidates[trained.fitted.family] = evaluate(trained, job)
        except LifecycleError as error:
            failed.append({"family": trained.fitted.family, "reason": f"{type(error).__name__}: {error}"})
    return candidates


def choose(
    candidates: dict[str, Candidate], job: Job, failed: list[dict[str, str]]
) -> tuple[Candidate, CompiledModel, dict[str, Any]]:
    """Return the winner, its compiled model and the parity proof.

    Families are ranked by their validation figure, so that the holdout stays unseen until the gate reads it; the first
    one that equals its compiled form on every holdout row wins. Those that do not are moved to `failed`.
    Raises TrainingFailed, listing the reasons, when none is left.
    """
    metric = job.spec.training.metric or metrics.DEFAULT[job.spec.contract.task]
    inputs = [column.name for column in job.spec.contract.inputs]
    figures = {name: entry.trained.family["validation"].get(metric) for name, entry in candidates.items()}
    for name in evaluation.ranking(figures, metric):
        candidate = candidates[name]
        try:
            model = loaded(candidate.compiled, job.code, candidate.remote.archive if candidate.remote else None)
            return candidate, model, prove(model, candidate, job.holdout.raw.select(inputs))
        except LifecycleError as error:
            failed.append({"family": name, "reason": f"{type(error).__name__}: {error}"})
            del candidates[name]
    reasons = "; ".join(f"{entry['family']}: {entry['reason']}" for entry in failed)
    raise TrainingFailed(f"no candidate family can be used. {reasons}")


def loaded(compiled: bytes, code: Path, archive: bytes | None) -> CompiledModel:
    """Return a model that can be scored here; `archive` is that of its endpoint, if one serves it."""
    model = CompiledModel.load(compiled, code)
    if archive is not None:
        model.ask = endpoint.served(archive)
    return model


def prove(model: CompiledModel, candidate: Candidate, inputs: pl.DataFrame) -> dict[str, Any]:
    """Return the parity of a compiled model with the fitted one on every row of the contract's (typed) inputs.

    Differences are relative to the size of the outputs where that exceeds 1 (regression).
    Raises ModelRejected, naming the row and both numbers, when one differs by more than 1e-12.
    """
    expected = candidate.outputs.reshape(len(candidate.outputs), -1)
    found = np.array(model.outputs(list(named_rows(inputs)), typed=True)).reshape(expected.shape)
    usual = float(np.abs(expected).mean()) if expected.size else 0.0
    difference = np.abs(found - expected) / np.maximum(np.abs(expected), max(1.0, usual))
    difference[np.isnan(difference)] = np.inf
    worst = float(difference.max()) if expected.size else 0.0
    if worst > PARITY:
        row = int(difference.max(axis=1).argmax())
        raise ModelRejected(
            f"{candidate.trained.fitted.family}: compiled and fitted model differ on holdout row {row}: "
            f"{found[row].tolist()} and {expected[row].tolist()}"
        )
    equal = int((found == expected).all(axis=1).sum())
    log.info("parity: %d of %d rows equal to the bit, worst difference %.3g", equal, len(expected), worst)
    return {"rows": len(expected), "equal": equal, "worst": worst}


def _threshold(
    task: Task, validation: tuple[npt.NDArray[Any], npt.NDArray[np.float64]], decision: Decision
) -> float | None:
    if task is not Task.BINARY:
        return None
    labels, scores = validation
    return evaluation.choose_threshold(scores.tolist(), (labels == 1).astype(int).tolist(), decision)
