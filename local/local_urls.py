"""The HTTP API's address as it is on this machine: the templates can only name the one on AWS."""

import re
from typing import Any

from local.api import Caller, Operation

_API_URL = re.compile(r"https://([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com")


def with_local_urls(described: Operation, endpoint: str) -> Operation:
    """Show the HTTP API's address as what it is here; the templates can only name the one on AWS."""

    def describe_stacks(parameters: dict[str, Any], caller: Caller) -> dict[str, Any]:
        answer = described(parameters, caller)
        for stack in answer["Stacks"]:
            for output in stack.get("Outputs", ()):
                output["OutputValue"] = _API_URL.sub(rf"{endpoint}/_api/\1", output["OutputValue"])
        return answer

    return describe_stacks
