"""Functions of the laptop engine, through a client, on real workers."""

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import moto_state
from local.clients import Clients
from local.clock import Clock
from local.dispatch import Dispatcher
from local.functions import Functions
from local.identity import Identity

ROLE = "arn:aws:iam::123456789012:role/worker"
ECHO = "def handler(event, context):\n    return event\n"


def package(mode: int = 0o644, **files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name.replace("__", "/") + ".py", (1980, 1, 1, 0, 0, 0))
            entry.external_attr = mode << 16
            archive.writestr(entry, text)
    return buffer.getvalue()


class Lambda:
    """An engine with nothing but functions."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        identity = Identity()
        dispatcher = Dispatcher(identity)
        self.clients = Clients(dispatcher, "us-east-1")
        self.functions = Functions(self.clients, self.clock, identity, work_dir=folder, endpoint="http://127.0.0.1:1")
        dispatcher.register(self.functions.operations())
        self.client = self.clients.client("lambda")

    def create(self, code: str = ECHO, **settings: Any) -> Any:
        return self.client.create_function(
            **{
                "FunctionName": "f",
                "Runtime": "python3.12",
                "Role": ROLE,
                "Handler": "code.handler",
                "Code": {"ZipFile": package(code=code)},
                **settings,
            }
        )

    def invoke(self, event: Any = None, **arguments: Any) -> tuple[Any, Any]:
        answer = self.client.invoke(**{"FunctionName": "f", "Payload": json.dumps(event), **arguments})
        return json.loads(answer["Payload"].read() or b"null"), answer

    def publish(self, code: str) -> Any:
        published = self.client.update_function_code(FunctionName="f", ZipFile=package(code=code), Publish=True)
        self.clock.advance(1)
        return published

    def settle(self) -> None:
        self.clock.advance(1)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Lambda]:
    moto_state.reset()
    made = Lambda(tmp_path)
    yield made
    made.functions.close()
    made.clock.stop()


def refused(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


def eventually(ask: Callable[[], Any], seconds: float = 5) -> Any:
    until = time.perf_counter() + seconds
    while not (answer := ask()) and time.perf_counter() < until:
        time.sleep(0.02)
    return answer


def test_a_function_answers_with_what_its_handler_returns(engine: Lambda) -> None:
    engine.create()
    payload, answer = engine.invoke({"a": [1, "x"]})
    assert payload == {"a": [1, "x"]}
    assert answer["StatusCode"] == 200
    assert answer["ExecutedVersion"] == "$LATEST"
    assert "FunctionError" not in answer


def test_a_worker_is_kept_warm_for_the_next_invocation(engine: Lambda) -> None:
    engine.create("import os\ndef handler(event, context):\n    return os.getpid()\n")
    assert engine.invoke()[0] == engine.invoke()[0]


def test_a_function_sees_its_own_environment_and_nothing_of_this_machine(engine: Lambda) -> None:
    engine.create(
        "import os\ndef handler(event, context):\n    return dict(os.environ)\n",
        Environment={"Variables": {"STAGE": "dev"}},
        MemorySize=256,
    )
    seen, _ = engine.invoke()
    assert seen["STAGE"] == "dev"
    assert seen["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert seen["AWS_REGION"] == seen["AWS_DEFAULT_REGION"] == "us-east-1"
    assert seen["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert seen["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    foreign = {name for name in seen if not name.startswith(("AWS_", "LAMBDA_", "_"))}
    assert foreign <= {"STAGE", "PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "LANG", "LC_CTYPE", "TZ", "TMPDIR"}
