"""AWS::Logs: log groups, streams, subscription and metric filters."""

from typing import Any

from local.resources.kind import Kind, Subject, only, respelled


def _create(subject: Subject) -> str:
    key = {"kmsKeyId": subject.properties["KmsKeyId"]} if "KmsKeyId" in subject.properties else {}
    subject.aws.create_log_group(logGroupName=subject.name, **key, **subject.pick("tags"))
    return subject.name


def _retain(subject: Subject) -> None:
    if days := subject.properties.get("RetentionInDays"):
        subject.aws.put_retention_policy(logGroupName=subject.id, retentionInDays=int(days))
    else:
        subject.aws.delete_retention_policy(logGroupName=subject.id)


def _described(subject: Subject) -> dict[str, Any]:
    groups = subject.aws.describe_log_groups(logGroupNamePrefix=subject.id)["logGroups"]
    return only((dict(group) for group in groups if group["logGroupName"] == subject.id), subject.id)


def _read(subject: Subject) -> dict[str, Any]:
    group = _described(subject)
    return {
        "LogGroupName": group["logGroupName"],
        "KmsKeyId": group.get("kmsKeyId"),
        "RetentionInDays": group.get("retentionInDays"),
        "tags": subject.aws.list_tags_for_resource(resourceArn=group["arn"].removesuffix(":*"))["tags"],
    }


def _lower(word: str) -> str:
    return word[0].lower() + word[1:]


def _create_stream(subject: Subject) -> str:
    subject.aws.create_log_stream(logGroupName=subject.properties["LogGroupName"], logStreamName=subject.name)
    return subject.name


def _read_stream(subject: Subject) -> dict[str, Any]:
    place = {"logGroupName": subject.properties["LogGroupName"], "logStreamNamePrefix": subject.id}
    found = subject.aws.describe_log_streams(**place)["logStreams"]
    name = only((one["logStreamName"] for one in found if one["logStreamName"] == subject.id), subject.id)
    return {"logGroupName": place["logGroupName"], "logStreamName": name}


def _put_filter(subject: Subject) -> str:
    subject.aws.put_subscription_filter(**{**subject.api, "filterName": subject.name})
    return subject.name


def _read_filter(subject: Subject) -> dict[str, Any]:
    group = {"logGroupName": subject.properties["LogGroupName"]}
    found = subject.aws.describe_subscription_filters(**group)["subscriptionFilters"]
    return only((dict(one) for one in found if one["filterName"] == subject.id), subject.id)


def _put_metric_filter(subject: Subject) -> str:
    subject.aws.put_metric_filter(**{**subject.api, "filterName": subject.name})
    return subject.name


def _read_metric_filter(subject: Subject) -> dict[str, Any]:
    found = subject.aws.describe_metric_filters(logGroupName=subject.properties["LogGroupName"])["metricFilters"]
    return only((dict(one) for one in found if one["filterName"] == subject.id), subject.id)


KINDS = (
    Kind(
        type="AWS::Logs::LogGroup",
        service="logs",
        properties="LogGroupName KmsKeyId RetentionInDays",
        tags=("tags",),
        create=_create,
        configure=_retain,
        read=_read,
        update=_retain,
        updates="RetentionInDays",
        replaces="LogGroupName",
        defaults={"RetentionInDays": None},
        delete=lambda s: s.aws.delete_log_group(logGroupName=s.id),
        attributes=lambda s: {"Arn": _described(s)["arn"]},
        attribute_names="Arn",
        naming=("LogGroupName", 512),
    ),
    Kind(
        type="AWS::Logs::LogStream",
        service="logs",
        properties="LogGroupName",
        spell=lambda p: respelled(p, _lower),
        create=_create_stream,
        read=_read_stream,
        replaces="*",
        delete=lambda s: s.aws.delete_log_stream(logGroupName=s.properties["LogGroupName"], logStreamName=s.id),
        naming=("LogStreamName", 512),
    ),
    Kind(
        type="AWS::Logs::SubscriptionFilter",
        service="logs",
        properties="LogGroupName FilterPattern DestinationArn RoleArn",
        spell=lambda p: respelled(p, _lower),
        create=_put_filter,
        read=_read_filter,
        update=_put_filter,
        updates="FilterPattern DestinationArn RoleArn",
        replaces="LogGroupName",
        delete=lambda s: s.aws.delete_subscription_filter(logGroupName=s.properties["LogGroupName"], filterName=s.id),
        naming=("FilterName", 512),
    ),
    Kind(
        type="AWS::Logs::MetricFilter",
        service="logs",
        properties="""LogGroupName FilterPattern MetricTransformations.MetricName
            MetricTransformations.MetricNamespace MetricTransformations.MetricValue""",
        spell=lambda p: respelled(p, _lower),
        create=_put_metric_filter,
        read=_read_metric_filter,
        update=_put_metric_filter,
        updates="FilterPattern MetricTransformations",
        replaces="LogGroupName",
        delete=lambda s: s.aws.delete_metric_filter(logGroupName=s.properties["LogGroupName"], filterName=s.id),
        naming=("FilterName", 512),
    ),
)
