"""An alias with weights: who answers, what Lambda refuses, and that moving it loses nothing."""

import http.client
import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.gateway import Doors, Gateway
from local.http_api import HttpApi
from local.iam import Authority
from tests.local.functions_world import ROLE, Lambda, eventually, refused, running

LIVE = {"FunctionName": "f", "Name": "live"}
VERSION = "import os\ndef handler(e, c):\n    return os.environ['AWS_LAMBDA_FUNCTION_VERSION']\n"
CLIENTS = 16
MOVES = 20


def weights(**shares: float) -> dict[str, Any]:
    return {"AdditionalVersionWeights": {name.removeprefix("v"): share for name, share in shares.items()}}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Lambda]:
    made = running(tmp_path)
    here = next(made)
    here.create(VERSION)
    for number in (1, 2):
        here.publish(f"{VERSION}# {number}")
    here.client.create_alias(**LIVE, FunctionVersion="1")
    yield here
    next(made, None)


def test_calls_are_shared_out_by_the_weights_and_say_who_answered(engine: Lambda) -> None:
    engine.client.update_alias(**LIVE, RoutingConfig=weights(v2=0.25))
    found = Counter()
    for _ in range(200):
        payload, answer = engine.invoke(Qualifier="live")
        assert payload == answer["ExecutedVersion"]
        found[payload] += 1
    assert 25 <= found["2"] <= 75
    assert found["1"] + found["2"] == 200


@pytest.mark.parametrize(("share", "answers"), [(0.0, "1"), (1.0, "2")])
def test_a_weight_of_nothing_and_of_everything_are_both_allowed(engine: Lambda, share: float, answers: str) -> None:
    engine.client.update_alias(**LIVE, RoutingConfig=weights(v2=share))
    assert {engine.invoke(Qualifier="live")[0] for _ in range(20)} == {answers}


def test_moving_an_alias_without_a_word_about_weights_keeps_them(engine: Lambda) -> None:
    engine.client.update_alias(**LIVE, RoutingConfig=weights(v2=0.5))
    engine.client.update_alias(**LIVE, Description="only this")
    assert engine.client.get_alias(**LIVE)["RoutingConfig"] == weights(v2=0.5)
    # so a promotion that forgets them names the same version twice
    assert refused(engine.client.update_alias, **LIVE, FunctionVersion="2") == "InvalidParameterValueException"
    engine.client.update_alias(**LIVE, FunctionVersion="2", RoutingConfig={"AdditionalVersionWeights": {}})
    assert "RoutingConfig" not in engine.client.get_alias(**LIVE)


def test_an_alias_may_be_made_with_weights(engine: Lambda) -> None:
    made = engine.client.create_alias(
        FunctionName="f", Name="canary", FunctionVersion="2", RoutingConfig=weights(v1=1.0)
    )
    assert made["RoutingConfig"] == weights(v1=1.0)
    assert engine.invoke(Qualifier="canary")[1]["ExecutedVersion"] == "1"


def test_two_versions_of_one_alias_need_the_same_role(engine: Lambda) -> None:
    engine.client.update_function_configuration(FunctionName="f", Role=f"{ROLE}-other")
    engine.client.publish_version(FunctionName="f")
    engine.settle()
    change = {**LIVE, "RoutingConfig": weights(v3=0.5)}
    assert refused(engine.client.update_alias, **change) == "InvalidParameterValueException"
    engine.client.update_alias(**LIVE, FunctionVersion="3")


def test_a_version_with_a_share_of_the_calls_cannot_be_deleted(engine: Lambda) -> None:
    engine.client.update_alias(**LIVE, RoutingConfig=weights(v2=0.0))
    assert refused(engine.client.delete_function, FunctionName="f", Qualifier="2") == "ResourceConflictException"


@pytest.fixture
def url(engine: Lambda) -> Iterator[str]:
    """The function behind an HTTP API, on a loopback port."""
    client = engine.clients.client("apigatewayv2")
    api_id = client.create_api(Name="api", ProtocolType="HTTP")["ApiId"]
    arn = "arn:aws:lambda:us-east-1:123456789012:function:f:live"
    integration = client.create_integration(
        ApiId=api_id,
        IntegrationType="AWS_PROXY",
        IntegrationUri=arn,
        PayloadFormatVersion="2.0",
        TimeoutInMillis=29000,
    )
    target = f"integrations/{integration['IntegrationId']}"
    client.create_route(ApiId=api_id, RouteKey="GET /who", AuthorizationType="NONE", Target=target)
    client.create_stage(ApiId=api_id, StageName="$default", AutoDeploy=True)
    engine.client.add_permission(
        FunctionName="f",
        Qualifier="live",
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:us-east-1:123456789012:{api_id}/*",
    )
    authority = Authority(engine.clients, "us-east-1", engine.functions.policy)
    door = HttpApi(engine.clients, engine.functions, authority, engine.clock, lambda _, __: None)
    gateway = Gateway(Doors(engine.dispatcher, door.api, engine.clock, lambda: True))
    gateway.start()
    yield f"{gateway.endpoint}/_api/{api_id}/who"
    gateway.stop()


def test_moves_and_deleted_versions_lose_no_request_and_leave_no_worker_behind(
    engine: Lambda, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "local.http_api")  # why a call was refused: its client is not told
    stop, answers, workers = threading.Event(), Counter(), {}
    place = urlsplit(url)

    def ask() -> None:
        connection = http.client.HTTPConnection(place.netloc, timeout=20)
        while not stop.is_set():
            connection.request("GET", place.path)
            answer = connection.getresponse()
            body = json.loads(answer.read())
            answers[answer.status, body.get("message")] += 1
            if answer.status == 200:
                workers[body["pid"]] = body["version"]
        connection.close()

    code = (
        "import os\ndef handler(e, c):\n"
        "    return {'version': os.environ['AWS_LAMBDA_FUNCTION_VERSION'], 'pid': os.getpid()}\n"
    )
    at = engine.publish(code)["Version"]
    engine.client.update_alias(**LIVE, FunctionVersion=at)
    threads = [threading.Thread(target=ask) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for number in range(MOVES):
        new = engine.publish(f"{code}# {number}")["Version"]
        engine.client.update_alias(**LIVE, RoutingConfig=weights(**{f"v{new}": 0.5}))
        time.sleep(0.05)
        engine.client.update_alias(**LIVE, FunctionVersion=new, RoutingConfig={"AdditionalVersionWeights": {}})
        engine.client.delete_function(FunctionName="f", Qualifier=at)
        at = new
        time.sleep(0.05)
    stop.set()
    for thread in threads:
        thread.join()
    assert set(answers) == {(200, None)}
    assert len(set(workers.values())) > MOVES // 2
    left = [pid for pid, version in workers.items() if version != at]
    assert eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left), 10)
