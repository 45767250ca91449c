"""Look-queue messages -> data versions. A message means "look at the dataset of this key", nothing more."""

import json
from collections import defaultdict
from typing import Any, Final

from lambdas import wiring
from lambdas.cutting import Cutter
from lambdas.observability import note
from lifecycle import keys
from lifecycle.errors import Unavailable
from lifecycle.settings import CutVersion

ELSEWHERE_SECONDS: Final = 15
"""How long to wait while another invocation cuts the dataset, or AWS is busy."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Look at each dataset of the batch at most once; return the messages that must come again."""
    cutter = _cutter(wiring.settings(CutVersion))
    failures = []
    for dataset, records in _by_dataset(event["Records"]).items():
        wait = _look(cutter, dataset, context.aws_request_id, _sent(records))
        for record in records if wait else ():
            wiring.queues().postpone(record["eventSourceARN"], record["receiptHandle"], wait)
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


def _look(cutter: Cutter, dataset: str, owner: str, sent: float | None) -> int:
    try:
        return cutter.look(dataset, owner, sent)
    except Unavailable as error:
        note("look postponed", dataset=dataset, error=type(error).__name__, reason=str(error))
        return ELSEWHERE_SECONDS


def _sent(records: list[dict[str, Any]]) -> float | None:
    """When the newest message was sent, epoch seconds; None when one says that the dataset is ready now."""
    if any(_key(record).endswith(f"/{keys.READY}") for record in records):
        return None
    return max(int(record["attributes"]["SentTimestamp"]) for record in records) / 1000


def _key(record: dict[str, Any]) -> str:
    key: str = json.loads(record["body"])["key"]
    return key


def _by_dataset(records: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        key = _key(record)
        parsed = keys.parse_incoming(key)
        if parsed is None:
            note("stray upload", key=key)
        else:
            found[parsed[0]].append(record)
    return found


def _cutter(settings: CutVersion) -> Cutter:
    return Cutter(
        stage=settings.stage,
        settle_seconds=settings.settle_seconds,
        bucket=wiring.bucket(settings.data_bucket),
        claims=wiring.claims(settings.claims_table),
        ledger=wiring.ledger(settings.ledger_writer),
        events=wiring.events(),
        now=wiring.now,
    )
