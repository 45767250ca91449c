"""PutMetricData: values and statistic sets of an account's own metrics, and what CloudWatch refuses of them.

Source: CloudWatch API reference, PutMetricData and MetricDatum.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from local.api import ApiError, Caller, Operations
from local.cloudwatch.metric_queries import invalid, metric_of
from local.cloudwatch.metrics import Aggregate, Metrics, NotTakenError

MOST_METRICS: Final = 1_000
MOST_DIMENSIONS: Final = 30
_KNOWN: Final = frozenset({"MetricName", "Dimensions", "Timestamp", "Value", "StatisticValues", "Unit"})


class MetricIntake:
    """The one operation that puts metrics."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def operations(self) -> Operations:
        """Return what the gateway routes here."""
        return {("monitoring", "PutMetricData"): self._put}

    def _put(self, parameters: dict[str, Any], _: Caller) -> dict[str, Any]:
        if unknown := sorted(set(parameters) - {"Namespace", "MetricData"}):
            raise invalid(f"The laptop engine does not know {', '.join(unknown)} of PutMetricData.")
        namespace, data = parameters["Namespace"], parameters["MetricData"]
        if namespace.startswith("AWS/"):
            raise _wrong("The value AWS/ for parameter Namespace is invalid.")
        if not 1 <= len(data) <= MOST_METRICS:
            raise _wrong(f"The collection MetricData must have 1 to {MOST_METRICS} members.")
        taken = [(_metric(namespace, one), _values(one), _at(one)) for one in data]
        for metric, values, at in taken:
            try:
                self._metrics.take(metric, values, at)
            except NotTakenError as error:
                raise _wrong(str(error)) from error
        return {}


def _metric(namespace: str, datum: Mapping[str, Any]) -> Any:
    if unknown := sorted(set(datum) - _KNOWN):
        raise invalid(f"The laptop engine does not know {', '.join(unknown)} of a metric.")
    if len(datum.get("Dimensions", ())) > MOST_DIMENSIONS:
        raise _wrong(f"A metric has up to {MOST_DIMENSIONS} dimensions.")
    return metric_of({"Namespace": namespace, **datum})


def _values(datum: Mapping[str, Any]) -> Aggregate:
    if ("Value" in datum) == ("StatisticValues" in datum):
        raise ApiError("InvalidParameterCombination", "A metric has either Value or StatisticValues.")
    if "Value" in datum:
        value = float(datum["Value"])
        return Aggregate(value, 1, value, value)
    found = {name: float(value) for name, value in datum["StatisticValues"].items()}
    count = found["SampleCount"]
    if count <= 0 or count != int(count) or not all(map(math.isfinite, found.values())):
        raise _wrong(f"StatisticValues.SampleCount must be a whole number above 0, found {count}.")
    if found["Minimum"] > found["Maximum"]:
        raise _wrong("StatisticValues.Minimum must not be above Maximum.")
    return Aggregate(found["Sum"], int(count), found["Minimum"], found["Maximum"])


def _at(datum: Mapping[str, Any]) -> float | None:
    moment = datum.get("Timestamp")
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        return float(moment)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _wrong(message: str) -> ApiError:
    return ApiError("InvalidParameterValue", message)
