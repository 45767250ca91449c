"""Rows of a request -> outputs of an endpoint, or the problem that tells why there are none. Imported where needed."""

from collections.abc import Sequence
from typing import Final

from cloud.endpoint_runtime import Endpoint
from lifecycle.errors import ModelRejected, Throttled, Unavailable
from lifecycle.problem import Problem

BUSY_SECONDS: Final = "2"
COLD_SECONDS: Final = "10"  # an endpoint that nobody asked for a while starts meanwhile


class RemoteScores:
    """Asks one endpoint; fulfils `lifecycle.remote.Ask`."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def __call__(self, rows: Sequence[Sequence[float | None]]) -> list[list[float]]:
        """Return the outputs. Raises Problem 503, with `retry-after` where asking again may help."""
        try:
            return self._endpoint(rows)
        except Throttled as error:
            detail = "more requests are being answered than the model takes at once; try again"
            raise Problem(503, detail, headers={"retry-after": BUSY_SECONDS}, rows=len(rows)) from error
        except Unavailable as error:
            detail = "the model's endpoint did not answer in time; it may be starting: try again"
            raise Problem(503, detail, headers={"retry-after": COLD_SECONDS}, rows=len(rows)) from error
        except ModelRejected as error:
            raise Problem(503, "the model's endpoint failed; its log says why", rows=len(rows)) from error
