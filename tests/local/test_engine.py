"""The engine as a whole, on an assembly of one small stack: start, serve, tell where it is, end."""

import json
import os
import signal
import stat
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.assembly import AssemblyError
from local.engine import Engine, write_state
from local.options import Options
from tests.local.core_world import eventually

API = {"Fn::Join": ["", ["https://", {"Ref": "Api"}, ".execute-api.us-east-1.amazonaws.com/"]]}
TEMPLATE = {
    "Resources": {
        "Look": {"Type": "AWS::SQS::Queue", "Properties": {}},
        "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "api", "ProtocolType": "HTTP"}},
    },
    "Outputs": {"LookQueueUrl": {"Value": {"Ref": "Look"}}, "ApiUrl": {"Value": API}},
}
BAD_TEMPLATE = {"Resources": {"Cluster": {"Type": "AWS::ECS::Cluster", "Properties": {}}}}


def assembly(folder: Path, template: dict[str, Any]) -> Path:
    artifact = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://123456789012/us-east-1",
        "properties": {"templateFile": "t.json", "stackName": "perennial-dev-shared"},
    }
    (folder / "manifest.json").write_text(json.dumps({"version": "55.0.0", "artifacts": {"t": artifact}}))
    (folder / "t.json").write_text(json.dumps(template))
    return folder


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(assembly(tmp_path, TEMPLATE), Options()) as made:
        yield made


def test_a_started_engine_is_ready_and_tells_where_everything_is(engine: Engine) -> None:
    with urllib.request.urlopen(f"{engine.endpoint}/_engine/ready", timeout=10) as answer:
        assert json.loads(answer.read()) == {"ready": True}
    state = engine.state()
    assert (state["endpoint"], state["stage"], state["region"]) == (engine.endpoint, "dev", "us-east-1")
    assert state["api_url"].startswith(f"{engine.endpoint}/_api/")
    assert state["pid"] == os.getpid()


def test_what_was_deployed_is_seen_by_any_client_with_the_operators_keys(engine: Engine) -> None:
    state = engine.state()
    outside = boto3.client(
        "sqs",
        endpoint_url=state["endpoint"],
        region_name=state["region"],
        aws_access_key_id=state["access_key"],
        aws_secret_access_key=state["secret_key"],
    )
    (url,) = outside.list_queues()["QueueUrls"]
    outside.send_message(QueueUrl=url, MessageBody="hello")
    assert engine.clients.client("sqs").receive_message(QueueUrl=url)["Messages"][0]["Body"] == "hello"


def test_every_phase_is_reported_once(tmp_path: Path) -> None:
    seen: list[tuple[str, str]] = []
    made = Engine(assembly(tmp_path, TEMPLATE), Options())
    made.start(lambda event, text, seconds: seen.append((event, text)))
    made.stop()
    assert [event for event, _ in seen] == ["started", "deployed"]
    assert seen[1][1] == "perennial-dev-shared: CREATE_COMPLETE"


def test_a_second_engine_in_the_same_process_starts_empty(tmp_path: Path) -> None:
    for _ in range(2):
        with Engine(assembly(tmp_path, TEMPLATE), Options()) as made:
            assert len(made.clients.client("sqs").list_queues()["QueueUrls"]) == 1


def test_an_assembly_that_cannot_be_deployed_ends_the_engine(tmp_path: Path) -> None:
    made = Engine(assembly(tmp_path, BAD_TEMPLATE), Options())
    with pytest.raises(AssemblyError, match="AWS::ECS::Cluster"):
        made.start()
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"{made.endpoint}/_engine/health", timeout=5)


def test_the_state_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "engine.json"
    write_state(path, {"endpoint": "here"})
    write_state(path, {"endpoint": "there"})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text()) == {"endpoint": "there"}
    assert list(path.parent.iterdir()) == [path]


def command(folder: Path, state: Path) -> list[str]:
    return [sys.executable, "-m", "local.engine", "--cdk-out", str(folder), "--state-file", str(state)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_it_is_told_to_end(tmp_path: Path, number: signal.Signals) -> None:
    state = tmp_path / "engine.json"
    process = subprocess.Popen(command(assembly(tmp_path, TEMPLATE), state), stdout=subprocess.PIPE, text=True)
    with process:
        try:
            assert process.stdout is not None
            phases = [json.loads(process.stdout.readline()) for _ in range(3)]
            assert [phase["event"] for phase in phases] == ["started", "deployed", "ready"]
            assert all(phase["seconds"] >= 0 for phase in phases)
            endpoint = json.loads(state.read_text())["endpoint"]
            with urllib.request.urlopen(f"{endpoint}/_engine/health", timeout=10) as answer:
                assert answer.status == 200
            process.send_signal(number)
            assert process.wait(30) == 0
        finally:
            process.kill()
    assert not state.exists()


def test_the_command_ends_with_the_reason_when_nothing_can_be_deployed(tmp_path: Path) -> None:
    state = tmp_path / "engine.json"
    ran = subprocess.run(
        command(assembly(tmp_path, BAD_TEMPLATE), state), capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 1
    assert "AWS::ECS::Cluster" in ran.stderr
    assert not state.exists()


def test_nothing_is_left_running_when_the_engine_has_stopped(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with Engine(assembly(tmp_path, TEMPLATE), Options()):
        pass
    eventually(lambda: set(threading.enumerate()) <= before, "end of all threads", 5)
