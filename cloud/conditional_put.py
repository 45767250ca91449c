"""DynamoDB: items written only while their conditions hold, one by one or up to a hundred in a call.

Retries of botocore are harmless: it gives every transaction a ClientRequestToken (the member is an idempotency token),
which AWS keeps for ten minutes, longer than all its retries take.
"""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from botocore.exceptions import ClientError

from cloud.faults import code, translated
from lifecycle.errors import Throttled

TOGETHER: Final = 100  # DynamoDB, TransactWriteItems
TOGETHER_BYTES: Final = 2_000_000  # 4 MB; nothing is said of whether what is replaced counts as well
WRITERS: Final = 8  # connections that a client keeps open: ten
TRIES: Final = 5
PAUSE_SECONDS: Final = 0.05  # a transaction takes some milliseconds

type Request = Mapping[str, Any]
"""Members of PutItem: table, item and condition."""


def put_if(dynamodb: Any, request: Request, doing: str) -> bool:
    """Send a PutItem with a condition; False when the condition does not hold, so that somebody else was first.

    Raises Throttled or Unavailable when DynamoDB does not take it.
    """
    for number in range(TRIES):
        try:
            with translated(doing):
                dynamodb.put_item(**request)
        except ClientError as error:
            if code(error) == "ConditionalCheckFailedException":
                return False
            if code(error) != "TransactionConflictException":  # which botocore does not try again
                raise
            time.sleep(PAUSE_SECONDS * number)
        else:
            return True
    raise Throttled(f"{doing}: transactions were writing there {TRIES} times; try again later")


def put_each_if(dynamodb: Any, requests: Iterable[Request], doing: str) -> list[bool]:
    """Put items, no two of one key; tell of each whether its condition held. What does not hold stops no other.

    A transaction writes all of a batch or nothing. When one is cancelled, its items are put one by one, but those whose
    condition failed: the reasons (a conflict, throttling, or only that of a neighbour) do not say what holds next time.

    Raises Throttled or Unavailable when DynamoDB does not take them; what was written by then stays.
    """
    done: list[bool] = []
    with ThreadPoolExecutor(WRITERS) as pool:
        for batch in _batches(requests):  # in turn: a new table takes 4,000 units a second, and a batch has 200
            told = _together(dynamodb, batch, doing) if len(batch) > 1 else [None]
            open_ones = [request for request, held in zip(batch, told, strict=True) if held is None]
            alone = pool.map(lambda request: put_if(dynamodb, request, doing), open_ones)
            done += [next(alone) if held is None else held for held in told]
    return done


def _batches(requests: Iterable[Request]) -> Iterator[list[Request]]:
    batch: list[Request] = []
    size = 0
    for request in requests:
        more = len(json.dumps(request))
        if batch and (len(batch) == TOGETHER or size + more > TOGETHER_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(request)
        size += more
    if batch:
        yield batch


def _together(dynamodb: Any, requests: Sequence[Request], doing: str) -> list[bool | None]:
    """Put items in one transaction; of each: whether its condition held, None when that is not known."""
    try:
        with translated(doing):
            dynamodb.transact_write_items(TransactItems=[{"Put": request} for request in requests])
    except ClientError as error:
        if code(error) not in ("TransactionCanceledException", "TransactionInProgressException"):
            raise
        reasons = error.response.get("CancellationReasons", [])  # in order of the items
        failed = {at for at, reason in enumerate(reasons) if reason.get("Code") == "ConditionalCheckFailed"}
        return [False if at in failed else None for at in range(len(requests))]
    return [True] * len(requests)
