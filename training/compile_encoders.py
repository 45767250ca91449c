"""Fitted one-hot, ordinal and target encoders -> columns that hold what each of them gives for every value it knows."""

import copy
import warnings
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from math import nan
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder

from lifecycle.errors import ModelRejected
from training.column_steps import UNSEEN, Column, is_nan

Columns = list[Column]


def one_hot(encoder: OneHotEncoder, columns: Columns, _: bool) -> tuple[Columns, bool]:
    """Return the columns after a one-hot encoder, and whether they are sparse."""
    _check_dtype(encoder)
    spread = copy.deepcopy(encoder).set_output(transform="default")  # data frames cannot be sparse
    spread.sparse_output = True
    bounds = list(accumulate(encoder._n_features_outs, initial=0))
    only = encoder.handle_unknown == "error"
    if only:
        spread.handle_unknown = "ignore"
    return _encoded(spread, columns, bounds, only=only), bool(encoder.sparse_output)


def ordinal(encoder: OrdinalEncoder, columns: Columns, _: bool) -> tuple[Columns, bool]:
    """Return the columns after an ordinal encoder, and that they are not sparse."""
    _check_dtype(encoder)
    only = encoder.handle_unknown == "error"
    asked = copy.deepcopy(encoder).set_output(transform="default")
    if only:
        asked.set_params(handle_unknown="use_encoded_value", unknown_value=-1)
    return _encoded(asked, columns, range(len(columns) + 1), only=only), False


def target(encoder: TargetEncoder, columns: Columns, _: bool) -> tuple[Columns, bool]:
    """Return the columns after a target encoder (its encodings of all rows), and that they are not sparse."""
    wide = len(encoder.classes_) if encoder.target_type_ == "multiclass" else 1
    return _encoded(encoder, columns, range(0, (len(columns) + 1) * wide, wide)), False


def _check_dtype(encoder: Any) -> None:
    dtype = np.dtype(encoder.dtype)
    if dtype != np.float64 and dtype.kind not in "iub":
        raise ModelRejected(
            f"{type(encoder).__name__}(dtype={dtype}) cannot be compiled: what follows would compute in {dtype}"
        )


def _encoded(encoder: Any, columns: Columns, bounds: Sequence[int], *, only: bool = False) -> Columns:
    """Return the outputs of each column, as the fitted encoder itself gives them for every value that it knows.

    `only` says that it refuses all other values.
    """
    answers = _asked(encoder)
    made = []
    for place, column in enumerate(columns):
        categories = encoder.categories_[place].tolist()
        for output in range(bounds[place], bounds[place + 1]):
            answer = answers[:, [output]].toarray()[:, 0].tolist()
            *known, missing, unseen = answer[: len(categories)] + answer[-2:]
            look = _look(dict(zip(map(_key, categories), known, strict=True)), missing, unseen)
            special = [value for value, number in zip(categories, known, strict=True) if only or number != unseen]
            made.append(column.looked_up(special, look, only=only))
    return made


def _look(known: Mapping[Any, float], missing: float, unseen: float) -> Callable[[Any], float]:
    def look(value: Any) -> float:
        if value is UNSEEN:
            return unseen
        return missing if is_nan(value) else known.get(value, unseen)

    return look


def _key(value: Any) -> Any:
    return None if is_nan(value) else value


def _asked(encoder: Any) -> Any:
    """What a fitted encoder answers, as sparse columns: for its categories, then NaN, then a value it has not seen."""
    import pandas as pd  # late: slow to load, and few models need it

    longest = max(map(len, encoder.categories_))
    asked = {}
    for place, categories in enumerate(encoder.categories_):
        padded = [*categories.tolist(), *[categories[0]] * (longest - len(categories)), nan, _new(categories)]
        asked[place] = pd.Series(padded, dtype=object if categories.dtype.kind == "O" else np.float64)
    names = getattr(encoder, "feature_names_in_", None)
    frame = pd.DataFrame(asked)
    frame.columns = pd.Index(names if names is not None else map(str, frame.columns))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of unseen values, and of names where it was fitted without
        return sparse.csc_matrix(encoder.transform(frame), dtype=np.float64)


def _new(categories: np.ndarray[Any, Any]) -> Any:
    """A value like those known, but none of them."""
    known = [value for value in categories.tolist() if not is_nan(value)]
    texts = [value for value in known if isinstance(value, str)]
    if texts or (categories.dtype.kind == "O" and not known):
        return "~" + max(texts, key=len, default="")
    return float(np.nextafter(max(map(float, known)), np.inf)) if known else 0.0
