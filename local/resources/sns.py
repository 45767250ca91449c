"""AWS::SNS: topics and their policies."""

from typing import Any

from local.resources.kind import Kind, Subject, document_of, removed_tags, tag_list, tag_map, text_of


def _create(subject: Subject) -> str:
    created = subject.client("sns").create_topic(
        Name=subject.name,
        Attributes=subject.picked("KmsMasterKeyId", "DisplayName"),
        Tags=tag_list(subject.properties.get("Tags", {})),
    )
    return str(created["TopicArn"])


def _update(subject: Subject) -> None:
    sns = subject.client("sns")
    for name in ("KmsMasterKeyId", "DisplayName"):
        if subject.changed(name):
            value = subject.properties[name]
            sns.set_topic_attributes(TopicArn=subject.id, AttributeName=name, AttributeValue=value)
    if subject.changed("Tags"):
        sns.untag_resource(ResourceArn=subject.id, TagKeys=removed_tags(subject))
        sns.tag_resource(ResourceArn=subject.id, Tags=tag_list(subject.properties["Tags"]))


def _described(subject: Subject, arn: str) -> dict[str, Any]:
    found: dict[str, Any] = subject.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]
    return found


def _read(subject: Subject) -> dict[str, Any]:
    tags = subject.client("sns").list_tags_for_resource(ResourceArn=subject.id)["Tags"]
    name = subject.id.rsplit(":", 1)[1]
    return _described(subject, subject.id) | {"TopicName": name, "Tags": tag_map(tags)}


def _put_policy(subject: Subject) -> str:
    text = text_of(subject.properties["PolicyDocument"])
    for arn in subject.properties["Topics"]:
        subject.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=text)
    return subject.name


def _read_policy(subject: Subject) -> dict[str, Any]:
    arns = subject.properties["Topics"]
    documents = [document_of(_described(subject, arn)["Policy"]) for arn in arns]
    return {
        "PolicyDocument": documents[0],
        "Topics": [arn for arn, found in zip(arns, documents, strict=True) if found == documents[0]],
    }


def _delete_policy(subject: Subject) -> None:
    for arn in subject.properties["Topics"]:
        account = arn.split(":")[4]
        owner = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
            "Action": "sns:Publish",
            "Resource": arn,
        }
        default = text_of({"Version": "2012-10-17", "Statement": [owner]})
        subject.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=default)


KINDS = (
    Kind(
        type="AWS::SNS::Topic",
        properties="TopicName DisplayName KmsMasterKeyId Tags.*",
        create=_create,
        read=_read,
        update=_update,
        delete=lambda s: s.client("sns").delete_topic(TopicArn=s.id),
        attributes=lambda s: {"TopicArn": s.id, "TopicName": s.id.rsplit(":", 1)[1]},
        attribute_names="TopicArn TopicName",
        fixed="TopicName",
        defaults={"DisplayName": "", "KmsMasterKeyId": ""},
        naming=("TopicName", 256),
    ),
    Kind(
        type="AWS::SNS::TopicPolicy",
        properties="Topics PolicyDocument.*",
        create=_put_policy,
        read=_read_policy,
        update=_put_policy,
        delete=_delete_policy,
        fixed="Topics",
    ),
)
