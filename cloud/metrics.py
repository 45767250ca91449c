"""CloudWatch: what Lambda itself counted of one version behind an alias, and metrics of our own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from cloud.faults import translated

NAMESPACE: Final = "AWS/Lambda"
PERIOD_SECONDS: Final = 60
# (id of the answer, metric, statistic)
_ASKED: Final = (
    ("invocations", "Invocations", "Sum"),
    ("errors", "Errors", "Sum"),
    ("milliseconds", "Duration", "Sum"),
    ("timed", "Duration", "SampleCount"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Calls:
    """Calls of one version: how many, how many ended in an error, and their mean duration (None without any)."""

    invocations: int
    errors: int
    duration_ms: float | None


class Metrics:
    """Metrics of the account. They come late: on AWS a minute's figures are complete some minutes after it."""

    def __init__(self, cloudwatch: Any) -> None:
        self._cloudwatch = cloudwatch

    def publish(self, namespace: str, data: Sequence[Mapping[str, Any]]) -> None:
        """Put metrics (CloudWatch's MetricData) in one call. Raises Throttled or Unavailable when it is not taken."""
        with translated(f"put {len(data)} metrics"):
            self._cloudwatch.put_metric_data(Namespace=namespace, MetricData=list(data))

    def calls(self, function: str, alias: str, version: str, since: float, until: float) -> Calls:
        """Return what happened to one version behind the alias between two times (epoch seconds, whole minutes).

        Raises Throttled or Unavailable when CloudWatch does not answer.
        """
        dimensions = [
            {"Name": "FunctionName", "Value": function},
            {"Name": "Resource", "Value": f"{function}:{alias}"},
            {"Name": "ExecutedVersion", "Value": version},
        ]
        queries = [
            {
                "Id": name,
                "MetricStat": {
                    "Metric": {"Namespace": NAMESPACE, "MetricName": metric, "Dimensions": dimensions},
                    "Period": PERIOD_SECONDS,
                    "Stat": statistic,
                },
            }
            for name, metric, statistic in _ASKED
        ]
        span = {
            "StartTime": datetime.fromtimestamp(since // PERIOD_SECONDS * PERIOD_SECONDS, UTC),
            "EndTime": datetime.fromtimestamp(until, UTC),
        }
        pages = self._cloudwatch.get_paginator("get_metric_data").paginate(MetricDataQueries=queries, **span)
        sums = dict.fromkeys((name for name, _, _ in _ASKED), 0.0)
        with translated(f"read the metrics of {function}:{version}"):
            for page in pages:
                for result in page["MetricDataResults"]:
                    sums[result["Id"]] += sum(result["Values"])
        mean = sums["milliseconds"] / sums["timed"] if sums["timed"] else None
        return Calls(invocations=round(sums["invocations"]), errors=round(sums["errors"]), duration_ms=mean)
