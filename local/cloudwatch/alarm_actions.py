"""What an alarm does when its state changes: it tells topics, as CloudWatch's own service principal.

Source of the message: CloudWatch user guide, "Notifying users on alarm changes"; of who may: the same page, policies of
topics and of the keys that encrypt them. As on AWS, an action that is refused is dropped, and only CloudWatch's own
history (here: the log) says so.
"""

import json
import logging
from typing import Any

from botocore.exceptions import ClientError

from local.api import ACCOUNT, ApiError, Clients
from local.cloudwatch.alarm_rules import ALARM, OK, Settings, stamp
from local.iam.authority import Acting, Authority

_log = logging.getLogger(__name__)
_PLACES = {"us-east-1": "US East (N. Virginia)", "eu-central-1": "EU (Frankfurt)", "eu-west-1": "EU (Ireland)"}


class Actions:
    """Tells the topics of alarms."""

    def __init__(self, clients: Clients, authority: Authority) -> None:
        self._clients = clients
        self._authority = authority

    def of(self, settings: Settings, alarm_arn: str, change: tuple[str, str], why: str, at: float) -> None:
        """Do what an alarm asks for when it goes from the first to the second state of `change`."""
        topics = {ALARM: settings.alarm_actions, OK: settings.ok_actions}.get(change[1], ())
        message = self._message(settings, alarm_arn, change, why, at)
        subject = f'{change[1]}: "{settings.name}" in {_place(alarm_arn)}'
        for topic in topics:
            try:
                self._publish(topic, alarm_arn, subject, message)
            except (ApiError, ClientError) as error:
                _log.warning("alarm %s: %s was not told: %s", settings.name, topic, error)

    def _publish(self, topic: str, alarm_arn: str, subject: str, message: str) -> None:
        asked, acting = {"TopicArn": topic}, Acting("cloudwatch.amazonaws.com", alarm_arn)
        self._authority.service(acting, "sns", "Publish", asked)
        self._clients("sns").publish(Subject=subject[:100], Message=message, **asked)

    def _message(self, settings: Settings, arn: str, change: tuple[str, str], why: str, at: float) -> str:
        metric = settings.metric
        trigger: dict[str, Any] = {
            "MetricName": metric.name,
            "Namespace": metric.namespace,
            "StatisticType": "Statistic",
            "Statistic": settings.statistic.upper(),
            "Unit": None,
            "Dimensions": [{"value": value, "name": name} for name, value in sorted(metric.dimensions)],
            "Period": settings.period,
            "EvaluationPeriods": settings.periods,
            "DatapointsToAlarm": settings.points,
            "ComparisonOperator": settings.comparison,
            "Threshold": settings.threshold,
            "TreatMissingData": settings.missing,
            "EvaluateLowSampleCountPercentile": "",
        }
        told = {
            "AlarmName": settings.name,
            "AlarmDescription": settings.description or None,
            "AWSAccountId": ACCOUNT,
            "NewStateValue": change[1],
            "NewStateReason": why,
            "StateChangeTime": stamp(at),
            "Region": _place(arn),
            "AlarmArn": arn,
            "OldStateValue": change[0],
            "OKActions": list(settings.ok_actions),
            "AlarmActions": list(settings.alarm_actions),
            "InsufficientDataActions": [],
            "Trigger": trigger,
        }
        return json.dumps(told)


def _place(arn: str) -> str:
    region = arn.split(":")[3]
    return _PLACES.get(region, region)
