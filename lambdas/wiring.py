"""The composition root of the functions: reads the environment once, on first use, and builds what handlers need."""

import os
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from cloud.claims import Claims
from cloud.content import Content
from cloud.endpoints import Endpoints
from cloud.events import Events
from cloud.executions import Executions
from cloud.functions import Functions
from cloud.gateway import Gateway
from cloud.labels import Labels
from cloud.ledger import Ledger, LedgerTable
from cloud.metrics import Metrics
from cloud.notices import Notices
from cloud.objects import Bucket
from cloud.packages import Packages
from cloud.prediction_index import PredictionIndex
from cloud.predictions import Predictions
from cloud.queues import Queues
from cloud.session import client
from lifecycle.errors import SpecRejected
from lifecycle.settings import Settings
from lifecycle.spec import ModelSpec


@cache
def settings[S: Settings](kind: type[S]) -> S:
    """Return the function's settings. Raises MissingSetting naming all variables that are not there."""
    return kind.from_env(os.environ)


@cache
def packaged_spec() -> ModelSpec:
    """Return the model's spec from the function's own package."""
    return ModelSpec.find(Path(os.environ.get("LAMBDA_TASK_ROOT") or Path(__file__).resolve().parent.parent))


def spec(spec_id: str) -> ModelSpec:
    """Return the packaged spec. Raises SpecRejected when it is not `spec_id`: the two were not deployed together."""
    found = packaged_spec()
    if found.spec_id != spec_id:
        raise SpecRejected(f"the package holds spec {found.spec_id}, the settings name {spec_id}. Deploy again.")
    return found


def now() -> float:
    """Return the time, epoch seconds."""
    return time.time()


def iso(epoch_seconds: float) -> str:
    """Return a time as ISO 8601, UTC, with seconds."""
    return datetime.fromtimestamp(epoch_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@cache
def bucket(name: str) -> Bucket:
    """Return one S3 bucket."""
    return Bucket(client("s3"), name)


@cache
def content(name: str) -> Content:
    """Return the objects of one S3 bucket whose keys say what they hold; it remembers what it read."""
    return Content(bucket(name))


@cache
def claims(table: str) -> Claims:
    """Return the claims table."""
    return Claims(client("dynamodb"), table)


@cache
def ledger_table(table: str) -> LedgerTable:
    """Return the ledger's table, for its one writer."""
    return LedgerTable(client("dynamodb"), table)


@cache
def gateway(api_id: str) -> Gateway:
    """Return the stage's HTTP API."""
    return Gateway(client("apigatewayv2"), api_id)


@cache
def ledger(writer: str) -> Ledger:
    """Return the ledger as everyone else writes to it."""
    return Ledger(client("lambda"), writer)


@cache
def events() -> Events:
    """Return the default event bus."""
    return Events(client("events"))


@cache
def queues() -> Queues:
    """Return the queues of the account."""
    return Queues(client("sqs"))


@cache
def executions() -> Executions:
    """Return the state machine executions of the account."""
    return Executions(client("stepfunctions"))


@cache
def packages(group: str) -> Packages:
    """Return the model package group."""
    return Packages(client("sagemaker"), group)


@cache
def functions() -> Functions:
    """Return the Lambda functions of the account."""
    return Functions(client("lambda"))


@cache
def endpoints() -> Endpoints:
    """Return the serverless endpoints of the account."""
    return Endpoints(client("sagemaker"))


@cache
def metrics() -> Metrics:
    """Return CloudWatch's metrics of the account."""
    return Metrics(client("cloudwatch"))


def predictions(bucket_name: str, model: str) -> Predictions:
    """Return the prediction log of a model, for one pass."""
    return Predictions(bucket(bucket_name), model)


@cache
def prediction_index(bucket_name: str, model: str) -> PredictionIndex:
    """Return the index of a model's prediction log; it remembers what it read."""
    return PredictionIndex(bucket(bucket_name), model, now)


@cache
def labels(table: str, model: str) -> Labels:
    """Return the labels of a model."""
    return Labels(client("dynamodb"), table, model)


@cache
def notices(topic: str) -> Notices:
    """Return the topic that people subscribe to."""
    return Notices(client("sns"), topic)


def reset() -> None:
    """Forget everything that was built, so that a changed environment counts."""
    built = (settings, packaged_spec, bucket, content, claims, ledger_table, ledger, events, queues, executions)
    for function in (*built, packages, functions, endpoints, metrics, prediction_index, labels, notices, client):
        function.cache_clear()
