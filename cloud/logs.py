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

    def tail(self, group: str, prefix: str, token: str | None = None) -> tuple[list[str], str | None]:
        """Return what the newest log stream that begins with `prefix` holds after `token`, and the token for next time.

        Nothing while there is no such stream.
        """
        try:
            streams = self._client.describe_log_streams(logGroupName=group, logStreamNamePrefix=prefix)["logStreams"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            streams = []
        found: list[str] = []
        while streams:
            after = {"nextToken": token} if token else {}
            page = self._client.get_log_events(
                logGroupName=group, logStreamName=streams[-1]["logStreamName"], startFromHead=True, **after
            )
            found += [event["message"].rstrip("\n") for event in page["events"]]
            if token == page["nextForwardToken"]:  # the same token again: there is no more yet
                break
            token = page["nextForwardToken"]
        return found, token
