"""An engine with nothing but functions, and what tests of functions share."""

import io
import json
import random
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
from local.functions.functions import Functions
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
        chance = random.Random(7)
        identity = Identity()
        self.dispatcher = Dispatcher(identity)
        self.clients = Clients(self.dispatcher, "us-east-1")
        self.functions = Functions(
            self.clients,
            self.clock,
            identity,
            work_dir=folder,
            endpoint="http://127.0.0.1:1",
        )
        self.functions.share_out(chance.random)
        self.dispatcher.register(self.functions.operations())
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


def running(folder: Path) -> Iterator[Lambda]:
    moto_state.reset()
    made = Lambda(folder)
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
