"""Rows + candidate -> the family's best model: seeded trials with successive halving, every trial on record."""

import logging
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lifecycle import families, metrics, search
from lifecycle.errors import TrainingFailed
from lifecycle.spec import Candidate, Kind, ModelSpec, Task
from lifecycle.split import Side
from tabular.convert import TRUE
from training import encode, measure, predict
from training.compile import Fitted
from training.model_input import Fit, Inputs, ModelInput
from training.rows import Rows

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The best trial of a family (`fitted`), its hyperparameters and validation metrics, and all trials."""

    fitted: Fitted
    parameters: Mapping[str, Any]
    metric: str
    validation: Mapping[str, float | None]
    trials: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Data:
    """One side of the split."""

    inputs: Inputs
    labels: npt.NDArray[Any]
    weights: npt.NDArray[np.float64] | None


def classes_of(labels: npt.NDArray[Any], spec: ModelSpec) -> list[str] | None:
    """Return the class texts, the positive one last (None for regression).

    Raises TrainingFailed when the training rows do not hold exactly two (binary) or at least two classes.
    """
    task, positive = spec.contract.task, spec.contract.positive
    if positive is not None and spec.contract.by_name[spec.contract.target].kind is Kind.BOOLEAN:
        positive = "true" if positive.strip().lower() in TRUE else "false"
    if task is Task.REGRESSION:
        return None
    found = sorted(set(labels.tolist()))
    if task is Task.MULTICLASS and len(found) >= 2:
        return found
    if task is Task.BINARY and len(found) == 2 and (positive is None or positive in found):
        last = positive or found[-1]
        return [*[text for text in found if text != last], last]
    wanted = "two or more classes" if task is Task.MULTICLASS else f"two classes, one of them {positive!r}"
    raise TrainingFailed(
        f"the training rows hold {len(found)} classes {found[:10]} of {spec.contract.target}, not {wanted}"
    )


def indices(labels: npt.NDArray[Any], classes: list[str] | None) -> npt.NDArray[Any]:
    """Return each label's place in `classes` (-1 when it has none), or the numbers themselves for regression."""
    if classes is None:
        return labels.astype(np.float64)
    places = {text: place for place, text in enumerate(classes)}
    return np.array([places.get(text, -1) for text in labels.tolist()], dtype=np.int64)


def run(rows: Rows, entry: Candidate, spec: ModelSpec, code: Path) -> Outcome:
    """Train and compare the trials of one candidate.

    Raises TrainingFailed when no trial can be fitted; the message carries the first trial's reason.
    """
    train, validation = (rows.of(side).with_features(spec, code) for side in (Side.TRAIN, Side.VALIDATION))
    classes = classes_of(train.labels, spec)
    labels = indices(train.labels, classes)
    ordered = labels if classes is None or len(classes) == 2 else labels == np.bincount(labels).argmax()
    target = np.asarray(ordered, dtype=np.float64)
    model_input = ModelInput(train.frame, entry, spec, code, target)
    data = [
        _Data(model_input.of(part.frame), indices(part.labels, classes), part.weights) for part in (train, validation)
    ]
    halving = _Halving(entry, spec, model_input, classes)
    best, fit, result = halving.run(families.space(entry), data[0], data[1])
    learned = {c.name for c in spec.contract.inputs if c.kind is Kind.CATEGORY and c.categories is None}
    fitted = Fitted(
        family=entry.family,
        estimator=fit.estimator,
        encoder=fit.encoder,
        classes=classes,
        learned=encode.learned(train.frame, sorted(learned & set(train.frame.columns))),
        own=fit.own,
    )
    return Outcome(fitted=fitted, parameters=best, metric=halving.metric, validation=result, trials=halving.trials)


class _Halving:
    """Runs the plan of `lifecycle.search` and keeps the record."""

    def __init__(self, entry: Candidate, spec: ModelSpec, model_input: ModelInput, classes: list[str] | None) -> None:
        self.entry, self.spec, self.model_input = entry, spec, model_input
        self.task = spec.contract.task
        self.classes = len(classes or ())
        self.metric = spec.training.metric or metrics.DEFAULT[self.task]
        self.trials: list[dict[str, Any]] = []

    def run(
        self, space: families.Space, train: _Data, validation: _Data
    ) -> tuple[dict[str, Any], Fit, dict[str, float | None]]:
        """Return hyperparameters, what was fitted, and validation metrics of the best trial."""
        settings = search.plan_trials(space, self.spec.training.trials, self.spec.training.seed)
        order = self._order(train.labels)
        left = list(range(len(settings)))
        finished: dict[int, tuple[Fit, dict[str, float | None]]] = {}
        for step, rung in enumerate(search.plan_rungs(len(order), len(settings))):
            places = np.sort(order[: rung.rows])
            finished, losses = {}, {}
            for trial in left[: rung.trials]:
                done = self._try(trial, step, settings[trial], (train, places), validation)
                if done is not None:
                    finished[trial] = done
                    losses[trial] = metrics.as_loss(self.metric, done[1].get(self.metric))
            left = search.survivors(losses, len(losses))
            if not left:
                raise TrainingFailed(f"{self.entry.family}: no trial could be fitted: {self.trials[0]['error']}")
        return settings[left[0]], *finished[left[0]]

    def _order(self, labels: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Rows in the seeded order in which rungs take them; one row of each class comes first."""
        order = np.random.default_rng(self.spec.training.seed).permutation(len(labels))
        if self.task is Task.REGRESSION:
            return order
        _, first = np.unique(labels[order], return_index=True)
        return np.concatenate([order[first], np.delete(order, first)])

    def _try(
        self,
        trial: int,
        step: int,
        setting: dict[str, Any],
        train: tuple[_Data, npt.NDArray[np.int64]],
        validation: _Data,
    ) -> tuple[Fit, dict[str, float | None]] | None:
        data, places = train
        record: dict[str, Any] = {"trial": trial, "rung": step, "rows": len(places), "parameters": setting}
        started = time.perf_counter()
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                fit = self.model_input.fit(setting, data.inputs.take(places), data.labels[places], _taken(data, places))
                scored = predict.outputs(fit.estimator, fit.given(validation.inputs), self.task, self.classes)
        except (ValueError, TypeError, ArithmeticError, np.linalg.LinAlgError, MemoryError) as error:
            record |= {"error": f"{type(error).__name__}: {error}"[:300]}
            self.trials.append(record)
            log.info("%s trial %d failed: %s", self.entry.family, trial, record["error"])
            return None
        wanted = {*metrics.OF_TASK[self.task], self.metric} - {metrics.F1, metrics.COST_LOSS, metrics.MONEY}
        found = {name: measure.metric(self.task, name, validation.labels, scored) for name in sorted(wanted)}
        record |= {"metrics": found, "seconds": round(time.perf_counter() - started, 3)}
        if caught:
            record["warnings"] = sorted({f"{w.category.__name__}: {w.message}"[:200] for w in caught})
        self.trials.append(record)
        shown = "nothing" if found[self.metric] is None else f"{found[self.metric]:.5f}"
        log.info(
            "%s trial %d, %d rows: %s = %s; (%.2f s)",
            *(self.entry.family, trial, len(places), self.metric, shown, record["seconds"]),
        )
        return fit, found


def _taken(data: _Data, places: npt.NDArray[np.int64]) -> dict[str, Any]:
    return {} if data.weights is None else {"sample_weight": data.weights[places]}
