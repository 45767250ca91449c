"""The ledger counts without gaps or doubles, however many write at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from cloud.ledger import Ledger, LedgerTable
from lambdas import wiring
from lambdas.record_event import handler
from lifecycle.errors import Unavailable
from lifecycle.ledger import Entry

from .conftest import World


def entry(number: int, subject: str = "model#flights") -> Entry:
    return Entry(
        subject=subject, kind="run started", id=f"run-{number}", at="2026-11-21T12:00:00Z", detail={"n": number}
    )


def test_entries_are_numbered_per_subject(world: World) -> None:
    assert handler(entry(1).to_plain(), None) == {"number": 1, "new": True}
    assert handler(entry(2).to_plain(), None) == {"number": 2, "new": True}
    assert handler(entry(3, "dataset#flights").to_plain(), None) == {"number": 1, "new": True}
    assert [e["detail"] for e in world.ledger("model#flights")] == [{"n": 1}, {"n": 2}]


def test_the_same_entry_sent_again_is_written_once(world: World) -> None:
    handler(entry(1).to_plain(), None)
    handler(entry(2).to_plain(), None)
    assert handler(entry(1).to_plain(), None) == {"number": 1, "new": False}
    assert len(world.ledger("model#flights")) == 2


def test_only_entries_that_came_later_are_read(world: World) -> None:
    for number in range(1, 13):
        handler(entry(number).to_plain(), None)
    table = LedgerTable(boto3.client("dynamodb"), "ledger")
    assert [e["number"] for e in table.entries("model#flights", after=9)] == [10, 11, 12]
    assert table.entries("model#flights", after=12) == []
    assert len(table.entries("model#flights")) == 12


class OneCallAtATime:
    """moto copies a table while others write to it, so calls take turns; the writers' steps still interleave."""

    def __init__(self, client: Any, turn: Lock) -> None:
        self._client = client
        self._turn = turn

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> Any:
            with self._turn:
                return getattr(self._client, operation)(**request)

        return call


def test_twenty_writers_at_once_leave_twenty_numbers(world: World) -> None:
    turn = Lock()

    def write(number: int) -> int:
        table = LedgerTable(OneCallAtATime(boto3.client("dynamodb"), turn), "ledger")
        for _ in range(20):
            try:
                return table.append(entry(number % 20))[0]
            except Unavailable:
                continue
        raise AssertionError("a writer never got through")

    with ThreadPoolExecutor(10) as pool:
        numbers = list(pool.map(write, range(40)))
    assert sorted(set(numbers)) == list(range(1, 21))
    assert [e["number"] for e in world.ledger("model#flights")] == list(range(1, 21))


def test_everyone_else_writes_through_the_one_writer(world: World) -> None:
    assert wiring.ledger("record-event").record(entry(1)) == 1
    assert wiring.ledger("record-event").record(entry(1)) == 1


def test_a_writer_that_failed_is_not_taken_for_one_that_wrote() -> None:
    answer = {"FunctionError": "Unhandled", "Payload": SimpleNamespace(read=lambda: b'{"errorType": "Throttled"}')}
    broken: Any = SimpleNamespace(invoke=lambda **_: answer)
    with pytest.raises(Unavailable, match="failed with Throttled on run-1"):
        Ledger(broken, "record-event").record(entry(1))
