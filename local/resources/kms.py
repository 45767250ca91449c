"""AWS::KMS: keys and aliases."""

from typing import Any

from local.resources.kind import Kind, Subject, document_of, only, removed_tags, tag_list, tag_map, text_of


def _create_key(subject: Subject) -> str:
    created = subject.client("kms").create_key(
        Policy=text_of(subject.properties["KeyPolicy"]),
        Tags=tag_list(subject.properties.get("Tags", {}), "TagKey", "TagValue"),
        **subject.picked("Description"),
    )
    return str(created["KeyMetadata"]["KeyId"])


def _rotate(subject: Subject) -> None:
    kms, on = subject.client("kms"), subject.properties.get("EnableKeyRotation", False)
    (kms.enable_key_rotation if on else kms.disable_key_rotation)(KeyId=subject.id)


def _update_key(subject: Subject) -> None:
    kms = subject.client("kms")
    kms.put_key_policy(KeyId=subject.id, PolicyName="default", Policy=text_of(subject.properties["KeyPolicy"]))
    kms.update_key_description(KeyId=subject.id, Description=subject.properties.get("Description", ""))
    _rotate(subject)
    kms.untag_resource(KeyId=subject.id, TagKeys=removed_tags(subject))
    kms.tag_resource(KeyId=subject.id, Tags=tag_list(subject.properties.get("Tags", {}), "TagKey", "TagValue"))


def _read_key(subject: Subject) -> dict[str, Any]:
    kms = subject.client("kms")
    return {
        "KeyPolicy": document_of(kms.get_key_policy(KeyId=subject.id, PolicyName="default")["Policy"]),
        "EnableKeyRotation": kms.get_key_rotation_status(KeyId=subject.id)["KeyRotationEnabled"],
        "Description": kms.describe_key(KeyId=subject.id)["KeyMetadata"]["Description"],
        "Tags": tag_map(kms.list_resource_tags(KeyId=subject.id)["Tags"], "TagKey", "TagValue"),
    }


def _delete_key(subject: Subject) -> None:
    days = int(subject.properties.get("PendingWindowInDays", 30))
    subject.client("kms").schedule_key_deletion(KeyId=subject.id, PendingWindowInDays=days)


def _key_attributes(subject: Subject) -> dict[str, str]:
    arn = subject.client("kms").describe_key(KeyId=subject.id)["KeyMetadata"]["Arn"]
    return {"Arn": arn, "KeyId": subject.id}


def _create_alias(subject: Subject) -> str:
    name = str(subject.properties["AliasName"])
    subject.client("kms").create_alias(AliasName=name, TargetKeyId=subject.properties["TargetKeyId"])
    return name


def _read_alias(subject: Subject) -> dict[str, Any]:
    kms = subject.client("kms")
    pages = kms.get_paginator("list_aliases").paginate()
    keys = (a["TargetKeyId"] for page in pages for a in page["Aliases"] if a["AliasName"] == subject.id)
    key = only(keys, subject.id)
    asked = str(subject.properties["TargetKeyId"])
    arn = kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"]
    return {"AliasName": subject.id, "TargetKeyId": asked if asked in (key, arn) else key}


KINDS = (
    Kind(
        type="AWS::KMS::Key",
        properties="KeyPolicy.* EnableKeyRotation Description PendingWindowInDays Tags.*",
        create=_create_key,
        configure=_rotate,
        read=_read_key,
        update=_update_key,
        delete=_delete_key,
        attributes=_key_attributes,
        attribute_names="Arn KeyId",
        defaults={"EnableKeyRotation": False, "Description": ""},
        unread={"PendingWindowInDays": "used only when the key is deleted"},
    ),
    Kind(
        type="AWS::KMS::Alias",
        properties="AliasName TargetKeyId",
        create=_create_alias,
        read=_read_alias,
        update=lambda s: s.client("kms").update_alias(AliasName=s.id, TargetKeyId=s.properties["TargetKeyId"]),
        delete=lambda s: s.client("kms").delete_alias(AliasName=s.id),
        fixed="AliasName",
    ),
)
