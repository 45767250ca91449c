"""Columns of the contract -> the pandas DataFrame that scikit-learn's transformers see, and what each column of it is.

Numbers, integers and booleans (0 and 1) are float64, NaN when missing; a time is one column for each of its parts,
`departs_hour` and so on; categories are texts (object), NaN when missing, which is what scikit-learn's imputer looks
for in texts.
"""

from collections.abc import Mapping, Sequence
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from lifecycle.encoder_steps import NUMBER, TEXT
from lifecycle.encoding import CALENDAR
from lifecycle.errors import TrainingFailed
from lifecycle.spec import Kind
from training import encode
from training.column_steps import Column

if TYPE_CHECKING:
    import pandas as pd

Features = Sequence[tuple[str, Kind]]


def names(features: Features, parts: Mapping[str, Sequence[str]]) -> dict[str, Column]:
    """Return what each column of the DataFrame is; `parts` holds those of times that are not CALENDAR.

    Raises TrainingFailed when a part of a time would get the name of another column.
    """
    found: dict[str, Column] = {}
    for name, kind in features:
        made = {name: Column(name, TEXT if kind is Kind.CATEGORY else NUMBER)}
        if kind is Kind.DATETIME:
            made = {f"{name}_{part}": Column(name, part) for part in parts.get(name, CALENDAR)}
        for column in made:
            if column in found:
                raise TrainingFailed(f"two columns would be called {column!r}; rename one of them or its time")
        found |= made
    return found


def of(frame: pl.DataFrame, features: Features, parts: Mapping[str, Sequence[str]]) -> "pd.DataFrame":
    """Return the DataFrame of `features`, in their order, made from typed columns."""
    import pandas as pd  # late: only candidates with transformers of their own need it

    made: dict[str, Any] = {}
    for name, kind in features:
        column = frame[name]
        if kind is Kind.CATEGORY:
            texts = np.empty(len(column), dtype=object)
            texts[:] = [value or nan for value in column.to_list()]
            made[name] = texts
        elif kind is Kind.DATETIME:
            wanted = parts.get(name, CALENDAR)
            values = encode.numbers(column, {"as": "calendar", "parts": wanted})
            made |= {f"{name}_{part}": value for part, value in zip(wanted, values, strict=True)}
        else:
            made[name] = encode.numbers(column, {"as": "number"})[0]
    return pd.DataFrame(made, index=pd.RangeIndex(frame.height))
