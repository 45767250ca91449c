"""PutMetricAlarm's parameters <-> an alarm's settings: what CloudWatch refuses, and what the engine does not have."""

from typing import Any

from local.cloudwatch.alarm_rules import COMPARISONS, TREATMENTS, Settings
from local.cloudwatch.metric_queries import invalid, metric_of
from local.cloudwatch.metrics import MINUTE, STATISTICS

_REQUIRED = (
    "AlarmName",
    "ComparisonOperator",
    "EvaluationPeriods",
    "MetricName",
    "Namespace",
    "Period",
    "Statistic",
    "Threshold",
)
_MORE = ("AlarmActions", "AlarmDescription", "DatapointsToAlarm", "Dimensions", "OKActions", "Tags", "TreatMissingData")
_KNOWN = frozenset({*_REQUIRED, *_MORE})
_HOUR = 3_600
_DAY = 86_400


def settings_of(parameters: dict[str, Any]) -> Settings:
    """Return the settings that a request asks for.

    Raises
    ------
    ApiError
        ValidationError for what CloudWatch refuses, and by name for what the engine does not have: expressions,
        actions that are no topics, percentiles, units, periods below a minute.
    """
    if unknown := sorted(set(parameters) - _KNOWN):
        raise invalid(f"The laptop engine's alarms do not know {', '.join(unknown)}.")
    if missing := [name for name in _REQUIRED if name not in parameters]:
        raise invalid(f"The request must contain the parameter(s) {', '.join(missing)}")
    settings = Settings(
        name=parameters["AlarmName"],
        description=parameters.get("AlarmDescription", ""),
        metric=metric_of(parameters),
        statistic=parameters["Statistic"],
        period=parameters["Period"],
        periods=parameters["EvaluationPeriods"],
        points=parameters.get("DatapointsToAlarm", parameters["EvaluationPeriods"]),
        threshold=float(parameters["Threshold"]),
        comparison=parameters["ComparisonOperator"],
        missing=parameters.get("TreatMissingData", "missing"),
        alarm_actions=tuple(parameters.get("AlarmActions", ())),
        ok_actions=tuple(parameters.get("OKActions", ())),
    )
    if wrong := _wrong(settings):
        raise invalid(f"Alarm {settings.name}: {wrong}")
    return settings


def _wrong(settings: Settings) -> str | None:
    longest = _DAY if settings.period < _HOUR else 7 * _DAY
    if settings.period < MINUTE or settings.period % MINUTE:
        return f"Period {settings.period} must be a multiple of {MINUTE}: the laptop engine keeps minutes."
    if strange := [arn for arn in settings.alarm_actions + settings.ok_actions if ":sns:" not in arn]:
        return f"the laptop engine's alarms tell topics, not {', '.join(strange)}"
    if settings.period * settings.periods > longest:
        return f"Metrics cannot be checked across more than {longest} seconds (EvaluationPeriods * Period)"
    if not 1 <= settings.points <= settings.periods:
        return f"DatapointsToAlarm {settings.points} must be 1 to EvaluationPeriods, {settings.periods}"
    for title, value, known in (
        ("Statistic", settings.statistic, STATISTICS),
        ("ComparisonOperator", settings.comparison, COMPARISONS),
        ("TreatMissingData", settings.missing, TREATMENTS),
    ):
        if value not in known:
            return f"{title} {value} is none of {', '.join(sorted(known))}"
    return None


def described(settings: Settings) -> dict[str, Any]:
    """Return settings as DescribeAlarms answers them."""
    dimensions = [{"Name": name, "Value": value} for name, value in sorted(settings.metric.dimensions)]
    return {
        "AlarmName": settings.name,
        "AlarmDescription": settings.description,
        "Namespace": settings.metric.namespace,
        "MetricName": settings.metric.name,
        "Dimensions": dimensions,
        "Statistic": settings.statistic,
        "Period": settings.period,
        "EvaluationPeriods": settings.periods,
        "DatapointsToAlarm": settings.points,
        "Threshold": settings.threshold,
        "ComparisonOperator": settings.comparison,
        "TreatMissingData": settings.missing,
        "AlarmActions": list(settings.alarm_actions),
        "OKActions": list(settings.ok_actions),
    }
