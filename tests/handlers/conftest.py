"""AWS as moto plays it, for the tests of `cloud` and `lambdas`: real boto3, state to look at, no network."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.session
import pytest
import time_machine
from botocore.awsrequest import AWSResponse
from botocore.loaders import create_loader
from moto import mock_aws
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table

from cloud.claims import Claims
from cloud.ledger import LedgerTable
from lambdas import wiring
from lambdas.record_event import handler as record_event
from lifecycle import names
from lifecycle.spec import Column, Contract, Kind, ModelSpec, Task
from local.moto_tables import itself, undone_by_item
from tests.handlers.product_calls import ProductCalls

LOADER = create_loader()
CALLS = ProductCalls(os.environ)
REGION = "us-east-1"
STAGE = "test"
SPEC = ModelSpec(
    model="flights",
    dataset="flights",
    contract=Contract(
        task=Task.BINARY,
        target="late",
        positive="true",
        id="flight",
        columns=(
            Column(name="flight", kind=Kind.ID),
            Column(name="origin", kind=Kind.CATEGORY),
            Column(name="distance", kind=Kind.NUMBER, min=0, max=10000),
            Column(name="late", kind=Kind.BOOLEAN),
        ),
        min_rows=2,
    ),
)


def in_turn(transact: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """Let threads make transactions one after the other, as the engine does: moto's conditions are not held else."""
    turn = Lock()

    def transact_in_turn(backend: Any, actions: Any) -> None:
        with turn:
            transact(backend, actions)

    return transact_in_turn


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "INFO")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    # as in the engine: moto copies the whole table once for each item of a transaction
    monkeypatch.setattr(Table, "__deepcopy__", itself, raising=False)
    transact = in_turn(undone_by_item(DynamoDBBackend.transact_write_items))
    monkeypatch.setattr(DynamoDBBackend, "transact_write_items", transact)
    with mock_aws():
        # moto gives each test a session of its own; what all of them read of AWS's APIs is read once
        session = botocore.session.get_session()
        session.register_component("data_loader", LOADER)
        boto3.setup_default_session(botocore_session=session)
        wiring.reset()
        CALLS.unknown.clear()
        yield
        wiring.reset()
    assert CALLS.unknown == []


@pytest.fixture
def dynamodb() -> Any:
    return boto3.client("dynamodb")


@pytest.fixture
def claims_table(dynamodb: Any) -> str:
    return _table(dynamodb, "claims", "claim")


@pytest.fixture
def ledger_table(dynamodb: Any) -> str:
    return _table(dynamodb, "ledger", "subject", "entry")


def _table(dynamodb: Any, name: str, *keys: str) -> str:
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


def answer_invoke(request: Any, **_kwargs: Any) -> AWSResponse:
    """moto's Lambda runs nothing without a container: the ledger's writer is called here, as Invoke would."""
    payload = json.dumps(record_event(json.loads(request.body), None)).encode()
    raw = SimpleNamespace(stream=lambda **_: iter([payload]), read=lambda *_: payload)
    return AWSResponse(request.url, 200, {}, raw)


def keep_properties(params: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """On AWS an update keeps the metadata that it does not name; moto 5.2.5 forgets it."""
    found = boto3.client("sagemaker").describe_model_package(ModelPackageName=params["ModelPackageArn"])
    return {"CustomerMetadataProperties": found.get("CustomerMetadataProperties", {}), **params}


@dataclass
class World:
    """One stage: buckets, tables, group, function and topic, and a clock that stands still."""

    s3: Any
    clock: time_machine.Traveller
    sent: list[dict[str, Any]] = field(default_factory=list)

    def pass_time(self, seconds: float) -> None:
        self.clock.shift(seconds)

    def upload(self, name: str, body: bytes, dataset: str = "flights") -> str:
        key = f"incoming/{dataset}/{name}"
        return str(self.s3.put_object(Bucket="data-bucket", Key=key, Body=body)["VersionId"])

    def read(self, bucket: str, key: str) -> Any:
        body = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return json.loads(body)

    def keys(self, bucket: str, prefix: str) -> list[str]:
        return [e["Key"] for e in self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]

    def ledger(self, subject: str) -> list[dict[str, Any]]:
        return LedgerTable(boto3.client("dynamodb"), "ledger").entries(subject)

    def claims(self) -> Claims:
        return Claims(boto3.client("dynamodb"), "claims")


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(datetime(2026, 11, 21, 12, tzinfo=UTC), tick=False) as traveller:
        assert isinstance(traveller, time_machine.Traveller)
        yield traveller


@pytest.fixture
def world(clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, aws: None) -> World:
    return make_world(clock, monkeypatch, tmp_path)


def make_world(clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    """Create one stage in AWS as it is mocked now."""
    dynamodb = boto3.client("dynamodb")
    claims_table, ledger_table = _table(dynamodb, "claims", "claim"), _table(dynamodb, "ledger", "subject", "entry")
    s3 = boto3.client("s3")
    for bucket in ("data-bucket", "artifact-bucket", "asset-bucket"):
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    boto3.client("sagemaker").create_model_package_group(ModelPackageGroupName=names.package_group(STAGE, SPEC.model))
    topic = boto3.client("sns").create_topic(Name="notices")["TopicArn"]
    environment = {
        "STAGE": STAGE, "MODEL": SPEC.model, "SPEC_ID": SPEC.spec_id, "DATA_BUCKET": "data-bucket",
        "ARTIFACT_BUCKET": "artifact-bucket", "CLAIMS_TABLE": claims_table, "LEDGER_TABLE": ledger_table,
        "LEDGER_WRITER": "record-event", "SETTLE_SECONDS": "60", "CODE_ASSET": "asset.zip", "LOCK_SHA256": "00",
        "IMAGE": "image", "PACKAGE_GROUP": names.package_group(STAGE, SPEC.model), "APPROVAL": "auto",
        "TOPIC": topic, "ENDPOINT_ROLE": "arn:aws:iam::123456789012:role/endpoint",
        "PREDICT_FUNCTION": names.predict_function(STAGE, SPEC.model),
        "ASSET_BUCKET": "asset-bucket", "ASSET_KEY": "predict.zip", "LAMBDA_TASK_ROOT": str(tmp_path),
    }  # fmt: skip
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    (tmp_path / SPEC.file_name).write_bytes(SPEC.to_bytes())
    made = World(s3=s3, clock=clock)
    wiring.client("lambda").meta.events.register("before-send.lambda.Invoke", answer_invoke)
    wiring.client("sagemaker").meta.events.register(
        "provide-client-params.sagemaker.UpdateModelPackage", keep_properties
    )
    sent = made.sent
    wiring.client("events").meta.events.register(
        "provide-client-params.events.PutEvents", lambda params, **_: sent.extend(params["Entries"])
    )
    return made


@pytest.fixture
def execution(world: World) -> Callable[[str], str]:
    """Start an execution of a machine that waits for ever, and return its ARN."""
    return make_execution()


def make_execution() -> Callable[[str], str]:
    """Create such a machine."""
    states = boto3.client("stepfunctions")
    role = "arn:aws:iam::123456789012:role/machine"
    definition = json.dumps({"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 9999, "End": True}}})
    machine = states.create_state_machine(name="training", definition=definition, roleArn=role)["stateMachineArn"]

    def start(name: str) -> str:
        given = json.dumps({"detail": {"stage": STAGE, "dataset": SPEC.dataset, "version": name}})
        return str(states.start_execution(stateMachineArn=machine, name=name, input=given)["executionArn"])

    return start
