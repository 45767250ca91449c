"""What a look found -> the metrics that it publishes: at most seven of eight, whatever the number of columns.

With the two of the serving stack that makes ten (docs/decisions/0081). What could not be judged is not published: a
zero would end alarms that nothing has ended.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lifecycle import names
from lifecycle.drift_alert import DriftVerdict

LARGEST: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One metric. `value` is its sum over `samples`; `low` and `high` are its Minimum and Maximum, if it has others."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    samples: int = 1


def of_drift(verdict: DriftVerdict) -> list[Figure]:
    """Return the figures of drift; none when the window was not judged."""
    if not verdict.judged:
        return []
    worst = max((each.level for each in verdict.features), default=0.0)
    drifted, judged = len(verdict.drifted), max(1, len(verdict.features))
    return [
        Figure(name=names.METRIC_FEATURES_DRIFTED, value=drifted, low=0.0, high=worst, samples=judged),
        Figure(name=names.METRIC_WORST_MISSING, value=verdict.worst_missing),
        Figure(name=names.METRIC_SCORE_DRIFT, value=verdict.score.level),
    ]


def of_quality(quality: Mapping[str, Any] | None) -> list[Figure]:
    """Return the figures of the window file's `quality`: measured ones, or the estimate, never both."""
    if quality is None:
        return []
    bounds = {"value": quality["value"], "low": quality["low"], "high": quality["high"]}
    if quality["estimate"]:
        return [Figure(name=names.METRIC_ESTIMATED_QUALITY, **bounds)]
    found = [Figure(name=names.METRIC_QUALITY, **bounds)]
    if quality["drop"] is not None:
        found.append(Figure(name=names.METRIC_QUALITY_DROP, value=quality["drop"]))
    return found


def of_traffic(*, seen: int, labelled: int, staleness_hours: float) -> list[Figure]:
    """Return label coverage (its samples are the rows seen, its mean is the share) and staleness."""
    found = [Figure(name=names.METRIC_STALENESS, value=staleness_hours)]
    if seen:
        bounds = {"low": float(labelled == seen), "high": float(labelled > 0)}
        found.append(Figure(name=names.METRIC_LABEL_COVERAGE, value=labelled, samples=seen, **bounds))
    return found


def metric_data(figures: Sequence[Figure], *, stage: str, model: str, at: float) -> list[dict[str, Any]]:
    """Return CloudWatch's MetricData: each stamped with `at` (epoch seconds), dimensions Stage and Model only."""
    assert len(figures) <= LARGEST, "custom metrics cost money each"
    dimensions = [{"Name": "Stage", "Value": stage}, {"Name": "Model", "Value": model}]
    data = []
    for figure in figures:
        entry: dict[str, Any] = {"MetricName": figure.name, "Dimensions": dimensions, "Timestamp": at}
        if figure.low is None or figure.high is None:
            entry["Value"] = figure.value
        else:
            entry["StatisticValues"] = {
                "SampleCount": figure.samples,
                "Sum": figure.value,
                "Minimum": figure.low,
                "Maximum": figure.high,
            }
        data.append(entry)
    return data
