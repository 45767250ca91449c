"""Columns + target -> what the owner should look at: columns that give the target away, keys that repeat, times.

Suspicions only: they become comments, since only the owner knows what is known when a prediction is asked for.
"""

from collections.abc import Mapping
from typing import Final

import polars as pl

from lifecycle.schema import Kind, Task
from tabular.infer import NUMERIC, ColumnFacts, as_text, looks_like_key, moments_of, numbers_of

AREA: Final = 0.995  # area under the ROC curve at which one column alone is too good
CORRELATION: Final = 0.995
SHARE_LEFT: Final = 0.05  # of the errors of always naming the commonest class
MEMBERS: Final = 5  # rows that a value must have on average to say anything
KEY_VALUES: Final = 20


def leaks(frame: pl.DataFrame, facts: Mapping[str, ColumnFacts], target: str, task: Task) -> dict[str, str]:
    """Return column -> why it is suspected to know the answer (what it alone achieves)."""
    labelled = frame.filter(as_text(frame[target]).is_not_null())
    label = as_text(labelled[target])
    truth = numbers_of(labelled[target]) if task is Task.REGRESSION else _codes(label)
    found = {}
    for name, fact in facts.items():
        if name == target or fact.kind in (Kind.ID, Kind.TEXT) or fact.distinct == 0:
            continue
        reason = _alone(labelled[name], fact, label, truth, task)
        if reason is not None:
            found[name] = reason
    return found


def repeating_key(facts: Mapping[str, ColumnFacts], target: str) -> tuple[str, float] | None:
    """Return the column that most likely says which rows belong together, and its rows per value; None without one.

    Such rows resemble each other: they must all lie on one side of the split.
    """
    found = []
    for name, fact in facts.items():
        each = (fact.rows - fact.missing) / max(fact.distinct, 1)
        named = looks_like_key(name) and fact.kind in (Kind.ID, Kind.INTEGER, Kind.CATEGORY)
        is_key = fact.kind is Kind.ID or named
        if name != target and is_key and fact.distinct >= KEY_VALUES and each >= 1.2 and not fact.missing:
            found.append((each, name))
    if not found:
        return None
    each, name = max(found)
    return name, each


def time_columns(frame: pl.DataFrame, facts: Mapping[str, ColumnFacts]) -> list[str]:
    """Return datetime columns that could order rows: always there and spread; those with most distinct values first."""
    able = [f for f in facts.values() if f.kind is Kind.DATETIME and not f.missing and not f.odd]
    spread = [f for f in able if moments_of(frame[f.name]).n_unique() >= min(KEY_VALUES, f.rows // 2)]
    return [f.name for f in sorted(spread, key=lambda f: -f.distinct)]


def _alone(column: pl.Series, fact: ColumnFacts, label: pl.Series, truth: pl.Series, task: Task) -> str | None:
    if fact.missing and task is not Task.REGRESSION:
        left = _errors_left(as_text(column).is_null().cast(pl.String), label)
        if left is not None and left <= SHARE_LEFT:
            return "whether it is missing tells the target"
    ordered = fact.kind in NUMERIC or fact.kind is Kind.DATETIME
    if ordered and task is not Task.MULTICLASS:
        numbers = numbers_of(column) if fact.kind in NUMERIC else moments_of(column).dt.timestamp().cast(pl.Float64)
        return _ordered(numbers, truth, task)
    if task is Task.REGRESSION or fact.rows < MEMBERS * fact.distinct:
        return None
    left = _errors_left(as_text(column), label)
    return "its value alone tells the target" if left is not None and left <= SHARE_LEFT else None


def _ordered(numbers: pl.Series, truth: pl.Series, task: Task) -> str | None:
    pairs = pl.DataFrame({"x": numbers, "y": truth}).drop_nulls()
    if pairs.height < 20 or pairs["x"].n_unique() < 2 or pairs["y"].n_unique() < 2:
        return None
    if task is Task.REGRESSION:
        strength = pairs.select(pl.corr("x", "y", method="spearman")).item()
        return f"its rank correlation with the target is {strength:.3f}" if abs(strength) >= CORRELATION else None
    positives = float(pairs["y"].sum())
    ranks = float(pairs.select(pl.col("x").rank().filter(pl.col("y") == 1).sum()).item())
    area = (ranks - positives * (positives + 1) / 2) / (positives * (pairs.height - positives))
    best = max(area, 1 - area)
    return f"alone it separates the target (area under the curve {best:.3f})" if best >= AREA else None


def _errors_left(values: pl.Series, label: pl.Series) -> float | None:
    """Share of the errors of "always the commonest class" that remain when each value names its commonest class."""
    counted = pl.DataFrame({"x": values, "y": label}).group_by("x", "y").len()
    base = label.len() - int(label.value_counts(name="n")["n"].max())  # type: ignore[arg-type]
    if not base:
        return None
    hits = int(counted.group_by("x").agg(pl.col("len").max())["len"].sum())
    return (label.len() - hits) / base


def _codes(label: pl.Series) -> pl.Series:
    return (label == label.unique().sort().last()).cast(pl.Float64)
