"""One page of a long answer of the Step Functions API."""

from collections.abc import Sequence
from typing import Any

from local.api import ApiError


def page(
    items: Sequence[dict[str, Any]], given: dict[str, Any], most: int = 100
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Cut one page out of a list; the token is the place where the next one begins.

    Raises ApiError InvalidToken.
    """
    token = given.get("nextToken", "0")
    if not token.isdecimal() or int(token) > len(items):
        raise ApiError("InvalidToken", f"Invalid Token: '{token}'")
    start, size = int(token), given.get("maxResults") or most
    cut = list(items[start : start + size])
    return cut, {"nextToken": str(start + size)} if start + size < len(items) else {}
