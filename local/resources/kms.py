"""AWS::KMS: keys."""

from typing import Any

from local.resources.kind import Kind, Subject, spelling


def _rotate(subject: Subject) -> None:
    on = subject.properties.get("EnableKeyRotation", False)
    (subject.aws.enable_key_rotation if on else subject.aws.disable_key_rotation)(KeyId=subject.id)


def _update(subject: Subject) -> None:
    subject.aws.put_key_policy(KeyId=subject.id, PolicyName="default", Policy=subject.api["Policy"])
    _rotate(subject)


def _read(subject: Subject) -> dict[str, Any]:
    aws, key = subject.aws, {"KeyId": subject.id}
    return {
        "Policy": aws.get_key_policy(**key, PolicyName="default")["Policy"],
        "EnableKeyRotation": aws.get_key_rotation_status(**key)["KeyRotationEnabled"],
        "Tags": aws.list_resource_tags(**key)["Tags"],
    }


KINDS = (
    Kind(
        type="AWS::KMS::Key",
        service="kms",
        properties="KeyPolicy.* EnableKeyRotation",
        tags=("Tags", "TagKey", "TagValue"),
        spell=spelling({"KeyPolicy": "Policy"}, documents="KeyPolicy"),
        create=lambda s: str(s.aws.create_key(**s.pick("Policy Tags"))["KeyMetadata"]["KeyId"]),
        configure=_rotate,
        read=_read,
        update=_update,
        updates="KeyPolicy EnableKeyRotation",
        defaults={"EnableKeyRotation": False},
        # KMS deletes no key at once; 30 days is what CloudFormation waits
        delete=lambda s: s.aws.schedule_key_deletion(KeyId=s.id, PendingWindowInDays=30),
        attributes=lambda s: {"Arn": s.aws.describe_key(KeyId=s.id)["KeyMetadata"]["Arn"]},
        attribute_names="Arn",
    ),
)
