"""CloudFormation stacks as the command line sees them: outputs, what exists, and deleting."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from lifecycle.errors import Rejected

_GONE = "does not exist"
_POLL_SECONDS = 5.0


class Stacks:
    """Reads and deletes stacks through a CloudFormation client."""

    def __init__(self, client: Any, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._sleep = sleep

    def outputs(self, name: str) -> dict[str, str] | None:
        """Return the outputs of a stack by output key, or None when there is no such stack."""
        found = self._describe(name)
        return None if found is None else {o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", [])}

    def status(self, name: str) -> str | None:
        """Return the status of a stack, or None when there is no such stack."""
        found = self._describe(name)
        return None if found is None else str(found["StackStatus"])

    def names(self, prefix: str) -> list[str]:
        """Return the names of all existing stacks that begin with `prefix`, sorted."""
        return sorted(s["StackName"] for s in self._all() if s["StackName"].startswith(prefix))

    def resources(self, name: str) -> list[tuple[str, str]]:
        """Return (type, physical id) of each resource of a stack."""
        pages = self._client.get_paginator("list_stack_resources").paginate(StackName=name)
        return [
            (r["ResourceType"], r.get("PhysicalResourceId", ""))
            for page in pages
            for r in page["StackResourceSummaries"]
        ]

    def delete(self, name: str) -> None:
        """Delete a stack and wait until it is gone.

        Raises Rejected when CloudFormation could not delete all of it; the message names what is left.
        """
        if (found := self._describe(name)) is None:
            return
        stack_id = found["StackId"]
        self._client.delete_stack(StackName=stack_id)
        while (status := self.status(stack_id)) not in (None, "DELETE_COMPLETE"):
            if status == "DELETE_FAILED":
                raise Rejected(f"{name} could not be deleted: {self._failures(stack_id)}")
            self._sleep(_POLL_SECONDS)

    def _failures(self, name: str) -> str:
        events = self._client.describe_stack_events(StackName=name)["StackEvents"]
        failed = [e for e in events if e["ResourceStatus"] == "DELETE_FAILED"]
        return "; ".join(
            f"{e['LogicalResourceId']}: {e.get('ResourceStatusReason', 'no reason given')}" for e in failed
        )

    def _describe(self, name: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._client.describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            if _GONE in error.response["Error"]["Message"]:
                return None
            raise
        return found

    def _all(self) -> Iterator[dict[str, Any]]:
        for page in self._client.get_paginator("describe_stacks").paginate():
            yield from page["Stacks"]
