"""HTTP -> labels of predictions: POST /models/{name}/feedback. Each label gets an answer of its own."""

from collections.abc import Mapping
from typing import Any, Final

from cloud.prediction_index import Bounds
from lambdas import wiring
from lambdas.http_answers import Response, answered
from lambdas.observability import note
from lambdas.taking_feedback import taker_of
from lifecycle.body import json_of
from lifecycle.feedback_items import ItemReader, listed
from lifecycle.feedback_verdict import Verdict, counts
from lifecycle.settings import RecordFeedback

# 200,000 records, 7 seconds on one core: well within the 29 seconds of a request
READ_AT_ONCE: Final = Bounds(size=32 << 20, hours=96)


def handler(event: Mapping[str, Any], _context: object) -> Response:
    """Lambda's entry point: an event of payload format 2.0 in, the answer out."""
    return answered(lambda: _taken(wiring.settings(RecordFeedback), event), "taking labels")


def _taken(settings: RecordFeedback, event: Mapping[str, Any]) -> dict[str, Any]:
    values = listed(json_of(event))
    items, wrong = ItemReader(wiring.packaged_spec().contract, strict=True).items(values)
    source = f"http:{event['requestContext'].get('requestId')}"
    verdicts = taker_of(settings, READ_AT_ONCE).take(items, wrong, source)
    note("feedback taken", source=source, **counts(verdicts))
    return _document(settings.model, verdicts)


def _document(model: str, verdicts: list[Verdict]) -> dict[str, Any]:
    results = [verdict.to_plain("item") for verdict in verdicts]
    return {"model": model, "counts": counts(verdicts), "results": results}
