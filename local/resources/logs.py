"""AWS::Logs: log groups."""

from typing import Any

from local.resources.kind import Kind, Subject, only, removed_tags


def _create(subject: Subject) -> str:
    logs = subject.client("logs")
    asked: dict[str, Any] = {"tags": subject.properties["Tags"]} if subject.properties.get("Tags") else {}
    if "KmsKeyId" in subject.properties:
        asked["kmsKeyId"] = subject.properties["KmsKeyId"]
    logs.create_log_group(logGroupName=subject.name, **asked)
    return subject.name


def _retain(subject: Subject) -> None:
    logs, days = subject.client("logs"), subject.properties.get("RetentionInDays")
    if days is None:
        logs.delete_retention_policy(logGroupName=subject.id)
    else:
        logs.put_retention_policy(logGroupName=subject.id, retentionInDays=int(days))


def _update(subject: Subject) -> None:
    logs = subject.client("logs")
    _retain(subject)
    if subject.changed("Tags"):
        logs.untag_log_group(logGroupName=subject.id, tags=removed_tags(subject))
        logs.tag_log_group(logGroupName=subject.id, tags=subject.properties["Tags"])


def _described(subject: Subject) -> dict[str, Any]:
    groups = subject.client("logs").describe_log_groups(logGroupNamePrefix=subject.id)["logGroups"]
    return only((dict(group) for group in groups if group["logGroupName"] == subject.id), subject.id)


def _read(subject: Subject) -> dict[str, Any]:
    group = _described(subject)
    return {
        "LogGroupName": group["logGroupName"],
        "KmsKeyId": group.get("kmsKeyId"),
        "RetentionInDays": group.get("retentionInDays"),
        "Tags": subject.client("logs").list_tags_log_group(logGroupName=subject.id)["tags"],
    }


KINDS = (
    Kind(
        type="AWS::Logs::LogGroup",
        properties="LogGroupName KmsKeyId RetentionInDays Tags.*",
        create=_create,
        configure=_retain,
        read=_read,
        update=_update,
        delete=lambda s: s.client("logs").delete_log_group(logGroupName=s.id),
        attributes=lambda s: {"Arn": _described(s)["arn"]},
        attribute_names="Arn",
        fixed="LogGroupName KmsKeyId",
        defaults={"RetentionInDays": None},
        naming=("LogGroupName", 512),
    ),
)
