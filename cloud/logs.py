"""CloudWatch Logs, read back for a person."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError


@dataclass(frozen=True, slots=True)
class Line:
    """One log event: epoch milliseconds, its group, its text."""

    at_ms: int
    group: str
    text: str


class Logs:
    """Reads log groups."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def groups(self, prefix: str) -> list[str]:
        """Return the names of the log groups that begin with `prefix`, sorted."""
        pages = self._client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
        return sorted(group["logGroupName"] for page in pages for group in page["logGroups"])

    def lines(self, group: str, since_ms: int, contains: str | None = None) -> Iterator[Line]:
        """Yield the lines of a group since a moment, oldest first; nothing when there is no such group."""
        arguments = {"logGroupName": group, "startTime": since_ms}
        if contains:
            arguments["filterPattern"] = f'"{contains}"'
        try:
            for page in self._client.get_paginator("filter_log_events").paginate(**arguments):
                for event in page["events"]:
                    yield Line(event["timestamp"], group, event["message"].rstrip("\n"))
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
