"""Preprocessing that the owner chose -> transformers to fit, the encoder that they become, and what they make of rows.

Either model.yaml says it (`lifecycle.preparation`), for some columns or all, or a function of estimators.py returns a
Pipeline that begins with transformers. Both are fitted scikit-learn transformers, compiled by one module
(`training.compile_pipeline`); what nobody chose stays with the default encoding.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

from lifecycle.encoding import CALENDAR, STANDARD
from lifecycle.preparation import NOTHING, Preparation
from lifecycle.spec import Candidate, Kind, ModelSpec, Task
from training import compile_pipeline, pandas_frame, predict
from training.encode import MAX_CATEGORIES

SCALERS = {"standard": StandardScaler, "min-max": MinMaxScaler, "robust": RobustScaler}
TARGETS = {Task.BINARY: "binary", Task.MULTICLASS: "multiclass", Task.REGRESSION: "continuous"}
Features = Sequence[tuple[str, Kind]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """A transformer of the owner's: the `features` that it reads, with `parts` of times; `default` encodes the rest.

    `transformer` is not fitted before the first trial, and None where each trial's Pipeline brings its own.
    """

    transformer: Any
    features: Features
    parts: Mapping[str, Sequence[str]]
    default: Mapping[str, Any]

    def table(self, frame: pl.DataFrame) -> Any:
        """Return what the transformer takes (`training.pandas_frame`)."""
        return pandas_frame.of(frame, self.features, self.parts)

    def encoder(self, estimator: Any) -> dict[str, Any]:
        """Return the encoder of all inputs of `estimator`: the default ones first.

        Raises ModelRejected for a transformer that cannot be compiled.
        """
        columns = list(pandas_frame.names(self.features, self.parts).values())
        layout = self.default["layout"]
        made = compile_pipeline.compiled(self.transformer, columns, estimator, one_hot=layout == STANDARD)
        return {"layout": layout, "inputs": [*self.default["inputs"], *made]}


def beside(default: Any, made: Any) -> Any:
    """Return the estimator's inputs: those of the default encoding (None: there are none), then the transformer's."""
    if default is None or not default.shape[1]:
        return made
    if sparse.issparse(default) or sparse.issparse(made):
        return sparse.hstack([default, made], format="csr")
    return np.hstack([default, made])


def given(frame: pl.DataFrame, encoder: Mapping[str, Any], estimator: Any, own: Own | None) -> Any:
    """Return what a fitted `estimator` is given for the rows of a typed frame."""
    if own is None:
        return predict.inputs(frame, encoder, estimator)
    return beside(predict.inputs(frame, own.default, estimator), own.transformer.transform(own.table(frame)))


def split(estimator: Any) -> tuple[Any, Any]:
    """Return (transformers that a Pipeline begins with, what they feed), or (None, the estimator itself)."""
    if not isinstance(estimator, Pipeline):
        return None, estimator
    *before, last = estimator.steps
    known = 0
    while known < len(before) and compile_pipeline.is_known(before[known][1]):
        known += 1
    if not known:
        return None, estimator
    rest = before[known:]
    return Pipeline(before[:known]), (Pipeline([*rest, last]) if rest else last[1])


def chosen(entry: Candidate, spec: ModelSpec) -> dict[str, Preparation]:
    """Return what model.yaml says of each feature, for a candidate; features that are left to the default are not in.

    The parts of a time alone do not take it out of the default encoding.
    """
    found = {}
    for name, kind in spec.contract.features:
        said = spec.training.prepare.get(name, NOTHING).over(entry.prepare)
        if said.encode if kind is Kind.CATEGORY else said.of_numbers:
            found[name] = said
    return found


def parts(spec: ModelSpec) -> dict[str, Sequence[str]]:
    """Return the parts of each time."""
    said = spec.training.prepare
    times = [name for name, kind in spec.contract.features if kind is Kind.DATETIME]
    return {name: said.get(name, NOTHING).parts or CALENDAR for name in times}


def transformer(said: Mapping[str, Preparation], features: Features, spec: ModelSpec, layout: str) -> ColumnTransformer:
    """Return the unfitted transformer of `features`, of all of which something is said."""
    times = parts(spec)
    steps = []
    for name, kind in features:
        columns = [f"{name}_{part}" for part in times[name]] if kind is Kind.DATETIME else [name]
        made = _of_category(said[name], spec, layout) if kind is Kind.CATEGORY else _of_number(said[name], layout)
        steps.append((name, made, columns))
    return ColumnTransformer(steps, sparse_threshold=0.0)


def _of_number(said: Preparation, layout: str) -> Any:
    impute = said.impute or ("median" if layout == STANDARD or said.indicator else None)
    scale = said.scale or ("standard" if layout == STANDARD else None)
    made = []
    if impute == "none":
        absent = MissingIndicator(error_on_new=False)
        made += [FeatureUnion([("value", "passthrough"), ("absent", absent)])] if said.indicator else []
    elif impute is not None:
        strategy = impute.replace("-", "_")
        fill = said.fill if impute == "constant" else None
        options = {"fill_value": fill, "add_indicator": said.indicator, "keep_empty_features": True}
        made.append(SimpleImputer(strategy=strategy, **options))
    if scale in SCALERS:
        made.append(SCALERS[scale]())
    return make_pipeline(*made) if made else "passthrough"


def _of_category(said: Preparation, spec: ModelSpec, layout: str) -> Any:
    if said.encode == "one-hot":
        rare = {"handle_unknown": "infrequent_if_exist", "max_categories": MAX_CATEGORIES}
        return OneHotEncoder(sparse_output=False, **rare)
    if said.encode == "ordinal":
        encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1)
    else:
        kind = TARGETS[spec.contract.task]
        encoder = TargetEncoder(target_type=kind, random_state=spec.training.seed)
    scale = said.scale or ("standard" if layout == STANDARD else None)
    return make_pipeline(encoder, SCALERS[scale]()) if scale in SCALERS else encoder
