"""The face of CloudWatch: what reads metrics, and what watches them."""

from local.api import Emit, Operations
from local.clock import Clock
from local.cloudwatch.alarms import Alarms
from local.cloudwatch.metric_queries import MetricQueries
from local.cloudwatch.metrics import Metrics


class CloudWatch:
    """CloudWatch of one engine, over the metrics that the functions put."""

    def __init__(self, metrics: Metrics, clock: Clock, emit: Emit, region: str) -> None:
        self._queries = MetricQueries(metrics)
        self._alarms = Alarms(metrics, clock, emit, region)

    def operations(self) -> Operations:
        """Return what the gateway routes here."""
        return {**self._queries.operations(), **self._alarms.operations()}

    def tagged(self) -> dict[str, dict[str, str]]:
        """Return the tags of every alarm by ARN."""
        return self._alarms.tagged()

    def stop(self) -> None:
        """Evaluate no more alarms."""
        self._alarms.stop()
