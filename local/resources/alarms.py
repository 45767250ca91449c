"""AWS::CloudWatch: metric alarms on one metric, which tell topics."""

from typing import Any

from local.resources.kind import Kind, Subject, only

_SETTINGS = """AlarmActions OKActions AlarmDescription ComparisonOperator DatapointsToAlarm Dimensions
    EvaluationPeriods MetricName Namespace Period Statistic Threshold TreatMissingData"""


def _put(subject: Subject) -> str:
    given = subject.pick(f"{_SETTINGS} Tags")
    for name in ("DatapointsToAlarm", "EvaluationPeriods", "Period"):
        if name in given:
            given[name] = int(given[name])
    subject.aws.put_metric_alarm(**given | {"AlarmName": subject.name, "Threshold": float(given["Threshold"])})
    return subject.name


def _found(subject: Subject) -> dict[str, Any]:
    return only(subject.aws.describe_alarms(AlarmNames=[subject.id])["MetricAlarms"], subject.id)


def _read(subject: Subject) -> dict[str, Any]:
    alarm = _found(subject)
    if not subject.pick("DatapointsToAlarm") and alarm["DatapointsToAlarm"] == alarm["EvaluationPeriods"]:
        alarm = alarm | {"DatapointsToAlarm": None}  # CloudWatch's own choice, when nobody made one
    return alarm | {"Tags": subject.aws.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]}


KINDS = (
    Kind(
        type="AWS::CloudWatch::Alarm",
        service="cloudwatch",
        properties="""AlarmName AlarmActions OKActions AlarmDescription ComparisonOperator DatapointsToAlarm
            Dimensions.Name Dimensions.Value
            EvaluationPeriods MetricName Namespace Period Statistic Threshold TreatMissingData""",
        tags=("Tags", "Key", "Value"),
        create=_put,
        read=_read,
        update=_put,
        updates=_SETTINGS,
        replaces="AlarmName",
        defaults={
            "DatapointsToAlarm": None,
            "AlarmDescription": "",
            "Dimensions": [],
            "AlarmActions": [],
            "OKActions": [],
            "TreatMissingData": "missing",
        },
        delete=lambda s: s.aws.delete_alarms(AlarmNames=[s.id]),
        naming=("AlarmName", 255),
    ),
)
