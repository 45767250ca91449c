"""Typed rows + candidate -> what its estimator is fitted on and given: the default encoding, the owner's own steps."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.base import clone

from lifecycle import families, search
from lifecycle.spec import Candidate, ModelSpec
from training import encode, estimators, own_steps, predict
from training.own_steps import Own, beside

SMALL_FOREST_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class Inputs:
    """Rows by the default encoding (`default`) and as the owner's transformer takes them (`table`), where there is one.

    `default` is None where the transformer reads every feature.
    """

    default: Any
    table: Any

    def take(self, places: npt.NDArray[np.int64]) -> "Inputs":
        """Return the rows at `places`."""
        return Inputs(
            None if self.default is None else self.default[places],
            None if self.table is None else self.table.iloc[places],
        )


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted estimator, the encoder (plain data) of its input, and the owner's fitted transformer, if any."""

    estimator: Any
    encoder: Mapping[str, Any]
    own: Own | None

    def given(self, rows: Inputs) -> Any:
        """Return what the estimator is given for rows."""
        if self.own is None:
            return rows.default
        return beside(rows.default, self.own.transformer.transform(rows.table))


class ModelInput:
    """How a candidate's rows are prepared; learned from the training rows, but for what each trial fits itself."""

    def __init__(
        self, frame: pl.DataFrame, entry: Candidate, spec: ModelSpec, code: Path, target: npt.NDArray[np.float64]
    ) -> None:
        self._entry, self._spec, self._code = entry, spec, code
        features, layout = spec.contract.features, estimators.layout_of(entry)
        parts = own_steps.parts(spec)
        setting = search.plan_trials(families.space(entry), 1, 0)[0]
        own: Own | None = None
        transformer = None
        default = encode.fit(frame, features, layout, target, parts)
        sample = estimators.build(entry, spec, setting, code, default)
        said = own_steps.chosen(entry, spec) if entry.estimator is None else {}
        named = [(name, kind) for name, kind in features if name in said]
        if own_steps.split(sample)[0] is not None:
            named = list(features)
        elif named:
            transformer = own_steps.transformer(said, named, spec, layout)
        if named:
            read = {name for name, _ in named}
            rest = [entry for entry in default["inputs"] if entry["feature"] not in read]
            default = {**default, "inputs": rest}
            own = Own(transformer=transformer, features=named, parts=parts, default=default)
        self._own, self._encoder, self._sample = own, default, sample

    def of(self, frame: pl.DataFrame) -> Inputs:
        """Return rows in a form from which every trial takes what it is given."""
        if self._own is None:
            return Inputs(predict.inputs(frame, self._encoder, self._sample), None)
        default = predict.inputs(frame, self._encoder, self._sample) if self._encoder["inputs"] else None
        return Inputs(default, self._own.table(frame))

    def fit(
        self, setting: Mapping[str, Any], rows: Inputs, labels: npt.NDArray[Any], weights: Mapping[str, Any]
    ) -> Fit:
        """Return a trial's fit.

        Raises TrainingFailed as `estimators.build` does, ModelRejected for a transformer that cannot be compiled, and
        what the libraries raise on data that they cannot learn from.
        """
        if self._own is None:
            estimator = self._build(setting, self._encoder, len(labels))
            told = estimators.fit_arguments(self._entry, self._encoder)
            return Fit(estimator.fit(rows.default, labels, **weights, **told), self._encoder, None)
        estimator, transformer = None, self._own.transformer
        if transformer is None:
            transformer, estimator = own_steps.split(self._build(setting, self._encoder, len(labels)))
        own = replace(self._own, transformer=clone(transformer))
        # not fit and transform: a target encoder gives training rows what it learned from the others
        made = own.transformer.fit_transform(rows.table, labels)
        encoder = own.encoder(self._sample if estimator is None else estimator)
        if estimator is None:
            estimator = self._build(setting, encoder, len(labels))
        told = estimators.fit_arguments(self._entry, encoder)
        return Fit(estimator.fit(beside(rows.default, made), labels, **weights, **told), encoder, own)

    def _build(self, setting: Mapping[str, Any], encoder: Mapping[str, Any], rows: int) -> Any:
        estimator = estimators.build(self._entry, self._spec, setting, self._code, encoder)
        drawn = min(estimators.FOREST_ROWS, rows // 2)
        if self._entry.family in estimators.FORESTS and self._entry.estimator is None and drawn > SMALL_FOREST_ROWS:
            estimator.set_params(max_samples=drawn)
        return estimator
