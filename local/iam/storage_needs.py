"""What calls to S3, DynamoDB, SQS, SNS and CloudWatch Logs need.

Source: Service Authorization Reference; S3 user guide, "Required permissions for API operations"; DynamoDB developer
guide, "Using IAM policy conditions" and "Usage notes of encryption at rest" (it decrypts a table's key for each
caller); SNS developer guide, "Key management"; SQS API permissions.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

from local.api import ACCOUNT
from local.iam.decision import Need
from local.iam.facts import has_tags, hash_key

Parameters = Mapping[str, Any]
Needs = Callable[[Parameters, str], list[Need]]
"""(parameters, region) -> what the call needs."""

_DECRYPT, _ENCRYPT = ("kms:Decrypt",), ("kms:GenerateDataKey",)
_EQUAL = re.compile(r"\(?\s*([#\w]+)\s*=\s*(:\w+)")


def _s3(bucket: str, key: str | None = None) -> str:
    return f"arn:aws:s3:::{bucket}" + ("" if key is None else f"/{key}")


def _read_object(given: Parameters, _: str) -> list[Need]:
    action = "s3:GetObjectVersion" if "VersionId" in given else "s3:GetObject"
    return [Need(action, _s3(given["Bucket"], given["Key"]), kms=_DECRYPT)]


def _head_object(given: Parameters, region: str) -> list[Need]:
    """Nothing is decrypted for a head, unless it asks for the checksum."""
    (need,) = _read_object(given, region)
    return [need if given.get("ChecksumMode") else Need(need.action, need.resource)]


def _put_object(given: Parameters, _: str) -> list[Need]:
    target = _s3(given["Bucket"], given["Key"])
    tagging = [Need("s3:PutObjectTagging", target)] if given.get("Tagging") else []
    return [Need("s3:PutObject", target, kms=_ENCRYPT, key=given.get("SSEKMSKeyId")), *tagging]


def source_of(given: Parameters) -> dict[str, str]:
    """Return what a CopyObject copies, by the parameters of a GetObject."""
    path, _, query = str(given["CopySource"]).partition("?")
    bucket, _, key = unquote(path).lstrip("/").partition("/")
    version = parse_qs(query).get("versionId")
    return {"Bucket": bucket, "Key": key} | ({"VersionId": version[0]} if version else {})


def _copy_object(given: Parameters, region: str) -> list[Need]:
    """A copy takes the tags along, if there are any, and then needs to read and write them."""
    source = source_of(given)
    read = _read_object(source, region)
    written = _put_object({name: value for name, value in given.items() if name != "Tagging"}, region)
    if has_tags(source["Bucket"], source["Key"], source.get("VersionId")):
        read.append(Need(f"{read[0].action}Tagging", read[0].resource))
        written.append(Need("s3:PutObjectTagging", written[0].resource))
    return read + written


def _delete_object(given: Parameters, _: str) -> list[Need]:
    action = "s3:DeleteObjectVersion" if "VersionId" in given else "s3:DeleteObject"
    return [Need(action, _s3(given["Bucket"], given["Key"]))]


def _list(action: str) -> Needs:
    return lambda given, _: [Need(action, _s3(given["Bucket"]), {"s3:prefix": given.get("Prefix", "")})]


def _table(name: str, region: str) -> str:
    return name if name.startswith("arn:") else f"arn:aws:dynamodb:{region}:{ACCOUNT}:table/{name}"


def _items(action: str, table: str, region: str, keys: Iterable[Mapping[str, Any]]) -> Need:
    """Return the need of an action on items, of which `keys` hold at least the partition key."""
    name = hash_key(region, table)
    # what no table has, or a key without its partition, DynamoDB itself refuses
    leading = tuple(str(next(iter(key[name].values()))) for key in keys if key.get(name))
    context = {"dynamodb:leadingkeys": leading}
    return Need(f"dynamodb:{action}", _table(table, region), context, kms=_DECRYPT)


def _item(action: str, member: str) -> Needs:
    return lambda given, region: [_items(action, given["TableName"], region, [given[member]])]


def _batch_get(given: Parameters, region: str) -> list[Need]:
    return [_items("BatchGetItem", table, region, asked["Keys"]) for table, asked in given["RequestItems"].items()]


def _transaction(given: Parameters, region: str) -> list[Need]:
    """DynamoDB asks for the action of each item, and for none of the transaction's own; here a table's at once."""
    puts = [item["Put"] for item in given["TransactItems"]]
    tables = dict.fromkeys(put["TableName"] for put in puts)
    return [
        _items("PutItem", table, region, [put["Item"] for put in puts if put["TableName"] == table]) for table in tables
    ]


def _query(given: Parameters, region: str) -> list[Need]:
    table, named = given["TableName"], given.get("ExpressionAttributeNames", {})
    values, partition = given.get("ExpressionAttributeValues", {}), hash_key(region, table)
    found = _EQUAL.findall(given.get("KeyConditionExpression", ""))
    keys = [{partition: values[value]} for name, value in found if named.get(name, name) == partition]
    return [_items("Query", table, region, keys)]


def queue_arn(url: str, region: str) -> str:
    """Return the ARN of a queue by its URL."""
    return f"arn:aws:sqs:{region}:{url.rstrip('/').split('/')[-2]}:{url.rstrip('/').split('/')[-1]}"


def _queue(action: str) -> Needs:
    return lambda given, region: [Need(f"sqs:{action}", queue_arn(given["QueueUrl"], region))]


def _queue_url(given: Parameters, region: str) -> list[Need]:
    return [Need("sqs:GetQueueUrl", f"arn:aws:sqs:{region}:{ACCOUNT}:{given['QueueName']}")]


def _publish(given: Parameters, _: str) -> list[Need]:
    return [Need("sns:Publish", given["TopicArn"], kms=("kms:GenerateDataKey", "kms:Decrypt"))]


def _logs(action: str) -> Needs:
    """The ARN of a log group ends with the stream, also where there is none (as the messages of refusals say)."""

    def needs(given: Parameters, region: str) -> list[Need]:
        group, stream = given["logGroupName"], given.get("logStreamName", "")
        return [Need(f"logs:{action}", f"arn:aws:logs:{region}:{ACCOUNT}:log-group:{group}:log-stream:{stream}")]

    return needs


def _of(service: str, needs: Mapping[str, Needs]) -> Iterator[tuple[tuple[str, str], Needs]]:
    return (((service, operation), need) for operation, need in needs.items())


STORAGE: Mapping[tuple[str, str], Needs] = dict(
    (
        *_of(
            "s3",
            {
                "GetObject": _read_object,
                "HeadObject": _head_object,
                "PutObject": _put_object,
                "CopyObject": _copy_object,
                "DeleteObject": _delete_object,
                "ListObjectsV2": _list("s3:ListBucket"),
                "ListObjectVersions": _list("s3:ListBucketVersions"),
            },
        ),
        *_of(
            "dynamodb",
            {
                "GetItem": _item("GetItem", "Key"),
                "PutItem": _item("PutItem", "Item"),
                "BatchGetItem": _batch_get,
                "TransactWriteItems": _transaction,
                "Query": _query,
            },
        ),
        *_of(
            "sqs",
            {
                "GetQueueUrl": _queue_url,
                **{
                    action: _queue(action)
                    for action in (
                        *("SendMessage", "ReceiveMessage", "DeleteMessage"),
                        *("ChangeMessageVisibility", "GetQueueAttributes"),
                    )
                },
            },
        ),
        *_of("sns", {"Publish": _publish}),
        *_of("logs", {action: _logs(action) for action in ("CreateLogGroup", "CreateLogStream", "PutLogEvents")}),
    )
)
