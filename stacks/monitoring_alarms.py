"""The alarms of a model's monitoring: what was judged already becomes a state that people and rules hear of."""

from dataclasses import dataclass
from typing import Any, Final

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch

from lifecycle import names
from lifecycle.spec import ModelSpec
from stacks.constructs.function import Function
from stacks.imported import Shared

PERIOD_SECONDS: Final = 300
"""Looks are hours apart, and each leaves one value: a period only has to be longer than a value's way to CloudWatch."""
FAILED_LOOKS: Final = 2
DAY_MINUTES: Final = 1440


@dataclass(frozen=True)
class Watch:
    """One alert of `lifecycle.names.ALERTS`: the metric that holds its judgement, and from where on it is raised."""

    what: str
    metric: str
    threshold: float
    comparison: str
    said: str


@dataclass(frozen=True)
class MonitoringAlarms:
    """One model's alarms. `made` creates them."""

    stack: Stack
    spec: ModelSpec
    shared: Shared
    monitor: Function

    def made(self) -> None:
        """Create an alarm for each alert, and one for looks that fail."""
        above, beyond = "GreaterThanOrEqualToThreshold", "GreaterThanThreshold"
        stale = float(self.spec.monitoring.stale_hours)
        watches = (
            Watch(
                what=names.ALERT_DRIFT,
                metric=names.METRIC_FEATURES_DRIFTED,
                threshold=1.0,
                comparison=above,
                said="features have drifted",
            ),
            Watch(
                what=names.ALERT_SCORES,
                metric=names.METRIC_SCORE_DRIFT,
                threshold=1.0,
                comparison=above,
                said="the answers have drifted",
            ),
            Watch(
                what=names.ALERT_QUALITY,
                metric=names.METRIC_QUALITY_DROP,
                threshold=0.0,
                comparison=beyond,
                said=f"the answers are worse than on the holdout ({self.spec.objective.said})",
            ),
            Watch(
                what=names.ALERT_STALE,
                metric=names.METRIC_STALENESS,
                threshold=stale,
                comparison=above,
                said=f"nobody asked for {stale:g} hours",
            ),
        )
        for watch in watches:
            self._alert(watch)
        self._failing()

    def _alert(self, watch: Watch) -> None:
        # missing data change nothing: between two looks there are none, and what was judged holds until the next
        self._alarm(
            watch.what,
            f"{self.spec.model}: {watch.said}. Figures: perennial monitor {self.spec.model}",
            namespace=names.METRIC_NAMESPACE,
            metric_name=watch.metric,
            dimensions={"Stage": self.shared.stage, "Model": self.spec.model},
            statistic="Maximum",
            period=PERIOD_SECONDS,
            evaluation_periods=1,
            threshold=watch.threshold,
            comparison_operator=watch.comparison,
            treat_missing_data="ignore",
        )

    def _failing(self) -> None:
        every = self.spec.monitoring.every_minutes
        self._alarm(
            "monitor",
            f"{self.spec.model}: looks at its traffic fail. See: perennial logs monitor",
            namespace="AWS/Lambda",
            metric_name="Errors",
            dimensions={"FunctionName": self.monitor.resource.ref},
            statistic="Sum",
            period=min(every, DAY_MINUTES) * 60,  # all periods of an alarm together are seven days at most
            evaluation_periods=FAILED_LOOKS if every <= DAY_MINUTES else 1,
            threshold=1.0,
            comparison_operator="GreaterThanOrEqualToThreshold",
            treat_missing_data="notBreaching",
        )

    def _alarm(self, what: str, description: str, *, dimensions: dict[str, str], **settings: Any) -> None:
        kind = cloudwatch.CfnAlarm
        kind(
            self.stack,
            f"{what.capitalize()}Alarm",
            alarm_name=names.alarm(self.shared.stage, self.spec.model, what),
            alarm_description=description,
            dimensions=[kind.DimensionProperty(name=key, value=value) for key, value in dimensions.items()],
            alarm_actions=[self.shared.topic],
            ok_actions=[self.shared.topic],
            **settings,
        )
