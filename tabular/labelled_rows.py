"""Answers of logged rows + labels that came back -> losses of the rows that have one, over all and by slice."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import polars as pl

from lifecycle.feedback_label import Value
from lifecycle.hour_counts import Expected
from lifecycle.judged_model import JudgedModel
from lifecycle.objective import LARGEST, Objective
from lifecycle.schema import Task
from tabular.logged_rows import ID, OUTPUT, outputs_of, packed_id
from tabular.losses import row_losses

LABEL: Final = "label"
LOSS: Final = "\0loss"
SLICE_ROWS: Final = 30
SLICES: Final = 10
MISSING: Final = "(missing)"
_BLOCK: Final = 20_000


def label_frame(model: JudgedModel, labels: Iterable[tuple[str, Value]]) -> pl.DataFrame:
    """Return ID and LABEL (the index of a class, or a number) of labels, by id, that this model can be held against."""
    frames = [no_labels()]
    ids: list[bytes] = []
    values: list[float] = []
    for told, label in labels:
        identity, value = packed_id(told), _value(model, label)
        if identity is not None and value is not None:
            ids.append(identity)
            values.append(value)
        if len(ids) == _BLOCK:
            frames.append(_frame(ids, values))
            ids, values = [], []
    return pl.concat([*frames, _frame(ids, values)])


def losses(model: JudgedModel, answers: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Return ID, LOSS and the sliced columns of the rows that have an answer and a label; each row once."""
    known = answers.filter(pl.col(OUTPUT).is_not_null())
    joined = known.join(labels.unique(ID, keep="last"), on=ID, how="inner")
    if not joined.height:
        return no_losses(model)
    outputs, decided = outputs_of(model, joined)
    with np.errstate(over="ignore"):
        found = row_losses(model.objective, model.task, joined[LABEL].to_numpy(), outputs, decided)
    return joined.select(ID, pl.Series(LOSS, np.clip(found, -LARGEST, LARGEST)), *model.sliced)


def no_labels() -> pl.DataFrame:
    """Return what `label_frame` makes of no label."""
    return pl.DataFrame(schema={ID: pl.Binary, LABEL: pl.Float64})


def no_losses(model: JudgedModel) -> pl.DataFrame:
    """Return what `losses` makes of no row."""
    return pl.DataFrame(schema={ID: pl.Binary, LOSS: pl.Float64, **dict.fromkeys(model.sliced, pl.String)})


def sums(rows: pl.DataFrame) -> Expected:
    """Return number, sum and sum of squares of the losses."""
    loss = rows[LOSS]
    return Expected(rows=rows.height, total=float(loss.sum()), squares=float((loss * loss).sum()))


def worst_slices(objective: Objective, rows: pl.DataFrame, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Return the slices of enough rows on which the model does worst, worst first."""
    if not rows.height:
        return []
    mean, found = float(rows[LOSS].mean()), []  # type: ignore[arg-type]
    for column in columns:
        grouped = rows.group_by(pl.col(column).fill_null(MISSING).alias("value")).agg(
            pl.len().alias("rows"), pl.col(LOSS).mean().alias("loss")
        )
        found += [(loss, column, value, n) for value, n, loss in grouped.iter_rows() if n >= SLICE_ROWS and loss > mean]
    overall = objective.from_mean(mean)
    shown = sorted(found, key=lambda entry: (-entry[0], entry[1], entry[2]))[:SLICES]
    return [
        {"column": column, "value": value, "rows": n, "metric": objective.metric, "score": objective.from_mean(loss)}
        | {"overall": overall}
        for loss, column, value, n in shown
    ]


def _value(model: JudgedModel, label: Any) -> float | None:
    if model.task is Task.REGRESSION:
        return float(label) if label.__class__ in (int, float) else None
    place = model.class_of(label)
    return None if place is None else float(place)


def _frame(ids: Sequence[bytes], values: Sequence[float]) -> pl.DataFrame:
    return pl.DataFrame({ID: pl.Series(ids, dtype=pl.Binary), LABEL: pl.Series(values, dtype=pl.Float64)})
