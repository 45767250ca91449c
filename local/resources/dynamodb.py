"""AWS::DynamoDB: tables."""

from typing import Any

from local.resources.kind import Kind, Subject, removed_tags, tag_list, tag_map


def _create(subject: Subject) -> str:
    dynamodb = subject.client("dynamodb")
    encryption = dict(subject.properties.get("SSESpecification", {}))
    asked = subject.picked("AttributeDefinitions", "KeySchema", "BillingMode", "DeletionProtectionEnabled")
    if encryption:
        asked["SSESpecification"] = _encryption_to_api(encryption)
    dynamodb.create_table(TableName=subject.name, Tags=tag_list(subject.properties.get("Tags", {})), **asked)
    return subject.name


def _encryption_to_api(encryption: dict[str, Any]) -> dict[str, Any]:
    renamed = {"SSEEnabled": "Enabled", "KMSMasterKeyId": "KMSMasterKeyId", "SSEType": "SSEType"}
    return {renamed[name]: value for name, value in encryption.items()}


def _configure(subject: Subject) -> None:
    dynamodb = subject.client("dynamodb")
    if subject.changed("TimeToLiveSpecification"):
        expiry = subject.properties["TimeToLiveSpecification"]
        dynamodb.update_time_to_live(TableName=subject.id, TimeToLiveSpecification=expiry)
    if subject.changed("PointInTimeRecoverySpecification"):
        recovery = subject.properties["PointInTimeRecoverySpecification"]
        dynamodb.update_continuous_backups(TableName=subject.id, PointInTimeRecoverySpecification=recovery)


def _update(subject: Subject) -> None:
    dynamodb = subject.client("dynamodb")
    changes = {
        name: value
        for name, value in subject.picked("BillingMode", "DeletionProtectionEnabled").items()
        if subject.changed(name)
    }
    if changes:
        dynamodb.update_table(TableName=subject.id, **changes)
    _configure(subject)
    if subject.changed("Tags"):
        arn = _arn(subject)
        dynamodb.untag_resource(ResourceArn=arn, TagKeys=removed_tags(subject))
        dynamodb.tag_resource(ResourceArn=arn, Tags=tag_list(subject.properties["Tags"]))


def _read(subject: Subject) -> dict[str, Any]:
    dynamodb = subject.client("dynamodb")
    table = dynamodb.describe_table(TableName=subject.id)["Table"]
    encryption = table.get("SSEDescription", {})
    expiry = dynamodb.describe_time_to_live(TableName=subject.id)["TimeToLiveDescription"]
    backups = dynamodb.describe_continuous_backups(TableName=subject.id)["ContinuousBackupsDescription"]
    recovery = backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
    return {
        "TableName": table["TableName"],
        "AttributeDefinitions": table["AttributeDefinitions"],
        "KeySchema": table["KeySchema"],
        "BillingMode": table["BillingModeSummary"]["BillingMode"],
        "DeletionProtectionEnabled": table["DeletionProtectionEnabled"],
        "SSESpecification": {
            "SSEEnabled": encryption.get("Status") == "ENABLED",
            "SSEType": encryption.get("SSEType"),
            "KMSMasterKeyId": encryption.get("KMSMasterKeyArn"),
        },
        "TimeToLiveSpecification": {
            "AttributeName": expiry.get("AttributeName"),
            "Enabled": expiry["TimeToLiveStatus"] == "ENABLED",
        },
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": recovery == "ENABLED"},
        "Tags": tag_map(dynamodb.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"]),
    }


def _arn(subject: Subject) -> str:
    return str(subject.client("dynamodb").describe_table(TableName=subject.id)["Table"]["TableArn"])


KINDS = (
    Kind(
        type="AWS::DynamoDB::Table",
        properties="""TableName AttributeDefinitions.AttributeName AttributeDefinitions.AttributeType
            KeySchema.AttributeName KeySchema.KeyType BillingMode DeletionProtectionEnabled Tags.*
            SSESpecification.SSEEnabled SSESpecification.SSEType SSESpecification.KMSMasterKeyId
            TimeToLiveSpecification.AttributeName TimeToLiveSpecification.Enabled
            PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled""",
        create=_create,
        configure=_configure,
        read=_read,
        update=_update,
        delete=lambda s: s.client("dynamodb").delete_table(TableName=s.id),
        attributes=lambda s: {"Arn": _arn(s)},
        attribute_names="Arn",
        fixed="TableName AttributeDefinitions KeySchema SSESpecification",
        defaults={
            "DeletionProtectionEnabled": False,
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": False},
        },
        naming=("TableName", 255),
    ),
)
