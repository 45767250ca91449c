"""Whole columns -> model input, equal to the bit to what `lifecycle.encoding` makes row by row; and fitting it."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from lifecycle import encoding
from lifecycle.encoding import NUMBER_LIMIT, ORDINAL, STANDARD, STANDARD_LIMIT
from lifecycle.spec import Kind

MAX_CATEGORIES = 254
"""Most frequent values that a category keeps; hist gradient boosting takes at most 255. The rest count as unseen."""

SMOOTHING = 20.0
"""Rows of overall mean that are added to each category before categories are put in order."""

SPARSE_FROM = 4
"""Inputs per column from which on a sparse matrix is faster than a dense one for the solver of logistic regression."""

PARTS: Mapping[str, Callable[[Any], pl.Series]] = {
    "minute": lambda moments: moments.minute(),
    "hour": lambda moments: moments.hour(),
    "weekday": lambda moments: moments.weekday() - 1,
    "day": lambda moments: moments.day(),
    "day_of_year": lambda moments: moments.ordinal_day(),
    "month": lambda moments: moments.month(),
    "year": lambda moments: moments.year(),
}
"""Parts of times by name, from a column's `dt`; `lifecycle.encoding.PARTS` for whole columns."""

Matrix = npt.NDArray[np.float64]


def fit(
    frame: pl.DataFrame,
    features: Sequence[tuple[str, Kind]],
    layout: str,
    target: Matrix,
    parts: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> dict[str, Any]:
    """Return the encoder (plain data) learned from training rows; `parts` names those of times, where not CALENDAR.

    Categories are ordered by their smoothed mean of `target` (one number per row), which lets trees split them as they
    split numbers; a value that was never learned is placed where the overall mean is.
    """
    inputs: list[dict[str, Any]] = []
    for name, kind in features:
        column = frame[name]
        if kind is Kind.CATEGORY:
            inputs.append({"feature": name, "as": "category", **_categories(column, target)})
            continue
        entry: dict[str, Any] = {"feature": name, "as": "calendar" if kind is Kind.DATETIME else "number"}
        if parts.get(name, encoding.CALENDAR) != encoding.CALENDAR:
            entry["parts"] = list(parts[name])
        if layout == STANDARD:
            scaled = [_scaling(values) for values in numbers(column, entry)]
            entry |= {key: [part[key] for part in scaled] for key in ("fill", "mean", "scale")}
        inputs.append(entry)
    return {"layout": layout, "inputs": inputs}


def compact(frame: pl.DataFrame, encoder: Mapping[str, Any]) -> Matrix:
    """Return the positions of every row: what `Encoder.encode` returns, one line per row."""
    columns: list[Matrix] = []
    for entry in encoder["inputs"]:
        column = frame[entry["feature"]]
        if entry["as"] == "category":
            columns.append(_codes(column, entry))
            continue
        found = numbers(column, entry)
        if encoder["layout"] == STANDARD:
            scaling = zip(found, entry["fill"], entry["mean"], entry["scale"], strict=True)
            found = [_standardise(values, fill, mean, scale) for values, fill, mean, scale in scaling]
        columns += found
    return np.column_stack(columns) if columns else np.empty((frame.height, 0))


def dense(frame: pl.DataFrame, encoder: Mapping[str, Any]) -> Matrix:
    """Return the estimator's inputs: what `Encoder.expand` returns, one line per row."""
    positions = compact(frame, encoder)
    if encoder["layout"] == ORDINAL:
        return positions
    out = np.zeros((len(positions), encoding.dense_width(encoder)))
    source = target = 0
    for entry in encoder["inputs"]:
        if entry["as"] == "category":
            known = np.flatnonzero(positions[:, source] != entry["missing"])
            out[known, target + positions[known, source].astype(np.int64)] = 1.0
            source, target = source + 1, target + len(entry["categories"])
        else:
            width = encoding.width_of(entry)
            out[:, target : target + width] = positions[:, source : source + width]
            source, target = source + width, target + width
    return out


def is_mostly_zero(encoder: Mapping[str, Any]) -> bool:
    """Return whether categories that are spread out make so many zeros that `spread` saves most of the work."""
    return encoding.dense_width(encoder) > SPARSE_FROM * sum(map(encoding.width_of, encoder["inputs"]))


def spread(frame: pl.DataFrame, encoder: Mapping[str, Any]) -> Any:
    """Return what `dense` returns in the standard layout, as a sparse matrix (rows, compressed)."""
    positions = compact(frame, encoder)
    places, values, kept = np.zeros(positions.shape, np.int32), positions.copy(), np.ones(positions.shape, bool)
    source = target = 0
    for entry in encoder["inputs"]:
        if entry["as"] == "category":
            kept[:, source] = positions[:, source] != entry["missing"]
            places[:, source] = np.where(kept[:, source], positions[:, source], 0) + target
            values[:, source] = 1.0
            source, target = source + 1, target + len(entry["categories"])
        else:
            width = encoding.width_of(entry)
            places[:, source : source + width] = np.arange(target, target + width)
            source, target = source + width, target + width
    ends = np.concatenate([[0], np.cumsum(kept.sum(axis=1))]).astype(np.int32)
    return sparse.csr_matrix((values[kept], places[kept], ends), shape=(len(positions), target))


def learned(frame: pl.DataFrame, names: Sequence[str]) -> dict[str, list[str]]:
    """Return all values, sorted, that category columns hold."""
    return {name: frame[name].drop_nulls().unique().sort().to_list() for name in names}


def numbers(column: pl.Series, entry: Mapping[str, Any]) -> list[Matrix]:
    """Return what an input of numbers reads from a whole column: one array per position, NaN when missing."""
    if entry["as"] == "calendar":
        parts = [PARTS[part](column.dt) for part in entry.get("parts", encoding.CALENDAR)]
        return [part.cast(pl.Float64).fill_null(float("nan")).to_numpy() for part in parts]
    values = column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return [np.where(np.abs(values) <= NUMBER_LIMIT, values, np.nan)]


def _codes(column: pl.Series, entry: Mapping[str, Any]) -> Matrix:
    known = entry["categories"]
    codes = [float(code) for code in range(len(known))]
    if not known:
        return np.full(len(column), entry["missing"])
    return column.replace_strict(known, codes, default=entry["missing"], return_dtype=pl.Float64).to_numpy()


def _categories(column: pl.Series, target: Matrix) -> dict[str, Any]:
    """Learned values in order, and the code of a value that was not learned."""
    counted = (
        column.filter(column != "").value_counts(name="rows").sort(["rows", column.name], descending=[True, False])
    )
    kept = sorted(counted[column.name].head(MAX_CATEGORIES).to_list())
    if not kept:
        return {"categories": [], "missing": -0.5}
    codes = _codes(column, {"categories": kept, "missing": float(len(kept))}).astype(np.int64)
    rows = np.bincount(codes, minlength=len(kept) + 1)[: len(kept)]
    sums = np.bincount(codes, weights=target, minlength=len(kept) + 1)[: len(kept)]
    overall = float(target.mean())
    means = (sums + SMOOTHING * overall) / (rows + SMOOTHING)
    order = np.argsort(means, kind="stable")
    return {"categories": [kept[i] for i in order], "missing": float((means < overall).sum()) - 0.5}


def _scaling(values: Matrix) -> dict[str, float]:
    known = values[~np.isnan(values)]
    if not len(known):
        return {"fill": 0.0, "mean": 0.0, "scale": 1.0}
    fill = float(np.median(known))
    filled = np.where(np.isnan(values), fill, values)
    mean, scale = float(filled.mean()), float(filled.std())
    # a constant column has a deviation of rounding errors only; its scale must not blow them up
    usable = np.isfinite(scale) and scale > 1e-12 * max(abs(mean), 1e-300)
    return {"fill": fill, "mean": mean if np.isfinite(mean) else 0.0, "scale": scale if usable else 1.0}


def _standardise(values: Matrix, fill: float, mean: float, scale: float) -> Matrix:
    with np.errstate(over="ignore"):
        centred = (np.where(np.isnan(values), fill, values) - mean) / scale
    return np.clip(centred, -STANDARD_LIMIT, STANDARD_LIMIT)
