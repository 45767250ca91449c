"""DynamoDB: an item written only while a condition holds."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from cloud.faults import code, translated


def put_if(dynamodb: Any, request: Mapping[str, Any], doing: str) -> bool:
    """Send a PutItem with a condition; False when the condition does not hold, so that somebody else was first."""
    try:
        with translated(doing):
            dynamodb.put_item(**request)
    except ClientError as error:
        if code(error) == "ConditionalCheckFailedException":
            return False
        raise
    return True
