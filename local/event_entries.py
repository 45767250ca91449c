"""What EventBridge refuses of a PutEvents request, as a whole or entry by entry."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from local.api import ApiError

MAX_ENTRY_BYTES = 262_144


def check(entries: Sequence[Mapping[str, Any]]) -> None:
    """Raise ApiError ValidationException for entries that are too large together."""
    size = sum(
        len(str(entry.get(name, "")).encode()) for entry in entries for name in ("Detail", "DetailType", "Source")
    )
    if size > MAX_ENTRY_BYTES:
        raise ApiError("ValidationException", f"Total size of the entries in the request is over the limit: {size}.")


def refusal(entry: Mapping[str, Any]) -> dict[str, str] | None:
    """Return the answer to an entry that is not taken, None for one that is."""
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            return _refused("InvalidArgument", f"Parameter {name} is not valid. Reason: {name} is a required argument.")
    if entry["Source"].startswith("aws."):
        return _refused("NotAuthorizedForSourceException", "Not authorized for the source.")
    if entry.get("EventBusName", "default").rpartition("/")[2] != "default":
        return _refused("ResourceNotFoundException", f"Event bus {entry['EventBusName']} does not exist.")
    try:
        detail = json.loads(entry["Detail"])
    except ValueError:
        detail = None
    if not isinstance(detail, dict):
        return _refused("MalformedDetail", "Detail is malformed.")
    return None


def _refused(code: str, message: str) -> dict[str, str]:
    return {"ErrorCode": code, "ErrorMessage": message}
