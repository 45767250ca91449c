"""One serverless endpoint, asked from within a request. Imported only where a release names an endpoint."""

import json
from collections.abc import Sequence
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from cloud.faults import translated
from lifecycle.errors import ModelRejected
from lifecycle.names import PRODUCT

# One try: predict has 29 seconds for all it does, a cold endpoint may take most of them, and the caller may ask again.
_TRY: Final = {"mode": "standard", "total_max_attempts": 1}
CONFIG: Final = Config(retries=_TRY, connect_timeout=2, read_timeout=20, user_agent_appid=PRODUCT)


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
            when AWS failed, could not be reached, or did not answer within 20 seconds.
        ModelRejected
            when there is no such endpoint, it may not be asked, its model failed, or the answer holds no outputs.
        """
        body = json.dumps({"rows": rows}, allow_nan=False)
        try:
            with translated(f"ask endpoint {self._name}"):
                answer = self._runtime.invoke_endpoint(
                    EndpointName=self._name, Body=body, ContentType="application/json", Accept="application/json"
                )
                return json.loads(answer["Body"].read())["outputs"]  # type: ignore[no-any-return]
        except (ClientError, BotoCoreError, ValueError, KeyError, TypeError) as error:
            raise ModelRejected(f"endpoint {self._name} failed: {type(error).__name__}: {error}") from error
