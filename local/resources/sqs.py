"""AWS::SQS: queues and their policies."""

from typing import Any

from local.resources.kind import Kind, Subject, document_of, removed_tags, text_of

_ATTRIBUTES = (
    "VisibilityTimeout",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "DelaySeconds",
    "SqsManagedSseEnabled",
)


def _attributes(subject: Subject) -> dict[str, str]:
    asked = {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in subject.picked(*_ATTRIBUTES).items()
    }
    if "RedrivePolicy" in subject.properties:
        redrive = subject.properties["RedrivePolicy"]
        asked["RedrivePolicy"] = text_of(redrive) if redrive else ""
    return asked


def _create(subject: Subject) -> str:
    created = subject.client("sqs").create_queue(
        QueueName=subject.name, Attributes=_attributes(subject), tags=subject.properties.get("Tags", {})
    )
    return str(created["QueueUrl"])


def _update(subject: Subject) -> None:
    sqs = subject.client("sqs")
    sqs.set_queue_attributes(QueueUrl=subject.id, Attributes=_attributes(subject))
    if subject.changed("Tags"):
        if gone := removed_tags(subject):
            sqs.untag_queue(QueueUrl=subject.id, TagKeys=gone)
        if tags := subject.properties["Tags"]:
            sqs.tag_queue(QueueUrl=subject.id, Tags=tags)


def _described(subject: Subject, url: str) -> dict[str, Any]:
    answer = subject.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    attributes: dict[str, Any] = answer.get("Attributes", {})
    return attributes


def _read(subject: Subject) -> dict[str, Any]:
    found = _described(subject, subject.id)
    return found | {
        "QueueName": found["QueueArn"].rsplit(":", 1)[1],
        "RedrivePolicy": document_of(found["RedrivePolicy"]) if found.get("RedrivePolicy") else {},
        "Tags": subject.client("sqs").list_queue_tags(QueueUrl=subject.id).get("Tags", {}),
    }


def _queue_attributes(subject: Subject) -> dict[str, str]:
    arn = _described(subject, subject.id)["QueueArn"]
    return {"Arn": arn, "QueueName": arn.rsplit(":", 1)[1], "QueueUrl": subject.id}


def _put_policy(subject: Subject) -> str:
    policy = {"Policy": text_of(subject.properties["PolicyDocument"])}
    for url in subject.properties["Queues"]:
        subject.client("sqs").set_queue_attributes(QueueUrl=url, Attributes=policy)
    return subject.name


def _read_policy(subject: Subject) -> dict[str, Any]:
    urls = subject.properties["Queues"]
    documents = [document_of(_described(subject, url)["Policy"]) for url in urls]
    return {
        "PolicyDocument": documents[0],
        "Queues": [url for url, found in zip(urls, documents, strict=True) if found == documents[0]],
    }


def _delete_policy(subject: Subject) -> None:
    for url in subject.properties["Queues"]:
        subject.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})


KINDS = (
    Kind(
        type="AWS::SQS::Queue",
        properties=f"QueueName {' '.join(_ATTRIBUTES)} RedrivePolicy.* Tags.*",
        create=_create,
        read=_read,
        update=_update,
        delete=lambda s: s.client("sqs").delete_queue(QueueUrl=s.id),
        attributes=_queue_attributes,
        attribute_names="Arn QueueName QueueUrl",
        fixed="QueueName",
        defaults={
            "VisibilityTimeout": 30,
            "MessageRetentionPeriod": 345600,
            "ReceiveMessageWaitTimeSeconds": 0,
            "DelaySeconds": 0,
            "RedrivePolicy": {},
        },
        naming=("QueueName", 80),
    ),
    Kind(
        type="AWS::SQS::QueuePolicy",
        properties="Queues PolicyDocument.*",
        create=_put_policy,
        read=_read_policy,
        update=_put_policy,
        delete=_delete_policy,
        fixed="Queues",
    ),
)
