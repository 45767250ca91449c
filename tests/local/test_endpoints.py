"""Serverless endpoints of the engine: a process per endpoint that comes, answers, rests and goes as AWS's would."""

import io
import json
import sys
import tarfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import moto_state
from local.clients import Clients
from local.clock import Clock
from local.dispatch import Dispatcher
from local.endpoints import Endpoints
from local.identity import Identity
from tests.local.iam_world import allow, guarded, make_role

ROLE = "arn:aws:iam::123456789012:role/endpoint"
DOUBLING = """
import json, os, time
def model_fn(folder):
    return json.load(open(folder + "/model.json"))
def input_fn(body, kind):
    return json.loads(body)
def predict_fn(given, model):
    if given == "raise":
        raise ValueError("no such row")
    if given == "slow":
        time.sleep(1.5)
        return 0
    return given * model["factor"]
def output_fn(found, accept):
    return json.dumps(found), "application/json"
"""
BROKEN = "def model_fn(folder):\n    raise RuntimeError('the model does not load')\n"


@dataclass
class Account:
    endpoints: Endpoints
    clock: Clock
    clients: Clients

    @property
    def sagemaker(self) -> Any:
        return self.clients("sagemaker")

    def make(self, name: str, program: str = DOUBLING, concurrency: int = 2) -> str:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            for path, text in (("code/inference.py", program), ("model.json", '{"factor": 2}')):
                entry = tarfile.TarInfo(path)
                entry.size = len(text)
                tar.addfile(entry, io.BytesIO(text.encode()))
        self.clients("s3").put_object(Bucket="bucket", Key=f"{name}.tar.gz", Body=packed.getvalue())
        environment = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
        container = {"Image": "image", "ModelDataUrl": f"s3://bucket/{name}.tar.gz", "Environment": environment}
        self.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant(name, concurrency)])
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        return self.settled(name)

    def settled(self, name: str) -> str:
        give_up = time.perf_counter() + 20
        while time.perf_counter() < give_up:
            found = self.sagemaker.describe_endpoint(EndpointName=name)
            if found["EndpointStatus"] != "Creating":
                return str(found["EndpointStatus"])
            time.sleep(0.02)
        raise AssertionError(f"{name} is still being created")

    def ask(self, name: str, given: Any) -> Any:
        answer = self.clients("sagemaker-runtime").invoke_endpoint(
            EndpointName=name, Body=json.dumps(given), ContentType="application/json"
        )
        return json.loads(answer["Body"].read())


def variant(model: str, concurrency: int = 2, memory: int = 2048) -> dict[str, Any]:
    serverless = {"MemorySizeInMB": memory, "MaxConcurrency": concurrency}
    return {"VariantName": "AllTraffic", "ModelName": model, "ServerlessConfig": serverless}


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    moto_state.reset()
    identity, clock = Identity(), Clock()
    dispatcher = Dispatcher(identity)
    clients = Clients(dispatcher, "us-east-1")
    endpoints = Endpoints(clients, clock, tmp_path / "endpoints", Path(sys.executable))
    dispatcher.register(endpoints.operations())
    guarded(dispatcher)
    make_role(clients("iam"), "endpoint", "sagemaker.amazonaws.com", allow("s3:*", "logs:*"))
    clients("s3").create_bucket(Bucket="bucket")
    yield Account(endpoints, clock, clients)
    endpoints.close()
    clock.stop()
    moto_state.reset()


def test_an_endpoint_comes_into_service_answers_and_goes(account: Account) -> None:
    assert account.make("doubling") == "InService"
    assert account.ask("doubling", 21) == 42
    account.sagemaker.delete_endpoint(EndpointName="doubling")
    with pytest.raises(ClientError, match=r"ValidationError.*not found"):
        account.ask("doubling", 21)
    with pytest.raises(ClientError, match="Could not find endpoint"):
        account.sagemaker.describe_endpoint(EndpointName="doubling")


def test_a_model_that_does_not_load_fails_the_endpoint_and_the_reason_is_described(account: Account) -> None:
    assert account.make("broken", BROKEN) == "Failed"
    reason = account.sagemaker.describe_endpoint(EndpointName="broken")["FailureReason"]
    assert "ping health check" in reason
    assert "the model does not load" in reason


def test_an_idle_endpoint_scales_to_zero_and_the_next_request_starts_it_again(account: Account) -> None:
    account.make("doubling")
    account.clock.advance(301)
    give_up = time.perf_counter() + 10
    while account.endpoints.is_warm("doubling") and time.perf_counter() < give_up:
        time.sleep(0.05)
    assert not account.endpoints.is_warm("doubling")
    assert account.ask("doubling", 4) == 8
    assert account.endpoints.is_warm("doubling")


def test_what_the_model_raises_is_a_model_error_with_its_status(account: Account) -> None:
    account.make("doubling")
    with pytest.raises(ClientError, match="ModelError") as raised:
        account.ask("doubling", "raise")
    assert raised.value.response["OriginalStatusCode"] == 500
    assert "no such row" in raised.value.response["OriginalMessage"]


def test_more_requests_at_once_than_the_configuration_allows_are_throttled(account: Account) -> None:
    account.make("doubling", concurrency=1)
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(account.ask, "doubling", "slow")
        time.sleep(0.3)
        with pytest.raises(ClientError, match="ThrottlingException"):
            account.ask("doubling", 1)
        assert slow.result() == 0


def test_a_body_above_four_megabytes_is_refused(account: Account) -> None:
    account.make("doubling")
    with pytest.raises(ClientError, match="ValidationError"):
        account.ask("doubling", "x" * (4 * 1024 * 1024))


@pytest.mark.parametrize(
    "wrong", [variant("doubling", memory=2000), variant("doubling", concurrency=201), variant("absent")]
)
def test_a_configuration_that_aws_would_refuse_is_refused(account: Account, wrong: dict[str, Any]) -> None:
    account.make("doubling")
    with pytest.raises(ClientError, match="ValidationException"):
        account.sagemaker.create_endpoint_config(EndpointConfigName="other", ProductionVariants=[wrong])


def test_names_are_taken_once(account: Account) -> None:
    account.make("doubling")
    with pytest.raises(ClientError, match="already existing"):
        account.sagemaker.create_endpoint(EndpointName="doubling", EndpointConfigName="doubling")
