"""What a stage keeps: its key, its buckets and its tables."""

from aws_cdk import Aws, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.constructs import nag

NONCURRENT_DAYS = 90  # how long an overwritten or deleted object can still be brought back


def stage_key(scope: Construct, removal: RemovalPolicy) -> kms.Key:
    """Create the stage's one key: buckets, tables, logs and the topic. Queues use SQS's own encryption."""
    key = kms.Key(scope, "Key", enable_key_rotation=True, removal_policy=removal)
    groups = Stack.of(scope).format_arn(service="logs", resource="log-group:*")
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="Logs",
            principals=[iam.ServicePrincipal(f"logs.{Aws.REGION}.amazonaws.com")],
            actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
            resources=["*"],
            conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
        )
    )
    return key


def bucket(scope: Construct, title: str, key: kms.Key, logs: s3.Bucket, removal: RemovalPolicy) -> s3.Bucket:
    """Create a private, versioned, TLS-only bucket under the stage's key; old versions go after `NONCURRENT_DAYS`."""
    return s3.Bucket(
        scope,
        title,
        encryption=s3.BucketEncryption.KMS,
        encryption_key=key,
        bucket_key_enabled=True,
        server_access_logs_bucket=logs,
        server_access_logs_prefix=f"access/{title}/",
        lifecycle_rules=[_cleaning()],
        versioned=True,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        enforce_ssl=True,
        removal_policy=removal,
    )


def log_bucket(scope: Construct, removal: RemovalPolicy) -> s3.Bucket:
    """Create the bucket for access logs, encrypted by S3: log delivery would need a place in the key's policy."""
    made = s3.Bucket(
        scope,
        "AccessLogs",
        encryption=s3.BucketEncryption.S3_MANAGED,
        lifecycle_rules=[_cleaning(), s3.LifecycleRule(id="Expire", expiration=Duration.days(365))],
        versioned=True,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        enforce_ssl=True,
        removal_policy=removal,
    )
    nag.acknowledge(made, nag.ACCESS_LOGS, "it is the log bucket; logging its own log deliveries would never end")
    return made


def announce(made: s3.Bucket) -> None:
    """Send the bucket's events to EventBridge by the native property: CDK's own switch adds a custom resource."""
    resource = made.node.default_child
    assert isinstance(resource, s3.CfnBucket)
    resource.add_property_override("NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled", True)


def _cleaning() -> s3.LifecycleRule:
    return s3.LifecycleRule(
        id="Clean",
        noncurrent_version_expiration=Duration.days(NONCURRENT_DAYS),
        expired_object_delete_marker=True,
        abort_incomplete_multipart_upload_after=Duration.days(7),
    )


def table(
    scope: Construct, title: str, key: kms.Key, removal: RemovalPolicy, *, partition: str, sort: str | None = None
) -> dynamodb.Table:
    """Create a table on demand with point-in-time recovery. Items never expire: what is done stays known as done."""
    text = dynamodb.AttributeType.STRING
    return dynamodb.Table(
        scope,
        title,
        partition_key=dynamodb.Attribute(name=partition, type=text),
        sort_key=dynamodb.Attribute(name=sort, type=text) if sort else None,
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
        encryption_key=key,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        removal_policy=removal,
    )
