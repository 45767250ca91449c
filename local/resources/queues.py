"""AWS::SQS and AWS::SNS: queues, topics and their policies."""

import json
from collections.abc import Callable
from typing import Any

from local.resources.kind import Kind, Properties, Subject, spelling

_QUEUE = "VisibilityTimeout MessageRetentionPeriod SqsManagedSseEnabled RedrivePolicy"


def _attributes(properties: Properties) -> dict[str, Any]:
    """Spell the properties of a queue as attributes, which are all text."""
    return {name: _text(properties[name]) for name in _QUEUE.split() if name in properties}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _of_queue(subject: Subject, url: str) -> dict[str, Any]:
    found: dict[str, Any] = subject.aws.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return found


def _create_queue(subject: Subject) -> str:
    asked = {"Attributes": subject.pick(_QUEUE), **subject.pick("tags")}
    return str(subject.aws.create_queue(QueueName=subject.name, **asked)["QueueUrl"])


def _queue_values(subject: Subject) -> dict[str, str]:
    return {"Arn": str(_of_queue(subject, subject.id)["QueueArn"])}


def _of_topic(subject: Subject, arn: str) -> dict[str, Any]:
    found: dict[str, Any] = subject.aws.get_topic_attributes(TopicArn=arn)["Attributes"]
    return found


def _left(subject: Subject, holders: str) -> list[str]:
    """Return the queues or topics that an update takes the policy from."""
    return [one for one in subject.previous.get(holders, []) if one not in subject.properties[holders]]


def _put_queue_policy(subject: Subject) -> str:
    _open_queues(subject, _left(subject, "Queues"))
    for url in subject.properties["Queues"]:
        subject.aws.set_queue_attributes(QueueUrl=url, Attributes=subject.pick("Policy"))
    return subject.name


def _open_queues(subject: Subject, urls: list[str]) -> None:
    for url in urls:
        subject.aws.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})


def _put_topic_policy(subject: Subject) -> str:
    _open_topics(subject, _left(subject, "Topics"))
    for arn in subject.properties["Topics"]:
        subject.aws.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=subject.api["Policy"])
    return subject.name


def _open_topics(subject: Subject, arns: list[str]) -> None:
    for arn in arns:
        subject.aws.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=_owner_may_publish(arn))


def _read_policy(subject: Subject, holders: str, described: Callable[[Subject, str], Any]) -> dict[str, Any]:
    found = {holder: described(subject, holder).get("Policy") for holder in subject.properties[holders]}
    first = next(iter(found.values()))
    return {"Policy": first, holders: [holder for holder, text in found.items() if text == first]}


def _owner_may_publish(arn: str) -> str:
    """Return the policy that a topic has when nobody gave it one."""
    owner = {"AWS": f"arn:aws:iam::{arn.split(':')[4]}:root"}
    statement = {"Effect": "Allow", "Principal": owner, "Action": "sns:Publish", "Resource": arn}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


_POLICY = spelling({"PolicyDocument": "Policy"}, documents="PolicyDocument")

KINDS = (
    Kind(
        type="AWS::SQS::Queue",
        service="sqs",
        properties=f"{_QUEUE}.*",
        tags=("tags",),
        spell=_attributes,
        create=_create_queue,
        read=lambda s: _of_queue(s, s.id) | {"tags": s.aws.list_queue_tags(QueueUrl=s.id).get("Tags")},
        update=lambda s: s.aws.set_queue_attributes(QueueUrl=s.id, Attributes=s.pick(_QUEUE)),
        updates=_QUEUE,
        defaults={"VisibilityTimeout": 30, "MessageRetentionPeriod": 345600},
        delete=lambda s: s.aws.delete_queue(QueueUrl=s.id),
        attributes=_queue_values,
        attribute_names="Arn",
        naming=("", 80),
    ),
    Kind(
        type="AWS::SQS::QueuePolicy",
        service="sqs",
        properties="Queues PolicyDocument.*",
        spell=_POLICY,
        create=_put_queue_policy,
        read=lambda s: _read_policy(s, "Queues", _of_queue),
        update=_put_queue_policy,
        updates="PolicyDocument Queues",
        delete=lambda s: _open_queues(s, s.properties["Queues"]),
    ),
    Kind(
        type="AWS::SNS::Topic",
        service="sns",
        properties="KmsMasterKeyId",
        tags=("Tags", "Key", "Value"),
        create=lambda s: str(
            s.aws.create_topic(Name=s.name, Attributes=s.pick("KmsMasterKeyId"), **s.pick("Tags"))["TopicArn"]
        ),
        read=lambda s: _of_topic(s, s.id) | {"Tags": s.aws.list_tags_for_resource(ResourceArn=s.id)["Tags"]},
        delete=lambda s: s.aws.delete_topic(TopicArn=s.id),
        naming=("", 256),
    ),
    Kind(
        type="AWS::SNS::TopicPolicy",
        service="sns",
        properties="Topics PolicyDocument.*",
        spell=_POLICY,
        create=_put_topic_policy,
        read=lambda s: _read_policy(s, "Topics", _of_topic),
        update=_put_topic_policy,
        updates="PolicyDocument Topics",
        delete=lambda s: _open_topics(s, s.properties["Topics"]),
    ),
)
