"""A stage with a prediction log and a labels table, for the tests of feedback."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import boto3

from cloud.labels import Labels
from lambdas import wiring
from lifecycle import keys
from lifecycle.feedback_label import Label
from lifecycle.prediction_id import ids_of
from tests.live_package import event

MODEL = "flights"
HOUR = 3600.0


def make_labels_table() -> str:
    boto3.client("dynamodb").create_table(
        TableName="labels",
        KeySchema=[
            {"AttributeName": "hour", "KeyType": "HASH"},
            {"AttributeName": "prediction_id", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("hour", "prediction_id")],
        BillingMode="PAY_PER_REQUEST",
    )
    return "labels"


def labels(model: str = MODEL) -> Labels:
    return wiring.labels("labels", model)


def identity(at: float, number: int = 0) -> str:
    return ids_of(round(at * 1000), (number << 8).to_bytes(10))[0]


def log(at: float, *identities: str, arrival: float | None = None, model: str = MODEL, **facts: Any) -> None:
    """Write the records of predictions that were made at `at`."""
    record = {"kind": "prediction", "schema": 2, "time": round(at * 1000), "row": {}, **facts}
    lines = [json.dumps({**record, "prediction_id": one}) for one in identities]
    arrived = at if arrival is None else arrival
    key = f"{keys.predictions_of_hour(model, arrived)}{identities[0]}.gz"
    wiring.client("s3").put_object(Bucket="data-bucket", Key=key, Body=gzip.compress("\n".join(lines).encode()))


def ask(handler: Callable[..., Any], *values: Any, request_id: str = "r-1") -> tuple[int, Any]:
    """POST labels to the handler -> (status, body)."""
    asked = event(f"/models/{MODEL}/feedback", body=json.dumps({"labels": list(values)}))
    asked["requestContext"]["requestId"] = request_id
    answer = handler(asked, None)
    return answer["statusCode"], json.loads(answer["body"])


def stored(*identities: str) -> dict[str, Label]:
    return labels().of(identities)
