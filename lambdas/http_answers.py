"""What functions behind the door answer that speak to AWS: JSON, or the problem document of whatever went wrong.

The predict function has a composition root of its own (`lambdas/predict.py`), which imports neither boto3 nor
powertools.
"""

import json
from collections.abc import Callable
from typing import Any

from lambdas.observability import logger, note
from lifecycle.errors import Unavailable
from lifecycle.problem import Problem

Response = dict[str, Any]


def answered(make: Callable[[], Any], doing: str) -> Response:
    """Return what `make` returns as a JSON answer, or a problem document; `doing` says for the log what was done."""
    try:
        return json_answer(make())
    except Problem as problem:
        return problem.response()
    except Unavailable as error:
        note(f"{doing} has to wait", error=type(error).__name__, reason=str(error))
        return Problem(503, f"{doing} was not possible now; send the same request again").response()
    except Exception as error:  # noqa: BLE001 - composition root: the caller must not see internals, the log must
        logger.exception(f"{doing} failed", extra={"error": type(error).__name__})
        return Problem(500, "the request could not be answered; the function's log says why").response()


def json_answer(document: Any) -> Response:
    """Return an answer in API Gateway's payload format 2.0."""
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json", "cache-control": "no-store"},
        "body": json.dumps(document),
        "isBase64Encoded": False,
    }
