"""What an owner decided about monitoring: how often, over which window, and what counts as an alert."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Monitoring:
    """How a model is watched. Nothing is watched without the log: `prediction_log` writes one line per scored row.

    Every `every_minutes` the window of the last `window_hours` is judged, if it holds `min_rows` rows (quality:
    `min_labels` labels). `false_alarms` is the largest share of windows of unchanged data that may raise an alert, all
    features together; shifts below `min_psi` are never one. `max_missing` is the rise of a feature's share of missing
    values that counts as drift. An alert begins after `confirm` bad windows in a row and ends after `clear` good ones.
    `max_quality_drop` is in the objective's own unit; `stale_hours` without a prediction are an alert, too.
    """

    prediction_log: bool = True
    every_minutes: int = 60
    window_hours: int = 24
    min_rows: int = 500
    min_labels: int = 200
    false_alarms: float = 0.01
    min_psi: float = 0.1
    max_missing: float = 0.1
    max_quality_drop: float = 0.0
    confirm: int = 2
    clear: int = 2
    stale_hours: int = 48
