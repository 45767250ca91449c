"""The face of CloudWatch: what reads metrics, and what watches them."""

from local.api import Clients, Emit, Operations
from local.clock import Clock
from local.cloudwatch.alarm_actions import Actions
from local.cloudwatch.alarms import Alarms
from local.cloudwatch.dashboards import Dashboards
from local.cloudwatch.metric_filters import MetricFilters
from local.cloudwatch.metric_intake import MetricIntake
from local.cloudwatch.metric_queries import MetricQueries
from local.cloudwatch.metrics import Metrics


class CloudWatch:
    """CloudWatch of one engine, over the metrics that the functions put; `log_filters` is to be shown log events."""

    def __init__(self, clients: Clients, metrics: Metrics, clock: Clock, emit: Emit, region: str) -> None:
        self._intake = MetricIntake(metrics)
        self._queries = MetricQueries(metrics)
        self._dashboards = Dashboards()
        self.log_filters = MetricFilters(metrics)
        self._alarms = Alarms(metrics, clock, emit, Actions(clients, region), region)

    def operations(self) -> Operations:
        """Return what the gateway routes here."""
        parts = (self._intake, self._queries, self._alarms, self._dashboards, self.log_filters)
        return {name: answer for part in parts for name, answer in part.operations().items()}

    def tagged(self) -> dict[str, dict[str, str]]:
        """Return the tags of every alarm by ARN."""
        return self._alarms.tagged()

    def stop(self) -> None:
        """Evaluate no more alarms."""
        self._alarms.stop()
