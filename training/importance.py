"""Compiled model + holdout rows -> how much the score hangs on each column that a caller sends.

A column's value in a row is replaced by another row's, and the change of the answer is measured. Contributions of the
model's own inputs (`lifecycle.explain`) would not do: what drifts are raw columns, and many act only through values
that features.py derives from them. It also works for models that cannot be explained.
"""

from collections.abc import Sequence
from typing import Any, Final

import polars as pl

from lifecycle.errors import RequestRejected
from lifecycle.scoring import CompiledModel
from lifecycle.spec import Contract
from training.rows import named_rows

ROWS: Final = 200
ANSWERS: Final = 6_000
"""Scored in all, whatever the number of columns: a few tenths of a second at most."""

Row = dict[str, Any]
Vector = list[float]


def of_columns(model: CompiledModel, contract: Contract, holdout: pl.DataFrame) -> dict[str, float]:
    """Return each column's share of the mean change of the answer; the shares sum to 1.

    A column that the model does not read gets 0. When no answer changes, features share equally. Nothing is drawn by
    chance: rows are evenly spread over the holdout, and a value comes from the row half-way round.
    """
    names = [column.name for column in contract.inputs]
    features = [name for name, _ in contract.features if name in names]
    tried = names if contract.derived else features
    wanted = max(2, min(ROWS, ANSWERS // max(1, len(tried))))
    spread = holdout.select(names).gather_every(max(1, holdout.height // wanted)).head(wanted)
    encoded = [(row, _encoded(model, row)) for row in named_rows(spread)]
    rows = [(row, vector) for row, vector in encoded if vector is not None]
    changes = _changes(model, rows, tried) if rows else {}
    whole = sum(changes.values())
    if not whole:
        changes, whole = dict.fromkeys(features or names, 1.0), float(len(features or names))
    return {name: changes.get(name, 0.0) / whole for name in names}


def _changes(model: CompiledModel, rows: list[tuple[Row, Vector]], tried: Sequence[str]) -> dict[str, float]:
    asked: list[Vector] = []
    places: list[tuple[str, int]] = []
    for name in tried:
        for place, (row, _) in enumerate(rows):
            other, _ = rows[(place + len(rows) // 2) % len(rows)]
            if other[name] == row[name]:
                continue
            # values of two rows may not go together: features.py refuses 31 February
            swapped = _encoded(model, {**row, name: other[name]})
            if swapped is not None:
                asked.append(swapped)
                places.append((name, place))
    usual, found = model.outputs_of([vector for _, vector in rows]), model.outputs_of(asked)
    changes = dict.fromkeys(tried, 0.0)
    for (name, place), outputs in zip(places, found, strict=True):
        changes[name] += sum(abs(one - two) for one, two in zip(outputs, usual[place], strict=True))
    return changes


def _encoded(model: CompiledModel, row: Row) -> Vector | None:
    try:
        return model.encode(row, typed=True)
    except RequestRejected:
        return None
