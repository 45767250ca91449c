"""Rows of a request -> outputs of an endpoint, or the problem that tells why there are none. Imported where needed."""

from collections.abc import Sequence
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from cloud.endpoint_runtime import Endpoint
from lifecycle.errors import Throttled, Unavailable
from lifecycle.problem import Problem

RETRY_SECONDS: Final = "2"


class RemoteScores:
    """Asks one endpoint; fulfils `lifecycle.remote.Ask`."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def __call__(self, rows: Sequence[Sequence[float | None]]) -> list[list[float]]:
        """Return the outputs. Raises Problem: 503 when trying again may help, 502 when the endpoint is at fault."""
        try:
            return self._endpoint(rows)
        except Throttled as error:
            detail = "more requests are being answered than the model takes at once; try again"
            raise Problem(503, detail, headers={"retry-after": RETRY_SECONDS}, rows=len(rows)) from error
        except Unavailable as error:
            raise Problem(503, "the model's endpoint cannot be reached; try again", rows=len(rows)) from error
        except (ClientError, BotoCoreError, ValueError, KeyError) as error:
            raise Problem(502, f"the model's endpoint failed ({type(error).__name__})", rows=len(rows)) from error
