"""Disks that are full: said where, refused as AWS refuses, nothing lost that was answered, and then it goes on."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.data_folder import DataDirectoryError
from local.disk_writes import DiskWrites
from local.engine import Engine
from local.options import Options
from tests.local.core_world import eventually
from tests.local.functions_world import Lambda
from tests.local.functions_world import running as running_functions
from tests.local.jobs_world import account_in, channel
from tests.local.test_engine import TEMPLATE, assembly

ROOM = 4 << 20
BODY = "x" * 50_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, of 4 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here: that takes root")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk: Path) -> Path:
    """Leave no room; return the file that takes it."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            pass
    return ballast


def send(sqs: Any, url: str) -> list[str]:
    """Send messages until one is refused; return the ids that were answered."""
    answered: list[str] = []
    error: dict[str, Any] = {}
    while not error and len(answered) < ROOM / len(BODY):
        try:
            answered.append(sqs.send_message(QueueUrl=url, MessageBody=BODY)["MessageId"])
        except ClientError as refused:
            error = dict(refused.response)
    assert (error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]) == ("InternalFailure", 500)
    assert "cannot write to" in error["Error"]["Message"]
    assert "Free some space there and send the request again" in error["Error"]["Message"]
    return answered


def received(engine: Engine) -> set[str]:
    sqs = engine.clients.client("sqs")
    (url,) = sqs.list_queues()["QueueUrls"]
    found: set[str] = set()
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        found |= {message["MessageId"] for message in messages}
    return found


def test_a_full_disk_refuses_changes_and_loses_nothing_that_was_answered(
    disk: Path, tmp_path: Path, answers_fit_the_models: list[str]
) -> None:
    cdk_out, killed = assembly(tmp_path, TEMPLATE), tmp_path / "killed"
    with Engine(cdk_out, Options(data=disk / "data")) as engine:
        sqs = engine.clients.client("sqs")
        (url,) = sqs.list_queues()["QueueUrls"]
        answered = [sqs.send_message(QueueUrl=url, MessageBody=BODY)["MessageId"]]
        ballast = fill(disk)
        answered += send(sqs, url)
        assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"]), "what is there is read"
        shutil.copytree(disk / "data", killed)  # what an engine that is killed now leaves behind
        ballast.unlink()

        def sent() -> str | None:
            try:
                return str(sqs.send_message(QueueUrl=url, MessageBody="again")["MessageId"])
            except ClientError:
                return None

        later = eventually(sent, "room")
    answers_fit_the_models[:] = [fault for fault in answers_fit_the_models if "cannot write to" not in fault]
    with Engine(cdk_out, Options(data=killed)) as engine:
        assert set(answered) <= received(engine)
    with Engine(cdk_out, Options(data=disk / "data")) as engine:
        assert {*answered, later} <= received(engine)


def test_an_engine_that_finds_no_room_at_its_start_says_where(disk: Path, tmp_path: Path) -> None:
    fill(disk)
    with (
        pytest.raises(DataDirectoryError, match=rf"^{disk / 'data'} has no room .*Free some space there"),
        Engine(assembly(tmp_path, TEMPLATE), Options(data=disk / "data")),
    ):
        pass


def test_a_job_without_room_for_its_data_fails_in_sagemakers_words_and_the_next_one_runs(disk: Path) -> None:
    with account_in(disk) as account:
        account.put("in/large", os.urandom(ROOM))
        described = account.train("true", "large", InputDataConfig=[channel("data", "s3://bucket/in/large")])
        assert described["TrainingJobStatus"] == "Failed"
        assert described["FailureReason"].startswith("ClientError: Data download failed:Insufficient disk space")
        assert str(disk) in described["FailureReason"]
        assert account.train("true", "small")["TrainingJobStatus"] == "Completed"


def test_a_function_without_room_to_start_fails_as_lambda_does_and_answers_later(
    disk: Path, answers_fit_the_models: list[str]
) -> None:
    for engine in running_functions(disk / "functions"):
        answers_when_there_is_room(engine, disk)
    answers_fit_the_models[:] = [fault for fault in answers_fit_the_models if "cannot start f below" not in fault]


def answers_when_there_is_room(engine: Lambda, disk: Path) -> None:
    engine.create()
    ballast = fill(disk)
    with pytest.raises(ClientError) as refused:
        engine.invoke("x")
    assert refused.value.response["Error"]["Code"] == "ServiceException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert str(disk) in refused.value.response["Error"]["Message"]
    ballast.unlink()
    assert engine.invoke("x")[0] == "x"


def fault_of(writes: DiskWrites) -> str | None:
    return writes.fault


def test_what_a_full_base_does_not_take_is_written_in_order_once_there_is_room(tmp_path: Path) -> None:
    base = sqlite3.connect(tmp_path / "base", isolation_level=None)
    base.execute("CREATE TABLE t(n INTEGER, filling BLOB)")
    writes = DiskWrites(base, tmp_path)
    base.execute("PRAGMA max_page_count = 20")
    for number in range(30):
        writes.write([("INSERT INTO t VALUES(?, ?)", (number, b"x" * 8_000)), ("DELETE FROM t WHERE n = ?", (-1,))])
    taken = base.execute("SELECT count(*) FROM t").fetchone()[0]
    assert 0 < taken < 30
    assert fault_of(writes) == "database or disk is full"
    with pytest.raises(sqlite3.OperationalError):
        writes.attempt([("DELETE FROM t", ())])
    base.execute("PRAGMA max_page_count = 1000")
    writes.write([])
    assert fault_of(writes) is None
    assert [row[0] for row in base.execute("SELECT n FROM t ORDER BY rowid")] == list(range(30))
