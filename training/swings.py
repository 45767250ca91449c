"""References + the rows that they were counted from -> the same with what windows of them swing by anyway.

Windows are as long as the monitored ones and hold at least as many rows. Without a time column, or without such
windows, nothing is known of it, and live rows are held to be as independent as the training rows look.
"""

from collections.abc import Mapping

import polars as pl

from lifecycle.monitoring import Monitoring
from lifecycle.reference import ColumnReference
from lifecycle.schema import Contract
from lifecycle.swing import with_swing
from tabular import windows
from tabular.convert import typed
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


def _places(raw: pl.DataFrame, contract: Contract, rules: Monitoring) -> windows.Places | None:
    if contract.time is None:
        return None
    times, _ = typed(raw[contract.time], contract.by_name[contract.time].kind)
    return windows.places(seconds(times), rules.window_hours, rules.min_rows)


def _swinging(reference: ColumnReference, values: pl.Series, places: windows.Places | None) -> ColumnReference:
    return reference if places is None else with_swing(reference, windows.by_window(values, places, reference))
