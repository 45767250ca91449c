"""AWS::S3: buckets and their policies."""

from functools import partial
from typing import Any

from local.resources.kind import Kind, Properties, Subject, found_or, respelled, spelling

# property: what the service's put_ and get_ operations are called, their parameter
_SETTINGS = {
    "VersioningConfiguration": ("bucket_versioning", "VersioningConfiguration"),
    "BucketEncryption": ("bucket_encryption", "ServerSideEncryptionConfiguration"),
    "PublicAccessBlockConfiguration": ("public_access_block", "PublicAccessBlockConfiguration"),
    "OwnershipControls": ("bucket_ownership_controls", "OwnershipControls"),
    "LifecycleConfiguration": ("bucket_lifecycle_configuration", "LifecycleConfiguration"),
    "NotificationConfiguration": ("bucket_notification_configuration", "NotificationConfiguration"),
    "Tags": ("bucket_tagging", "Tagging"),
}
_WORDS = {
    "Id": "ID",
    "ServerSideEncryptionConfiguration": "Rules",
    "ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault",
    "DestinationBucketName": "TargetBucket",
    "LogFilePrefix": "TargetPrefix",
}
_EVENTS = "NotificationConfiguration"
_LIFECYCLE = "LifecycleConfiguration"


def own_region(s3: Any) -> dict[str, Any]:
    """Return CreateBucket's parameter for the client's region; us-east-1 must not be named."""
    region = s3.meta.region_name
    return {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}


def _spell(properties: Properties) -> dict[str, Any]:
    spelled: dict[str, Any] = respelled(dict(properties), lambda word: _WORDS.get(word, word))
    for rule in spelled.get(_LIFECYCLE, {}).get("Rules", []):
        rule["Filter"] = {"Prefix": ""}
        for name, short in (("ExpirationInDays", "Days"), ("ExpiredObjectDeleteMarker", "ExpiredObjectDeleteMarker")):
            if name in rule:
                rule.setdefault("Expiration", {})[short] = rule.pop(name)
    if _EVENTS in spelled:
        on = spelled[_EVENTS]["EventBridgeConfiguration"]["EventBridgeEnabled"]
        spelled[_EVENTS] = {"EventBridgeConfiguration": {}} if str(on).lower() == "true" else {}
    return spelled


def _create(subject: Subject) -> str:
    subject.aws.create_bucket(Bucket=subject.name, **own_region(subject.aws))
    return subject.name


def _configure(subject: Subject) -> None:
    for name, (operation, parameter) in _SETTINGS.items():
        if not subject.changed(name) or name not in subject.api:
            continue
        value = {"TagSet": subject.api[name]} if name == "Tags" else subject.api[name]
        if name == _LIFECYCLE and not value["Rules"]:
            subject.aws.delete_bucket_lifecycle(Bucket=subject.id)
        else:
            getattr(subject.aws, f"put_{operation}")(Bucket=subject.id, **{parameter: value})


def _log(subject: Subject) -> None:
    """Switch access logs on: last of all, because moto wants the target's bucket policy to be there."""
    if "LoggingConfiguration" in subject.api:
        status = {"LoggingEnabled": subject.api["LoggingConfiguration"]}
        subject.aws.put_bucket_logging(Bucket=subject.id, BucketLoggingStatus=status)


def _read(subject: Subject) -> dict[str, Any]:
    aws = subject.aws
    found = {"LoggingConfiguration": aws.get_bucket_logging(Bucket=subject.id).get("LoggingEnabled")}
    for name in subject.api.keys() & _SETTINGS.keys():
        operation, parameter = _SETTINGS[name]
        answer = found_or(_NOTHING, partial(getattr(aws, f"get_{operation}"), Bucket=subject.id), *_NOT_SET)
        whole = {key: value for key, value in answer.items() if key != "ResponseMetadata"}
        found[name] = answer.get("TagSet") if name == "Tags" else answer.get(parameter, whole)
    return found


_NOTHING: dict[str, Any] = {"Rules": [], "TagSet": []}
_NOT_SET = ("NoSuchLifecycleConfiguration", "NoSuchTagSet")


def _put_policy(subject: Subject) -> str:
    subject.aws.put_bucket_policy(**subject.pick("Bucket Policy"))
    return str(subject.properties["Bucket"])


KINDS = (
    Kind(
        type="AWS::S3::Bucket",
        service="s3",
        properties="""VersioningConfiguration.Status
            BucketEncryption.ServerSideEncryptionConfiguration.BucketKeyEnabled
            BucketEncryption.ServerSideEncryptionConfiguration.ServerSideEncryptionByDefault.SSEAlgorithm
            BucketEncryption.ServerSideEncryptionConfiguration.ServerSideEncryptionByDefault.KMSMasterKeyID
            PublicAccessBlockConfiguration.BlockPublicAcls PublicAccessBlockConfiguration.BlockPublicPolicy
            PublicAccessBlockConfiguration.IgnorePublicAcls PublicAccessBlockConfiguration.RestrictPublicBuckets
            OwnershipControls.Rules.ObjectOwnership
            LifecycleConfiguration.Rules.Status LifecycleConfiguration.Rules.Id
            LifecycleConfiguration.Rules.ExpirationInDays LifecycleConfiguration.Rules.ExpiredObjectDeleteMarker
            LifecycleConfiguration.Rules.NoncurrentVersionExpiration.NoncurrentDays
            LifecycleConfiguration.Rules.AbortIncompleteMultipartUpload.DaysAfterInitiation
            LoggingConfiguration.DestinationBucketName LoggingConfiguration.LogFilePrefix
            NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled""",
        tags=("Tags", "Key", "Value"),
        spell=_spell,
        create=_create,
        configure=_configure,
        finish=_log,
        read=_read,
        update=_configure,
        updates=" ".join(name for name in _SETTINGS if name != "Tags") + " LoggingConfiguration",
        defaults={
            _LIFECYCLE: {"Rules": []},
            _EVENTS: {"EventBridgeConfiguration": {"EventBridgeEnabled": False}},
        },
        delete=lambda s: s.aws.delete_bucket(Bucket=s.id),
        attributes=lambda s: {"Arn": f"arn:aws:s3:::{s.id}"},
        attribute_names="Arn",
        naming=("", 63),
    ),
    Kind(
        type="AWS::S3::BucketPolicy",
        service="s3",
        properties="Bucket PolicyDocument.*",
        spell=spelling({"PolicyDocument": "Policy"}, documents="PolicyDocument"),
        create=_put_policy,
        read=lambda s: {"Bucket": s.id, "Policy": s.aws.get_bucket_policy(Bucket=s.id)["Policy"]},
        update=_put_policy,
        updates="PolicyDocument",
        replaces="Bucket",
        delete=lambda s: s.aws.delete_bucket_policy(Bucket=s.id),
    ),
)
