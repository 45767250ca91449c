"""AWS::Logs: log groups."""

from typing import Any

from local.resources.kind import Kind, Subject, only


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
)
