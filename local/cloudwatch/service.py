"""The face of CloudWatch: what reads metrics, and what watches them."""

from typing import Any

from local.api import ApiError, Caller, Emit, Operations
from local.clock import Clock
from local.cloudwatch.alarm_actions import Actions
from local.cloudwatch.alarms import Alarms
from local.cloudwatch.dashboards import Dashboards
from local.cloudwatch.metric_filters import MetricFilters
from local.cloudwatch.metric_intake import MetricIntake
from local.cloudwatch.metric_queries import MetricQueries
from local.cloudwatch.metrics import Metrics
from local.keeping import NOWHERE, Keep


class CloudWatch:
    """CloudWatch of one engine, over the metrics that the functions put; `log_filters` is to be shown log events."""

    def __init__(
        self, actions: Actions, metrics: Metrics, clock: Clock, emit: Emit, region: str, *, keep: Keep = NOWHERE
    ) -> None:
        self._intake = MetricIntake(metrics)
        self._queries = MetricQueries(metrics)
        self._dashboards = Dashboards(keep)
        self.log_filters = MetricFilters(metrics, keep)
        self._alarms = Alarms(metrics, clock, emit, actions, region, keep=keep)

    def operations(self) -> Operations:
        """Return what the gateway routes here."""
        parts = (self._intake, self._queries, self._alarms, self._dashboards, self.log_filters)
        found = {name: answer for part in parts for name, answer in part.operations().items()}
        return {**found, ("monitoring", "ListTagsForResource"): self._list_tags}

    def tagged(self) -> dict[str, dict[str, str]]:
        """Return the tags of every alarm and dashboard by ARN."""
        return {arn: tags for arn, tags in self._all_tags().items() if tags}

    def _all_tags(self) -> dict[str, dict[str, str]]:
        return {**self._alarms.tagged(), **self._dashboards.tagged()}

    def _list_tags(self, parameters: dict[str, Any], _: Caller) -> dict[str, Any]:
        tags = self._all_tags().get(parameters["ResourceARN"])
        if tags is None:
            raise ApiError("ResourceNotFoundException", f"There is no {parameters['ResourceARN']}.", 404)
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def stop(self) -> None:
        """Evaluate no more alarms."""
        self._alarms.stop()
