"""HTTP -> the stage's OpenAPI document: GET /openapi.json, made of what each live model says of itself.

Which models there are, the API's own routes say; what they take, the live models. So neither a list of models nor a
copy of their contracts is kept anywhere, and a rollback is seen at once. A model that has none yet is left out.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from lambdas import wiring
from lambdas.http_answers import Response, answered
from lambdas.observability import note
from lifecycle import names, openapi
from lifecycle.settings import DescribeApi

PREFIX: Final = "GET /models/"
SUFFIX: Final = "/openapi.json"


def handler(_event: Mapping[str, Any], _context: object) -> Response:
    """Lambda's entry point: any event of payload format 2.0 in, the document out."""
    return answered(lambda: _described(wiring.settings(DescribeApi)), "asking the models")


def _described(settings: DescribeApi) -> dict[str, Any]:
    keys = wiring.gateway(settings.api_id).route_keys()
    models = [key[len(PREFIX) : -len(SUFFIX)] for key in keys if key.startswith(PREFIX) and key.endswith(SUFFIX)]
    found = [document for model in models if (document := _document(settings.stage, model)) is not None]
    return openapi.merged(f"Perennial, stage {settings.stage}", found)


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
