"""HTTP -> the stage's OpenAPI document: GET /openapi.json, made of what each live model says of itself.

Which models there are, the API's own routes say; what they take, the live models. So neither a list of models nor a
copy of their contracts is kept anywhere, and a rollback is seen at once. A model that has none yet is left out.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from lambdas import wiring
from lambdas.observability import logger, note
from lifecycle import names, openapi
from lifecycle.errors import Unavailable
from lifecycle.problem import Problem
from lifecycle.settings import DescribeApi

PREFIX: Final = "GET /models/"
SUFFIX: Final = "/openapi.json"

Response = dict[str, Any]


def handler(_event: Mapping[str, Any], _context: object) -> Response:
    """Lambda's entry point: any event of payload format 2.0 in, the document out."""
    try:
        return _answer(wiring.settings(DescribeApi))
    except Unavailable as error:
        note("not described", error=type(error).__name__, reason=str(error))
        return Problem(503, "the models could not be asked now; send the same request again", rows=0).response()
    except Exception as error:  # noqa: BLE001 - composition root: the caller must not see internals, the log must
        logger.exception("description failed", extra={"error": type(error).__name__})
        return Problem(500, "the request could not be answered; the function's log says why", rows=0).response()


def _answer(settings: DescribeApi) -> Response:
    keys = wiring.gateway(settings.api_id).route_keys()
    models = [key[len(PREFIX) : -len(SUFFIX)] for key in keys if key.startswith(PREFIX) and key.endswith(SUFFIX)]
    found = [document for model in models if (document := _document(settings.stage, model)) is not None]
    title = f"Perennial, stage {settings.stage}"
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json", "cache-control": "no-store"},
        "body": json.dumps(openapi.merged(title, found)),
        "isBase64Encoded": False,
    }


def _document(stage: str, model: str) -> Mapping[str, Any] | None:
    path = f"/models/{model}{SUFFIX}"
    event = {"rawPath": path, "requestContext": {"http": {"method": "GET", "path": path}}}
    called = wiring.functions().invoke(names.predict_function(stage, model), names.LIVE, event)
    answer = called.answer if isinstance(called.answer, Mapping) else {}
    if answer.get("statusCode") != 200:
        note("model not described", model=model, reason=called.error or f"status {answer.get('statusCode')}")
        return None
    document: Mapping[str, Any] = json.loads(answer["body"])
    return document
