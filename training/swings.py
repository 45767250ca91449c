"""References + the rows that they were counted from -> the same with what windows of them swing by anyway.

Windows are as long as the monitored ones and hold at least as many rows. Without a time column, or without such
windows, nothing is known of it, and live rows are held to be as independent as the training rows look.
"""

from collections.abc import Mapping
from math import sqrt

import polars as pl

from lifecycle.monitoring import Monitoring
from lifecycle.reference import ColumnReference
from lifecycle.schema import Contract
from lifecycle.spec import ModelSpec
from lifecycle.swing import deviation, with_swing
from tabular import windows
from tabular.convert import typed
from training.measure import Numbers
from training.rows import seconds


def of_columns(
    columns: Mapping[str, ColumnReference], raw: pl.DataFrame, contract: Contract, rules: Monitoring
) -> dict[str, ColumnReference]:
    """Return the training columns' references with their swings."""
    places = _places(raw, contract, rules)
    return {
        name: _swinging(reference, typed(raw[name], contract.by_name[name].kind)[0], places)
        for name, reference in columns.items()
    }


def of_scores(
    scores: ColumnReference, given: pl.Series, raw: pl.DataFrame, contract: Contract, rules: Monitoring
) -> ColumnReference:
    """Return the scores' reference with its swing. `given` are the scores of the holdout, `raw` its rows."""
    return _swinging(scores, given, _places(raw, contract, rules))


def of_quality(losses: Numbers, raw: pl.DataFrame, spec: ModelSpec) -> float:
    """Return by how much the objective deviates from window to window of the holdout, beyond chance, in its own unit.

    0 where nothing is known of it.
    """
    places = _places(raw, spec.contract, spec.monitoring, spec.monitoring.min_labels)
    if places is None:
        return 0.0
    values, errors = [], []
    for window in range(int(places.max(initial=-1)) + 1):
        inside = losses[places == window]
        mean, error = float(inside.mean()), float(inside.std()) / sqrt(len(inside))
        values.append(spec.objective.from_mean(mean))
        errors.append(abs(spec.objective.from_mean(mean + error) - values[-1]))
    return deviation(values, errors)


def _places(
    raw: pl.DataFrame, contract: Contract, rules: Monitoring, least: int | None = None
) -> windows.Places | None:
    if contract.time is None:
        return None
    times, _ = typed(raw[contract.time], contract.by_name[contract.time].kind)
    return windows.places(seconds(times), rules.window_hours, least or rules.min_rows)


def _swinging(reference: ColumnReference, values: pl.Series, places: windows.Places | None) -> ColumnReference:
    return reference if places is None else with_swing(reference, windows.by_window(values, places, reference))
