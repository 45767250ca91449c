"""AWS::DynamoDB: tables."""

from typing import Any

from local.resources.kind import Kind, Properties, Subject

_RECOVERY = "PointInTimeRecoverySpecification"


def _spell(properties: Properties) -> dict[str, Any]:
    spelled = dict(properties)
    if encryption := dict(spelled.get("SSESpecification", {})):
        spelled["SSESpecification"] = {"Enabled": encryption.pop("SSEEnabled"), **encryption}
    return spelled


def _create(subject: Subject) -> str:
    asked = subject.pick("AttributeDefinitions KeySchema BillingMode SSESpecification Tags")
    subject.aws.create_table(TableName=subject.name, **asked)
    return subject.name


def _recover(subject: Subject) -> None:
    if _RECOVERY in subject.api:
        subject.aws.update_continuous_backups(TableName=subject.id, **subject.pick(_RECOVERY))


def _read(subject: Subject) -> dict[str, Any]:
    aws, name = subject.aws, {"TableName": subject.id}
    table: dict[str, Any] = aws.describe_table(**name)["Table"]
    encryption = table.get("SSEDescription", {})
    backups = aws.describe_continuous_backups(**name)["ContinuousBackupsDescription"]
    status = backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
    return table | {
        "BillingMode": table["BillingModeSummary"]["BillingMode"],
        "SSESpecification": {
            "Enabled": encryption.get("Status") == "ENABLED",
            "SSEType": encryption.get("SSEType"),
            "KMSMasterKeyId": encryption.get("KMSMasterKeyArn"),
        },
        _RECOVERY: {"PointInTimeRecoveryEnabled": status == "ENABLED"},
        "Tags": aws.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"],
    }


KINDS = (
    Kind(
        type="AWS::DynamoDB::Table",
        service="dynamodb",
        properties="""AttributeDefinitions.AttributeName AttributeDefinitions.AttributeType
            KeySchema.AttributeName KeySchema.KeyType BillingMode
            SSESpecification.SSEEnabled SSESpecification.SSEType SSESpecification.KMSMasterKeyId
            PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled""",
        tags=("Tags", "Key", "Value"),
        spell=_spell,
        create=_create,
        configure=_recover,
        read=_read,
        update=_recover,
        updates=_RECOVERY,
        replaces="KeySchema",
        defaults={_RECOVERY: {"PointInTimeRecoveryEnabled": False}},
        delete=lambda s: s.aws.delete_table(TableName=s.id),
        attributes=lambda s: {"Arn": s.aws.describe_table(TableName=s.id)["Table"]["TableArn"]},
        attribute_names="Arn",
        naming=("", 255),
    ),
)
