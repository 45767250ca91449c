"""Fifty clients at once: each call is answered once, and nothing of them is left when they have gone."""

import os
import threading
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from local.engine import Engine
from local.identity import OPERATOR
from local.options import Options
from tests.local.core_world import eventually
from tests.local.test_engine import TEMPLATE, assembly

CLIENTS, EACH = 50, 4


def asking(engine: Engine) -> Any:
    """A client that asks once, with a connection for each of its callers."""
    config = Config(retries={"total_max_attempts": 1}, max_pool_connections=CLIENTS)
    keys = {"aws_access_key_id": OPERATOR.access_key, "aws_secret_access_key": OPERATOR.secret_key}
    return boto3.client("sqs", endpoint_url=engine.endpoint, region_name="us-east-1", config=config, **keys)


def left() -> tuple[int, int]:
    """Threads and open files of this process."""
    return threading.active_count(), sum(1 for _ in Path(f"/proc/{os.getpid()}/fd").iterdir())


def test_fifty_clients_at_once_are_all_answered_and_leave_nothing_behind(tmp_path: Path) -> None:
    with Engine(assembly(tmp_path, TEMPLATE), Options(data=tmp_path / "data")) as engine:
        (url,) = engine.clients.client("sqs").list_queues()["QueueUrls"]
        before, start, sent = left(), threading.Barrier(CLIENTS), list[str]()

        outside = asking(engine)

        def send() -> None:
            start.wait()
            for number in range(EACH):
                sent.append(outside.send_message(QueueUrl=url, MessageBody=str(number))["MessageId"])

        threads = [threading.Thread(target=send) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        outside.close()
        assert len(set(sent)) == len(sent) == CLIENTS * EACH
        sqs, found = engine.clients.client("sqs"), []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            found += [message["MessageId"] for message in messages]
        assert sorted(found) == sorted(sent)
        eventually(lambda: all(now <= then + 2 for now, then in zip(left(), before, strict=True)), "end of connections")
