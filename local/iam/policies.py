"""The policies of the account, and the keys of its resources: read by the public APIs, kept until one changes."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local.api import Clients
from local.iam.decision import about
from local.iam.statements import Statement, statements
from local.resources.kind import found_or
from local.wire import HttpAnswer, HttpCall

_WRITES = re.compile(
    r"(Create|Delete|Put|Set|Update|Associate|Disassociate|Attach|Detach|Add|Remove)(?!Item|Log|Object)"
)
_S3_SETTINGS = re.compile(r"(policy|encryption)\b")
OBSERVED = ("iam", "kms", "s3", "sqs", "sns", "dynamodb", "logs")
"""Services of which policies or keys are kept here."""


class Policies:
    """What is written about roles and resources; `of_function` gives the statements of a function's policy."""

    def __init__(self, clients: Clients, of_function: Callable[[str], Sequence[Mapping[str, Any]]]) -> None:
        self._clients = clients
        self._of_function = of_function
        self._kept: dict[tuple[str, ...], Any] = {}

    def __call__(self, call: HttpCall, _: HttpAnswer) -> None:
        """Look at an answered call: one that may have changed a policy or a key makes everything be read anew."""
        if _changes(call):
            self._kept = {}

    def roles(self) -> dict[str, str]:
        """Return the ARN of every role by its name."""
        pages = self._clients("iam").get_paginator("list_roles").paginate()
        return {role["RoleName"]: role["Arn"] for page in pages for role in page["Roles"]}

    def of_role(self, role_arn: str, action: str) -> tuple[Statement, ...]:
        """Return what a role's own policies say of an action."""
        return self.keep(("role", role_arn, action), lambda: about(self.all_of_role(role_arn), action))

    def all_of_role(self, role_arn: str) -> tuple[Statement, ...]:
        """Return every statement of a role's own policies; none for a role that is not there."""
        return self.keep(("role", role_arn), lambda: self._identity(role_arn.rpartition("/")[2]))

    def trust(self, role_arn: str) -> tuple[Statement, ...]:
        """Return who may assume a role; nobody one that is not there."""
        return self.keep(("trust", role_arn), lambda: self._trust(role_arn))

    def of_resource(self, arn: str, action: str) -> tuple[Statement, ...]:
        """Return what a resource's policy says of an action."""
        kind = arn.split(":")[2] if ":" in arn else ""
        if kind == "lambda":
            return about(statements({"Statement": list(self._of_function(arn))}), action)
        if kind not in _READERS:
            return ()
        owner = arn.partition("/")[0] if kind == "s3" else arn
        return self.keep(("resource", owner, action), lambda: about(self._resource(kind, owner), action))

    def key_of(self, arn: str) -> str | None:
        """Return the ARN of the customer's key that encrypts a resource, None when there is none."""
        kind = arn.split(":")[2]
        owner = arn.partition("/")[0] if kind == "s3" else arn.partition(":log-stream:")[0]
        return self.keep(("key", owner), lambda: self.key(_KEYS[kind](self._clients(kind), owner)))

    def key(self, name: str | None) -> str | None:
        """Return the ARN of a customer's key by its id or ARN."""
        if not name or name.startswith("alias/aws/"):
            return None
        return str(self._clients("kms").describe_key(KeyId=name)["KeyMetadata"]["Arn"])

    def keep[T](self, name: tuple[str, ...], read: Callable[[], T]) -> T:
        """Return what `read` gives for `name`, read once until something changes; what it raises is not kept."""
        kept = self._kept  # what is read while something changes lands in a place that nobody looks at any more
        if name not in kept:
            kept[name] = read()
        value: T = kept[name]
        return value

    def _identity(self, role: str) -> tuple[Statement, ...]:
        iam = self._clients("iam")
        named = found_or([], lambda: iam.list_role_policies(RoleName=role)["PolicyNames"], "NoSuchEntity")
        found = [iam.get_role_policy(RoleName=role, PolicyName=name) for name in named]
        return tuple(s for one in found for s in statements(one["PolicyDocument"], one["PolicyName"]))

    def _trust(self, role_arn: str) -> tuple[Statement, ...]:
        name = role_arn.rpartition("/")[2]
        role = found_or(None, lambda: self._clients("iam").get_role(RoleName=name)["Role"], "NoSuchEntity")
        return () if role is None or role["Arn"] != role_arn else statements(role["AssumeRolePolicyDocument"], name)

    def _resource(self, kind: str, arn: str) -> tuple[Statement, ...]:
        text = found_or(None, lambda: _READERS[kind](self._clients(kind), arn), *_NOTHING)
        return statements(json.loads(text), arn) if text else ()


_NOTHING = (
    *("NoSuchBucketPolicy", "NoSuchBucket", "NotFound", "NotFoundException", "QueueDoesNotExist"),
    *("AWS.SimpleQueueService.NonExistentQueue", "ResourceNotFoundException"),
)


def _queue_policy(sqs: Any, arn: str) -> str | None:
    _, _, _, region, account, name = arn.split(":")
    url = f"https://sqs.{region}.amazonaws.com/{account}/{name}"
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
    policy: str | None = found.get("Attributes", {}).get("Policy")
    return policy


def _topic(member: str) -> Callable[[Any, str], Any]:
    return lambda sns, arn: sns.get_topic_attributes(TopicArn=arn)["Attributes"].get(member)


_READERS: Mapping[str, Callable[[Any, str], str | None]] = {
    "s3": lambda s3, arn: s3.get_bucket_policy(Bucket=arn.rpartition(":")[2])["Policy"],
    "sqs": _queue_policy,
    "sns": _topic("Policy"),
    "kms": lambda kms, arn: kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"],
}


def _bucket_key(s3: Any, arn: str) -> str | None:
    bucket, missing = arn.rpartition(":")[2], ("ServerSideEncryptionConfigurationNotFoundError", "NoSuchBucket")
    found = found_or(None, lambda: s3.get_bucket_encryption(Bucket=bucket), *missing)
    rules = found["ServerSideEncryptionConfiguration"]["Rules"] if found else []
    return next((r["ApplyServerSideEncryptionByDefault"].get("KMSMasterKeyID") for r in rules), None)


def _table_key(dynamodb: Any, arn: str) -> str | None:
    table = found_or({}, lambda: dynamodb.describe_table(TableName=arn)["Table"], "ResourceNotFoundException")
    key: str | None = table.get("SSEDescription", {}).get("KMSMasterKeyArn")
    return key


def _group_key(logs: Any, arn: str) -> str | None:
    group = arn.split(":", 6)[6]
    found = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    return next((one.get("kmsKeyId") for one in found if one["logGroupName"] == group), None)


_KEYS: Mapping[str, Callable[[Any, str], str | None]] = {
    "s3": _bucket_key,
    "dynamodb": _table_key,
    "sns": lambda sns, arn: found_or(None, lambda: _topic("KmsMasterKeyId")(sns, arn), "NotFound"),
    "logs": _group_key,
}


def _changes(call: HttpCall) -> bool:
    target = call.headers.get("x-amz-target")
    if target:
        return _WRITES.match(target.rpartition(".")[2]) is not None or target.endswith("LogGroup")
    if call.body[:7] == b"Action=":
        return _WRITES.match(call.body[7:40].decode()) is not None
    return call.method in ("PUT", "DELETE") and bool(_S3_SETTINGS.match(call.query) or call.path.count("/") < 2)
