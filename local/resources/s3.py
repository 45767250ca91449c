"""AWS::S3: buckets and their policies."""

from collections.abc import Callable
from typing import Any

from local.resources.kind import Kind, Subject, document_of, found_or, tag_list, tag_map, text_of

_NO_TAGS = "NoSuchTagSet"


def own_region(s3: Any) -> dict[str, Any]:
    """Return CreateBucket's parameter for the client's region; us-east-1 must not be named."""
    region = s3.meta.region_name
    return {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}


def _create_bucket(subject: Subject) -> str:
    s3 = subject.client("s3")
    ownership = subject.properties.get("OwnershipControls", {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
    s3.create_bucket(Bucket=subject.name, ObjectOwnership=ownership["Rules"][0]["ObjectOwnership"], **own_region(s3))
    return subject.name


def _configure(subject: Subject) -> None:
    """Apply each setting that this deployment sets or changes."""
    s3 = subject.client("s3")
    for name, value in subject.properties.items():
        if name in _SETTERS and subject.changed(name):
            _SETTERS[name](s3, subject.id, value)


def _set_lifecycle(s3: Any, bucket: str, value: Any) -> None:
    if value["Rules"]:
        s3.put_bucket_lifecycle_configuration(
            Bucket=bucket, LifecycleConfiguration={"Rules": [_rule_to_api(rule) for rule in value["Rules"]]}
        )
    else:
        s3.delete_bucket_lifecycle(Bucket=bucket)


def _rule_to_api(rule: dict[str, Any]) -> dict[str, Any]:
    api: dict[str, Any] = {"Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "Id" in rule:
        api["ID"] = rule["Id"]
    if "ExpirationInDays" in rule:
        api["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
    elif "ExpiredObjectDeleteMarker" in rule:
        api["Expiration"] = {"ExpiredObjectDeleteMarker": rule["ExpiredObjectDeleteMarker"]}
    if old := rule.get("NoncurrentVersionExpiration"):
        api["NoncurrentVersionExpiration"] = {"NoncurrentDays": int(old["NoncurrentDays"])}
    if unfinished := rule.get("AbortIncompleteMultipartUpload"):
        api["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": int(unfinished["DaysAfterInitiation"])}
    return api


def _rule_from_api(rule: dict[str, Any]) -> dict[str, Any]:
    return {
        "Status": rule["Status"],
        "Id": rule.get("ID"),
        "Prefix": rule.get("Filter", {}).get("Prefix", rule.get("Prefix")),
        "ExpirationInDays": rule.get("Expiration", {}).get("Days"),
        "ExpiredObjectDeleteMarker": rule.get("Expiration", {}).get("ExpiredObjectDeleteMarker"),
        "NoncurrentVersionExpiration": rule.get("NoncurrentVersionExpiration"),
        "AbortIncompleteMultipartUpload": rule.get("AbortIncompleteMultipartUpload"),
    }


def _log(subject: Subject) -> None:
    """Switch access logs on or off: last of all, because moto wants the target's bucket policy to be there."""
    if subject.changed("LoggingConfiguration"):
        value = subject.properties["LoggingConfiguration"]
        status = {"TargetBucket": value["DestinationBucketName"], "TargetPrefix": value.get("LogFilePrefix", "")}
        subject.client("s3").put_bucket_logging(Bucket=subject.id, BucketLoggingStatus={"LoggingEnabled": status})


def _set_notification(s3: Any, bucket: str, value: Any) -> None:
    on = str(value["EventBridgeConfiguration"]["EventBridgeEnabled"]).lower() == "true"
    configuration: dict[str, Any] = {"EventBridgeConfiguration": {}} if on else {}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)


_SETTERS: dict[str, Callable[[Any, str, Any], Any]] = {
    "VersioningConfiguration": lambda s3, bucket, value: s3.put_bucket_versioning(
        Bucket=bucket, VersioningConfiguration=value
    ),
    "BucketEncryption": lambda s3, bucket, value: s3.put_bucket_encryption(
        Bucket=bucket,
        ServerSideEncryptionConfiguration={
            "Rules": [
                {
                    "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
                    "BucketKeyEnabled": rule.get("BucketKeyEnabled", False),
                }
                for rule in value["ServerSideEncryptionConfiguration"]
            ]
        },
    ),
    "PublicAccessBlockConfiguration": lambda s3, bucket, value: s3.put_public_access_block(
        Bucket=bucket, PublicAccessBlockConfiguration=value
    ),
    "OwnershipControls": lambda s3, bucket, value: s3.put_bucket_ownership_controls(
        Bucket=bucket, OwnershipControls=value
    ),
    "LifecycleConfiguration": _set_lifecycle,
    "NotificationConfiguration": _set_notification,
    "Tags": lambda s3, bucket, value: s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tag_list(value)}),
}


def _read_encryption(s3: Any, bucket: str) -> Any:
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    return {
        "ServerSideEncryptionConfiguration": [
            {
                "ServerSideEncryptionByDefault": rule["ApplyServerSideEncryptionByDefault"],
                "BucketKeyEnabled": rule.get("BucketKeyEnabled", False),
            }
            for rule in rules
        ]
    }


def _read_lifecycle(s3: Any, bucket: str) -> Any:
    rules = found_or(
        {"Rules": []}, lambda: s3.get_bucket_lifecycle_configuration(Bucket=bucket), "NoSuchLifecycleConfiguration"
    )["Rules"]
    return {"Rules": [_rule_from_api(rule) for rule in rules]}


def _read_logging(s3: Any, bucket: str) -> Any:
    enabled = s3.get_bucket_logging(Bucket=bucket).get("LoggingEnabled", {})
    return {"DestinationBucketName": enabled.get("TargetBucket"), "LogFilePrefix": enabled.get("TargetPrefix")}


_READERS: dict[str, Callable[[Any, str], Any]] = {
    "VersioningConfiguration": lambda s3, bucket: s3.get_bucket_versioning(Bucket=bucket),
    "BucketEncryption": _read_encryption,
    "PublicAccessBlockConfiguration": lambda s3, bucket: s3.get_public_access_block(Bucket=bucket)[
        "PublicAccessBlockConfiguration"
    ],
    "OwnershipControls": lambda s3, bucket: s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"],
    "LifecycleConfiguration": _read_lifecycle,
    "LoggingConfiguration": _read_logging,
    "Tags": lambda s3, bucket: tag_map(
        found_or({"TagSet": []}, lambda: s3.get_bucket_tagging(Bucket=bucket), _NO_TAGS)["TagSet"]
    ),
}


def _read_bucket(subject: Subject) -> dict[str, Any]:
    s3 = subject.client("s3")
    return {"BucketName": subject.id} | {
        name: _READERS[name](s3, subject.id) for name in subject.properties if name in _READERS
    }


def _bucket_attributes(subject: Subject) -> dict[str, str]:
    return {
        "Arn": f"arn:aws:s3:::{subject.id}",
        "DomainName": f"{subject.id}.s3.amazonaws.com",
        "RegionalDomainName": f"{subject.id}.s3.{subject.client('s3').meta.region_name}.amazonaws.com",
    }


def _put_policy(subject: Subject) -> str:
    bucket = str(subject.properties["Bucket"])
    subject.client("s3").put_bucket_policy(Bucket=bucket, Policy=text_of(subject.properties["PolicyDocument"]))
    return bucket


def _read_policy(subject: Subject) -> dict[str, Any]:
    policy = subject.client("s3").get_bucket_policy(Bucket=subject.id)["Policy"]
    return {"Bucket": subject.id, "PolicyDocument": document_of(policy)}


KINDS = (
    Kind(
        type="AWS::S3::Bucket",
        properties="""BucketName VersioningConfiguration.Status Tags.*
            BucketEncryption.ServerSideEncryptionConfiguration.BucketKeyEnabled
            BucketEncryption.ServerSideEncryptionConfiguration.ServerSideEncryptionByDefault.SSEAlgorithm
            BucketEncryption.ServerSideEncryptionConfiguration.ServerSideEncryptionByDefault.KMSMasterKeyID
            PublicAccessBlockConfiguration.BlockPublicAcls PublicAccessBlockConfiguration.BlockPublicPolicy
            PublicAccessBlockConfiguration.IgnorePublicAcls PublicAccessBlockConfiguration.RestrictPublicBuckets
            OwnershipControls.Rules.ObjectOwnership
            LifecycleConfiguration.Rules.Status LifecycleConfiguration.Rules.Id LifecycleConfiguration.Rules.Prefix
            LifecycleConfiguration.Rules.ExpirationInDays LifecycleConfiguration.Rules.ExpiredObjectDeleteMarker
            LifecycleConfiguration.Rules.NoncurrentVersionExpiration.NoncurrentDays
            LifecycleConfiguration.Rules.AbortIncompleteMultipartUpload.DaysAfterInitiation
            LoggingConfiguration.DestinationBucketName LoggingConfiguration.LogFilePrefix
            NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled""",
        create=_create_bucket,
        configure=_configure,
        finish=_log,
        read=_read_bucket,
        update=_configure,
        delete=lambda s: s.client("s3").delete_bucket(Bucket=s.id),
        attributes=_bucket_attributes,
        attribute_names="Arn DomainName RegionalDomainName",
        fixed="BucketName",
        defaults={
            "VersioningConfiguration": {"Status": "Suspended"},
            "LifecycleConfiguration": {"Rules": []},
            "NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": False}},
        },
        unread={"NotificationConfiguration": "moto does not echo EventBridgeConfiguration"},
        naming=("BucketName", 63),
    ),
    Kind(
        type="AWS::S3::BucketPolicy",
        properties="Bucket PolicyDocument.*",
        create=_put_policy,
        read=_read_policy,
        update=_put_policy,
        delete=lambda s: s.client("s3").delete_bucket_policy(Bucket=s.id),
        fixed="Bucket",
    ),
)
