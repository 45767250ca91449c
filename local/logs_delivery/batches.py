"""What CloudWatch Logs sends to a subscription, and what Firehose makes of it.

Sources: CloudWatch Logs user guide, "Subscription filters with Amazon Data Firehose"; Firehose developer guide,
"Decompression of CloudWatch Logs", "Message extraction", "Custom prefixes" and "Amazon S3 object name format".
"""

import base64
import gzip
import json
import re
import uuid
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from local.api import ACCOUNT, ApiError

CONTROL_TEXT = "CWL CONTROL MESSAGE: Checking health of destination Firehose."
_TERM = r'\(?\s*\$\.(\w+)\s*=\s*"([^"*]*)"\s*\)?'
_PATTERN = re.compile(rf"\{{\s*{_TERM}(?:\s*\|\|\s*{_TERM})*\s*\}}")
_STAMP = re.compile(r"!\{timestamp:([^}]*)\}")
_LETTERS = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "/": "/", "-": "-"}


def matcher(pattern: str) -> Callable[[str], bool]:
    """Return the test of a filter pattern: one JSON member equal to a text, or several such joined by `||`.

    Raises
    ------
    ApiError
        InvalidParameterException for every other pattern; the stacks use no other.
    """
    if not _PATTERN.fullmatch(pattern):
        message = f'Invalid filter pattern: the laptop engine knows {{ ($.member = "text") || ... }}, not {pattern}'
        raise ApiError("InvalidParameterException", message)
    wanted = re.findall(_TERM, pattern)

    def matches(line: str) -> bool:
        try:
            found = json.loads(line)
        except ValueError:
            return False
        return isinstance(found, dict) and any(found.get(name) == text for name, text in wanted)

    return matches


def envelope(kind: str, group: str, stream: str, filter_name: str, events: Sequence[Mapping[str, Any]]) -> bytes:
    """Return one record of a subscription; `kind` is DATA_MESSAGE or CONTROL_MESSAGE."""
    told = {
        "owner": ACCOUNT,
        "logGroup": group,
        "logStream": stream,
        "subscriptionFilters": [filter_name],
        "messageType": kind,
        "logEvents": list(events),
    }
    return gzip.compress(json.dumps(told).encode())


def extracted(record: bytes) -> bytes:
    """Return a record's messages as they are, one after the other, and the delimiter after the last.

    Raises ValueError when the record is nothing that CloudWatch Logs sends.
    """
    try:
        events = json.loads(gzip.decompress(record))["logEvents"]
        return "".join(event["message"] for event in events).encode() + b"\n"
    except (OSError, EOFError, zlib.error, KeyError, TypeError) as error:
        raise ValueError(f"not decompressed: {error}") from error


def prefix_at(prefix: str, at: float, error_type: str = "") -> str:
    """Return a custom prefix with its expressions evaluated for a moment, in UTC.

    Raises ValueError for an expression that the stacks do not use.
    """
    moment = datetime.fromtimestamp(at, UTC)

    def stamp(found: re.Match[str]) -> str:
        parts = re.findall("|".join(_LETTERS), found[1])
        if "".join(parts) != found[1]:
            raise _unknown(found[0])
        return moment.strftime("".join(_LETTERS[part] for part in parts))

    evaluated = _STAMP.sub(stamp, prefix.replace("!{firehose:error-output-type}", error_type))
    if "!{" in evaluated:
        raise _unknown(evaluated)
    return evaluated


def object_name(stream: str, version: str, at: float, extension: str) -> str:
    """Return the part of an object's key after its prefix."""
    return f"{stream}-{version}-{datetime.fromtimestamp(at, UTC):%Y-%m-%d-%H-%M-%S}-{uuid.uuid4()}{extension}"


def failed_record(record: bytes, arrival: float, now: float, why: str) -> bytes:
    """Return the line that stands in the error output for a record that could not be decompressed."""
    told = {
        "attemptsMade": 1,
        "arrivalTimestamp": int(arrival * 1000),
        "errorCode": "Decompression.Failed",
        "errorMessage": why,
        "attemptEndingTimestamp": int(now * 1000),
        "rawData": base64.b64encode(record).decode(),
    }
    return json.dumps(told).encode() + b"\n"


def _unknown(expression: str) -> ValueError:
    return ValueError(f"the laptop engine does not know the prefix expression {expression}")
