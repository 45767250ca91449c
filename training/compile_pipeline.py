"""Fitted scikit-learn preprocessing -> inputs of an encoder (docs/compiled-format.md) that make the same numbers.

Every transformer that is known takes columns and gives columns (`training.column_steps`), as the fitted one does; what
is not known, or would refuse rows, is refused here by name.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.utils import get_tags

from lifecycle.errors import ModelRejected
from training import compile_encoders
from training.column_steps import Column, inputs_of, is_nan

Columns = list[Column]


def compiled(
    transformer: Any, columns: Sequence[Column], estimator: Any, *, one_hot: bool = True
) -> list[dict[str, Any]]:
    """Return encoder inputs for what `transformer` makes of `columns`; `estimator` says whether NaN may reach it.

    `one_hot` says that zeros and ones of a category may become a category input (layout "standard").

    Raises
    ------
    ModelRejected
        naming the transformer that cannot be compiled, or the column that a setting of its would refuse.
    """
    made, _ = _through(transformer, list(columns), sparse_input=False)
    return inputs_of(made, nan_is_fine=bool(get_tags(estimator).input_tags.allow_nan), one_hot=one_hot)


def is_known(transformer: Any) -> bool:
    """Return whether a transformer is of a class that can be compiled; what it is made of may still not be."""
    return transformer is None or isinstance(transformer, str) or type(transformer) in RULES


def _through(transformer: Any, columns: Columns, *, sparse_input: bool) -> tuple[Columns, bool]:
    """Return (columns after a fitted transformer, whether it hands them on as a sparse matrix)."""
    if transformer is None or isinstance(transformer, str):
        return ([] if transformer == "drop" else columns), sparse_input
    rule = RULES.get(type(transformer))
    if rule is None:
        raise ModelRejected(
            f"{type(transformer).__name__} cannot be compiled; as preprocessing "
            f"{', '.join(sorted(known.__name__ for known in RULES))} can. What needs other code belongs in features.py"
        )
    return rule(transformer, columns, sparse_input)


def _pipeline(pipeline: Pipeline, columns: Columns, sparse_input: bool) -> tuple[Columns, bool]:
    for _, step in pipeline.steps:
        columns, sparse_input = _through(step, columns, sparse_input=sparse_input)
    return columns, sparse_input


def _by_column(transformer: ColumnTransformer, columns: Columns, sparse_input: bool) -> tuple[Columns, bool]:
    weights = transformer.transformer_weights or {}
    found: list[tuple[int, Columns]] = []
    for name, fitted, _ in transformer.transformers_:
        places = transformer.output_indices_[name]
        if places.stop == places.start:
            continue
        chosen = [columns[i] for i in transformer._transformer_to_input_indices[name]]
        made, _ = _through(fitted, chosen, sparse_input=sparse_input)
        if len(made) != places.stop - places.start:
            raise ModelRejected(f"{name} makes {places.stop - places.start} columns where {len(made)} were expected")
        found.append((places.start, _weighted(made, weights.get(name))))
    ordered = [column for _, made in sorted(found, key=lambda part: part[0]) for column in made]
    return ordered, bool(transformer.sparse_output_)


def _union(union: FeatureUnion, columns: Columns, sparse_input: bool) -> tuple[Columns, bool]:
    weights = union.transformer_weights or {}
    made: Columns = []
    is_sparse = False
    for name, fitted in union.transformer_list:
        if fitted != "drop":
            part, part_is_sparse = _through(fitted, columns, sparse_input=sparse_input)
            made += _weighted(part, weights.get(name))
            is_sparse = is_sparse or part_is_sparse
    return made, is_sparse


def _weighted(columns: Columns, weight: float | None) -> Columns:
    return columns if weight is None else [column.then("multiply", weight) for column in columns]


def _nothing(transformer: FunctionTransformer, columns: Columns, sparse_input: bool) -> tuple[Columns, bool]:
    if transformer.func is not None:
        name = getattr(transformer.func, "__name__", str(transformer.func))
        raise ModelRejected(f"FunctionTransformer({name}) cannot be compiled; compute such values in features.py")
    return columns, sparse_input


def _imputer(imputer: SimpleImputer, columns: Columns, sparse_input: bool) -> tuple[Columns, bool]:
    made = []
    for column, fill in zip(columns, imputer.statistics_, strict=True):
        dropped = not imputer.keep_empty_features and is_nan(fill)
        if not dropped:
            made.append(_filled(column, imputer.missing_values, fill))
    if imputer.add_indicator:
        made += [_is_missing(columns[i], imputer.missing_values) for i in imputer.indicator_.features_]
    return made, sparse_input


def _indicator(indicator: MissingIndicator, columns: Columns, sparse_input: bool) -> tuple[Columns, bool]:
    if indicator.features == "missing-only" and indicator.error_on_new:
        raise ModelRejected("MissingIndicator would refuse rows; say error_on_new=False or features='all'")
    return [_is_missing(columns[i], indicator.missing_values) for i in indicator.features_], sparse_input


def _filled(column: Column, missing: Any, fill: Any) -> Column:
    if column.is_text:
        if missing is None or not (is_nan(missing) or isinstance(missing, str)):
            return column  # a missing text is NaN, so nothing equals it
        return column.filled(None if is_nan(missing) else missing, fill)
    if isinstance(fill, str):
        raise ModelRejected(f"{column.feature} is a number; SimpleImputer must not fill it with {fill!r}")
    if is_nan(missing):
        return column.then("fill", fill)
    return column.then("required").then("replace", missing, fill) if _is_number(missing) else column


def _is_missing(column: Column, missing: Any) -> Column:
    if not column.is_text:
        if is_nan(missing):
            return column.then("missing")
        if _is_number(missing):
            return column.then("required").then("equal", missing)
        return column.then("multiply", 0).then("fill", 0)
    known = [missing] if isinstance(missing, str) else []
    return column.looked_up(known, lambda value: float(is_nan(value) if is_nan(missing) else value == missing))


def _standard(scaler: StandardScaler, columns: Columns, sparse_input: bool) -> tuple[Columns, bool]:
    mean = scaler.mean_ if scaler.with_mean else None
    return _scaled(columns, mean, scaler.scale_ if scaler.with_std else None, sparse_input), sparse_input


def _robust(scaler: RobustScaler, columns: Columns, sparse_input: bool) -> tuple[Columns, bool]:
    centre = scaler.center_ if scaler.with_centering else None
    return _scaled(columns, centre, scaler.scale_ if scaler.with_scaling else None, sparse_input), sparse_input


def _scaled(columns: Columns, centre: Any, scale: Any, sparse_input: bool) -> Columns:
    made = columns
    if centre is not None:
        made = [column.then("subtract", value) for column, value in zip(made, centre, strict=True)]
    if scale is None:
        return made
    if sparse_input:  # scikit-learn multiplies sparse matrices by the reciprocal, whose last bit may differ
        return [column.then("multiply", value) for column, value in zip(made, 1.0 / scale, strict=True)]
    return [column.then("divide", value) for column, value in zip(made, scale, strict=True)]


def _min_max(scaler: MinMaxScaler, columns: Columns, _: bool) -> tuple[Columns, bool]:
    made = [
        column.then("multiply", scale).then("add", least)
        for column, scale, least in zip(columns, scaler.scale_, scaler.min_, strict=True)
    ]
    return ([column.then("clip", *scaler.feature_range) for column in made] if scaler.clip else made), False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


Rule = Callable[[Any, Columns, bool], tuple[Columns, bool]]
RULES: Final[Mapping[type, Rule]] = {
    Pipeline: _pipeline,
    ColumnTransformer: _by_column,
    FeatureUnion: _union,
    FunctionTransformer: _nothing,
    SimpleImputer: _imputer,
    MissingIndicator: _indicator,
    StandardScaler: _standard,
    MinMaxScaler: _min_max,
    RobustScaler: _robust,
    OneHotEncoder: compile_encoders.one_hot,
    OrdinalEncoder: compile_encoders.ordinal,
    TargetEncoder: compile_encoders.target,
}
