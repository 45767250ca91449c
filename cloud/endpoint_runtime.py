"""One serverless endpoint, asked from within a request. Imported only where a release names an endpoint."""

import json
from collections.abc import Sequence
from typing import Any, Final

import boto3
from botocore.config import Config

from cloud.faults import translated

# Both tries together stay below predict's 29 seconds; a cold start of an endpoint takes seconds.
CONFIG: Final = Config(retries={"mode": "standard", "max_attempts": 2}, connect_timeout=2, read_timeout=12)


class Endpoint:
    """An endpoint by name."""

    def __init__(self, name: str, runtime: Any = None) -> None:
        self._name = name
        self._runtime = runtime or boto3.client("sagemaker-runtime", config=CONFIG)

    def __call__(self, rows: Sequence[Sequence[float | None]]) -> list[list[float]]:
        """Return the outputs of encoded rows.

        Raises
        ------
        Throttled
            when more requests run than the endpoint takes at once.
        Unavailable
            when AWS failed or could not be reached.
        ClientError
            when there is no such endpoint, or its model failed.
        """
        body = json.dumps({"rows": rows}, allow_nan=False)
        with translated(f"ask endpoint {self._name}"):
            answer = self._runtime.invoke_endpoint(
                EndpointName=self._name, Body=body, ContentType="application/json", Accept="application/json"
            )
            return json.loads(answer["Body"].read())["outputs"]  # type: ignore[no-any-return]
