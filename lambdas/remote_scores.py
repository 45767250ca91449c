"""Rows of a request -> outputs of an endpoint, or the problem that tells why there are none. Imported where needed."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from cloud.endpoint_runtime import Endpoint
from lifecycle import remote
from lifecycle.errors import ModelRejected, Throttled, Unavailable
from lifecycle.problem import Problem
from lifecycle.scoring import CompiledModel

BUSY_SECONDS: Final = "2"
COLD_SECONDS: Final = "10"  # an endpoint that nobody asked for a while starts meanwhile


class RemoteScores:
    """Asks one endpoint; fulfils `lifecycle.remote.Ask`."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def __call__(self, rows: Sequence[Sequence[float | None]]) -> list[list[float]]:
        """Return the outputs. Raises Problem 503, with `retry-after` where asking again may help."""
        try:
            found = self._endpoint(rows)
            if len(found) != len(rows):
                raise ModelRejected(f"{len(found)} answers for {len(rows)} rows")
        except Throttled as error:
            detail = "more requests are being answered than the model takes at once; try again"
            raise Problem(503, detail, headers={"retry-after": BUSY_SECONDS}) from error
        except Unavailable as error:
            detail = "the model's endpoint did not answer in time; it may be starting: try again"
            raise Problem(503, detail, headers={"retry-after": COLD_SECONDS}) from error
        except ModelRejected as error:
            raise Problem(503, "the model's endpoint failed; its log says why") from error
        return found


def of_release(release: Mapping[str, Any]) -> RemoteScores:
    """Return what asks the endpoint of a release. Raises ModelRejected when it names none."""
    if "endpoint" not in release:
        raise ModelRejected("release.json names no endpoint, but an endpoint serves this model; deploy the model again")
    return RemoteScores(Endpoint(release["endpoint"]))


def within_one_request(model: CompiledModel, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the spec with as many rows as an endpoint is asked for at once: several requests might take too long."""
    rows = min(spec["serving"]["max_rows"], remote.rows_at_once(remote.width(model)))
    return {**spec, "serving": {**spec["serving"], "max_rows": rows}}
