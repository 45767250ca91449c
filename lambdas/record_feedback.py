"""HTTP -> labels of predictions: POST /models/{name}/feedback. Each label gets an answer of its own."""

import json
from collections.abc import Mapping
from typing import Any, Final

from cloud.prediction_index import Bounds
from lambdas import wiring
from lambdas.observability import logger, note
from lambdas.taking_feedback import taker_of
from lifecycle.body import json_of
from lifecycle.errors import Unavailable
from lifecycle.feedback_items import ItemReader, listed
from lifecycle.feedback_verdict import Verdict, counts
from lifecycle.problem import Problem
from lifecycle.settings import RecordFeedback

# 200,000 records, 7 seconds on one core: well within the 29 seconds of a request
READ_AT_ONCE: Final = Bounds(size=32 << 20, hours=96)

Response = dict[str, Any]


def handler(event: Mapping[str, Any], _context: object) -> Response:
    """Lambda's entry point: an event of payload format 2.0 in, the answer out."""
    try:
        return _answer(wiring.settings(RecordFeedback), event)
    except Problem as problem:
        return problem.response()
    except Unavailable as error:
        note("feedback not taken", error=type(error).__name__, reason=str(error))
        return Problem(503, "the labels could not be stored now; send the same request again", rows=0).response()
    except Exception as error:  # noqa: BLE001 - composition root: the caller must not see internals, the log must
        logger.exception("feedback failed", extra={"error": type(error).__name__})
        return Problem(500, "the request could not be answered; the function's log says why", rows=0).response()


def _answer(settings: RecordFeedback, event: Mapping[str, Any]) -> Response:
    values = listed(json_of(event))
    items, wrong = ItemReader(wiring.packaged_spec().contract, strict=True).items(values)
    source = f"http:{event['requestContext'].get('requestId')}"
    verdicts = taker_of(settings, READ_AT_ONCE).take(items, wrong, source)
    note("feedback taken", source=source, **counts(verdicts))
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json", "cache-control": "no-store"},
        "body": json.dumps(_document(settings.model, verdicts)),
        "isBase64Encoded": False,
    }


def _document(model: str, verdicts: list[Verdict]) -> dict[str, Any]:
    results = [verdict.to_plain("item") for verdict in verdicts]
    return {"model": model, "counts": counts(verdicts), "results": results}
