"""The statements that several roles need, each naming exactly what it opens."""

from collections.abc import Sequence
from typing import Final

from lifecycle import names
from stacks.constructs.role import Grant
from stacks.imported import bucket_arn, regional_arn

_OF_VERSIONS: Final = ("GetFunctionConfiguration", "InvokeFunction", "DeleteFunction")
_KEYS: Final = "objects are many and named while the system runs; the prefix is the narrowest name there is"


def use_key(key_arn: str) -> Grant:
    """Encrypt and decrypt with the stage's key: S3 objects, table items, messages of the topic."""
    return Grant(actions=("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"), resources=(key_arn,))


def read_objects(bucket: str, *prefixes: str) -> Grant:
    """Read objects below the prefixes, or exactly them."""
    return _objects(("s3:GetObject",), bucket, prefixes)


def write_objects(bucket: str, *prefixes: str) -> Grant:
    """Write objects below the prefixes, each in one request, as our functions do."""
    return _objects(("s3:PutObject",), bucket, prefixes)


def write_large_objects(bucket: str, *prefixes: str) -> Grant:
    """Write objects below the prefixes, large ones in parts, as services do that write for us."""
    return _objects(("s3:PutObject", "s3:AbortMultipartUpload"), bucket, prefixes)


def _objects(actions: Sequence[str], bucket: str, prefixes: Sequence[str]) -> Grant:
    resources = [f"{bucket_arn(bucket)}/{prefix}*" for prefix in prefixes]
    return Grant(actions=actions, resources=resources, why=_KEYS)


def read_versions(bucket: str, *prefixes: str) -> Grant:
    """Read a named version of objects."""
    return _objects(("s3:GetObjectVersion",), bucket, prefixes)


def copy_versions(bucket: str, *prefixes: str) -> Grant:
    """Copy a named version of objects server-side; a copy takes an object's tags along."""
    return _objects(("s3:GetObjectVersion", "s3:GetObjectVersionTagging"), bucket, prefixes)


def write_tags(bucket: str, *prefixes: str) -> Grant:
    """Tag objects, as the copy of a tagged object does."""
    return _objects(("s3:PutObjectTagging",), bucket, prefixes)


def list_objects(bucket: str, *prefixes: str, versions: bool = False) -> Grant:
    """List the objects below the prefixes (with `versions`: their versions too). A missing key then reads as missing.

    Without it S3 answers 403 for a key that does not exist.
    """
    actions = ("s3:ListBucket", "s3:ListBucketVersions") if versions else ("s3:ListBucket",)
    condition = {"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in prefixes]}}
    return Grant(actions=actions, resources=(bucket_arn(bucket),), condition=condition)


def read_asset(bucket: str, *keys: str) -> Grant:
    """Read single assets of the bootstrap bucket."""
    return Grant(actions=("s3:GetObject",), resources=[f"{bucket_arn(bucket)}/{key}" for key in keys])


def list_assets(bucket: str, *keys: str) -> Grant:
    """List single assets of the bootstrap bucket, as SageMaker does before it downloads them."""
    condition = {"StringEquals": {"s3:prefix": list(keys)}}
    return Grant(actions=("s3:ListBucket",), resources=(bucket_arn(bucket),), condition=condition)


def claim(table: str) -> Grant:
    """Take, renew and give back claims."""
    return Grant(
        actions=("dynamodb:GetItem", "dynamodb:PutItem"), resources=(regional_arn("dynamodb", f"table/{table}"),)
    )


def see_claims(table: str) -> Grant:
    """See who holds a claim."""
    return Grant(actions=("dynamodb:GetItem",), resources=(regional_arn("dynamodb", f"table/{table}"),))


def keep_labels(table: str, model: str) -> Grant:
    """Read and write the labels of one model: the keys of its items begin with its name."""
    return Grant(
        actions=("dynamodb:BatchGetItem", "dynamodb:PutItem"),
        resources=(regional_arn("dynamodb", f"table/{table}"),),
        condition={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{model}#*"]}},
    )


def read_labels(table: str, model: str) -> Grant:
    """Read the labels of one model, hour by hour."""
    return Grant(
        actions=("dynamodb:Query",),
        resources=(regional_arn("dynamodb", f"table/{table}"),),
        condition={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{model}#*"]}},
    )


def put_metrics() -> Grant:
    """Put metrics into our own namespace, and no other."""
    return Grant(
        actions=("cloudwatch:PutMetricData",),
        resources=("*",),
        condition={"StringEquals": {"cloudwatch:namespace": names.METRIC_NAMESPACE}},
        why="metrics have no resource-level permissions; the condition names the namespace",
    )


def record(writer_arn: str) -> Grant:
    """Have the ledger written."""
    return Grant(actions=("lambda:InvokeFunction",), resources=(writer_arn,))


def announce() -> Grant:
    """Put our own events, and only ours, on the default bus."""
    return Grant(
        actions=("events:PutEvents",),
        resources=(regional_arn("events", "event-bus/default"),),
        condition={"StringEquals": {"events:source": names.SOURCE}},
    )


def tell(topic_arn: str) -> Grant:
    """Publish to the topic for people."""
    return Grant(actions=("sns:Publish",), resources=(topic_arn,))


def receive(queue_arn: str) -> Grant:
    """Take messages from a queue, and show them again later when they cannot be handled yet."""
    actions = ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes", "GetQueueUrl")
    return Grant(actions=[f"sqs:{action}" for action in actions], resources=(queue_arn,))


def hand_over(queue_arn: str) -> Grant:
    """Send to a dead-letter queue."""
    return Grant(actions=("sqs:SendMessage",), resources=(queue_arn,))


def executions(machine_arn: str, machine_name: str, *, start: bool = False) -> list[Grant]:
    """Describe executions of a machine; start some, too."""
    listed = regional_arn("states", f"execution:{machine_name}:*")
    why = "executions get their names while the system runs"
    describe = Grant(actions=("states:DescribeExecution",), resources=(listed,), why=why)
    return [describe, *([Grant(actions=("states:StartExecution",), resources=(machine_arn,))] if start else [])]


def use_versions(function: str, actions: Sequence[str]) -> list[Grant]:
    """Do `actions` with a function and, those that are done with a version, with its versions and aliases."""
    arn, why = regional_arn("lambda", f"function:{function}"), "versions get their numbers while the system runs"
    whole, each = (
        [f"lambda:{action}" for action in actions if (action in _OF_VERSIONS) == of_versions]
        for of_versions in (False, True)
    )
    found = [Grant(actions=whole, resources=(arn,)), Grant(actions=each, resources=(arn, f"{arn}:*"), why=why)]
    return [grant for grant in found if grant.actions]
