"""GetMetricData: statistics of single metrics; expressions, units and pages of an answer are refused by name."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from local.api import ApiError, Caller, Operations
from local.cloudwatch.metrics import MINUTE, STATISTICS, Metric, Metrics

_ASKED = frozenset({"MetricDataQueries", "StartTime", "EndTime", "ScanBy"})
_QUERY = frozenset({"Id", "MetricStat", "Label", "ReturnData"})
_STAT = frozenset({"Metric", "Period", "Stat"})
MOST_QUERIES = 500
MOST_POINTS = 100_800


class MetricQueries:
    """The one operation that reads metrics."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def operations(self) -> Operations:
        """Return what the gateway routes here."""
        return {("monitoring", "GetMetricData"): self._get}

    def _get(self, parameters: dict[str, Any], _: Caller) -> dict[str, Any]:
        _only(parameters, _ASKED)
        queries = parameters["MetricDataQueries"]
        start, end = _seconds(parameters["StartTime"]), _seconds(parameters["EndTime"])
        if start >= end:
            raise invalid("The parameter StartTime must be less than the parameter EndTime.")
        ids = [query["Id"] for query in queries]
        if len(ids) > MOST_QUERIES or len(set(ids)) < len(ids):
            raise invalid(f"MetricDataQueries has up to {MOST_QUERIES} members, each with an Id of its own.")
        ascending = parameters.get("ScanBy", "TimestampDescending") == "TimestampAscending"
        results = [self._result(query, start, end, ascending=ascending) for query in queries]
        if sum(len(result["Values"]) for result in results) > MOST_POINTS:
            raise invalid(f"The laptop engine answers in one page, of {MOST_POINTS} data points at most.")
        return {"MetricDataResults": results, "Messages": []}

    def _result(self, query: Mapping[str, Any], start: float, end: float, *, ascending: bool) -> dict[str, Any]:
        _only(query, _QUERY)
        if not re.fullmatch(r"[a-z][A-Za-z0-9_]{0,254}", query["Id"]):
            raise invalid(f"The value '{query['Id']}' for parameter Id is not matching the expected pattern.")
        asked = query["MetricStat"]
        _only(asked, _STAT)
        period, statistic = asked["Period"], asked["Stat"]
        if period < MINUTE or period % MINUTE:
            raise invalid(f"Period {period}: the laptop engine keeps minutes, so a period is a multiple of {MINUTE}.")
        if statistic not in STATISTICS or query.get("ReturnData") is False:
            raise invalid(f"The laptop engine returns {', '.join(sorted(STATISTICS))}; not {statistic}, nor nothing.")
        metric = metric_of(asked["Metric"])
        points = []
        for at in range(int(start) // MINUTE * MINUTE, math.ceil(end), period):
            values = self._metrics.values(metric, at, at + period)
            if values is not None:
                points.append((datetime.fromtimestamp(at, UTC), values.statistic(statistic)))
        if not ascending:
            points.reverse()
        return {
            "Id": query["Id"],
            "Label": query.get("Label", metric.name),
            "Timestamps": [at for at, _ in points],
            "Values": [value for _, value in points],
            "StatusCode": "Complete",
        }


def metric_of(described: Mapping[str, Any]) -> Metric:
    """Return the metric that a request names by namespace, name and dimensions."""
    dimensions = frozenset((one["Name"], one["Value"]) for one in described.get("Dimensions", ()))
    return Metric(described["Namespace"], described["MetricName"], dimensions)


def invalid(message: str) -> ApiError:
    """Return CloudWatch's error for a request that it cannot accept."""
    return ApiError("ValidationError", message)


def _only(given: Mapping[str, Any], known: frozenset[str]) -> None:
    if unknown := sorted(set(given) - known):
        raise invalid(
            f"The laptop engine does not know {', '.join(unknown)} here; it knows {', '.join(sorted(known))}."
        )


def _seconds(value: Any) -> float:
    moment = value if isinstance(value, datetime) else datetime.fromtimestamp(float(value), UTC)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
