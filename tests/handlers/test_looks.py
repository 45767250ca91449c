"""One look answers for every message that was sent before it listed, and for no other: nothing is lost by it."""

import random
import threading
from itertools import groupby
from typing import Any

import pytest

from lambdas import wiring
from lifecycle.errors import Throttled

from .calls_made import counted
from .conftest import World
from .looks_world import Queue, announced, look

LISTING = "ListObjectVersions"
DYING, REFUSED, MEETING = 0.04, 0.03, 0.08


class Death(Exception):
    """A function ends between two of its calls."""


@pytest.fixture
def queue() -> Queue:
    return Queue.make()


def upload(world: World, queue: Queue, *names: str) -> None:
    for name in names:
        world.upload(name, name.encode())
        queue.send(f"flights/{name}")


def versions(world: World) -> list[str]:
    """Ids of the versions in the order of their cuts, as the ledger has them."""
    return [entry["detail"]["version"] for entry in world.ledger("dataset#flights") if entry["kind"] == "version cut"]


def held(world: World) -> list[str]:
    """Names of the files of the current version."""
    version = world.read("data-bucket", "versions/flights/current.json")["version"]
    manifest = world.read("data-bucket", f"versions/flights/{version}/manifest.json")
    return sorted(entry["name"] for entry in manifest["objects"])


def test_fifty_files_in_fifty_messages_are_listed_once(world: World, queue: Queue) -> None:
    upload(world, queue, *(f"{number:02}.csv" for number in range(50)))
    world.pass_time(61)
    with counted("s3") as calls:
        assert look(queue.receive(1)) == []
    assert len(calls.of(LISTING)) == 1
    with counted("s3", "dynamodb") as calls:
        for _ in range(49):
            assert look(queue.receive(1)) == []
    assert {operation: len(made) for operation, made in calls.made.items()} == {"GetItem": 49}
    assert len(held(world)) == 50


def test_messages_that_meet_a_look_wait_for_its_answer_and_list_nothing(world: World, queue: Queue) -> None:
    upload(world, queue, "a.csv", "b.csv", "c.csv")
    world.pass_time(61)
    first, others = queue.receive(1), [queue.receive(1) for _ in range(2)]
    events = wiring.client("s3").meta.events

    def meet(**_kwargs: Any) -> None:
        events.unregister("before-call.s3.GetObject", meet)
        assert [len(look(other, f"request-{number}")) for number, other in enumerate(others, 2)] == [1, 1]

    events.register_first("before-call.s3.GetObject", meet)
    with counted("s3") as calls:
        assert look(first) == []
        world.pass_time(16)
        assert look(queue.receive(), "request-4") == []
    assert len(calls.of(LISTING)) == 1
    assert len(announced(world)) == 1


def test_a_file_that_came_after_the_listing_began_is_looked_at(world: World, queue: Queue) -> None:
    upload(world, queue, "a.csv")
    world.pass_time(61)
    events = wiring.client("s3").meta.events

    def another(**_kwargs: Any) -> None:
        events.unregister("before-call.s3.GetObject", another)
        upload(world, queue, "b.csv")

    events.register_first("before-call.s3.GetObject", another)
    assert look(queue.receive()) == []
    world.pass_time(61)
    assert look(queue.receive()) == []
    assert [detail["sequence"] for detail in announced(world)] == [1, 2]
    assert held(world) == ["a.csv", "b.csv"]


def test_messages_of_a_dataset_that_has_not_settled_wait_for_it_and_list_nothing(world: World, queue: Queue) -> None:
    upload(world, queue, "a.csv")
    world.pass_time(30)
    upload(world, queue, "b.csv")
    world.pass_time(31)
    with counted("s3", "sqs") as calls:
        for _ in range(2):
            assert len(look(queue.receive(1))) == 1
    assert len(calls.of(LISTING)) == 1
    assert [call["VisibilityTimeout"] for call in calls.of("ChangeMessageVisibility")] == [29, 29]
    world.pass_time(30)
    assert look(queue.receive()) == []
    assert held(world) == ["a.csv", "b.csv"]


def test_a_look_that_failed_answers_for_nobody(world: World, queue: Queue) -> None:
    upload(world, queue, "a.csv", "b.csv")
    world.pass_time(61)
    events = wiring.client("s3").meta.events

    def fail(**_kwargs: Any) -> None:
        raise Death

    events.register_first("before-call.s3.CopyObject", fail)
    with pytest.raises(Death):
        look(queue.receive(1))
    events.unregister("before-call.s3.CopyObject", fail)
    assert look(queue.receive(1), "request-2") == []
    assert held(world) == ["a.csv", "b.csv"]


class Storm:
    """Pollers that meet within each other's calls, are refused or die there, and deliver what they had once more."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.queue, self.draw = world, Queue.make(), random.Random(seed)
        self.uploaded: list[str] = []
        self.files = [f"{number}.csv" for number in range(4)]
        self._alive: list[bool] = []
        self._invoked = 0
        for service in ("s3", "dynamodb", "sqs"):
            wiring.client(service).meta.events.register(f"before-call.{service}", self._meet)

    def upload(self) -> None:
        if self.files:
            name = self.files.pop()
            upload(self.world, self.queue, name)
            if self.draw.random() < 0.3:
                self.queue.send(f"flights/{name}")  # EventBridge may deliver twice
            self.uploaded.append(name)

    def deliver(self) -> None:
        """Let a poller take what is there; what was finished is deleted, or comes again when the poller dies first."""
        event = self.queue.receive(self.draw.randint(1, 4))
        if not event["Records"]:
            return
        for _ in range(self.draw.choice((1, 1, 1, 2))):  # SQS may deliver twice
            self._invoked += 1
            self._alive.append(True)
            try:
                failed = look(event, f"request-{self._invoked}")
                if self.draw.random() < 0.9:
                    self.queue.delete(event, failed)
            except (Death, Throttled):  # the function failed: its messages come again
                pass
            finally:
                self._alive.pop()

    def _meet(self, **_kwargs: Any) -> None:
        """Before a call of a function: others come in between, or it dies, and calls nothing any more."""
        if not self._alive or threading.current_thread() is not threading.main_thread():
            return  # the test's own call, or a copy: whoever waits for copies may die before and after them
        if not self._alive[-1]:
            raise Death
        chance = self.draw.random()
        if chance < DYING:
            self._alive[-1] = False
            raise Death
        if chance < DYING + REFUSED:
            raise Throttled("of the storm")
        if chance < DYING + REFUSED + MEETING and len(self._alive) < 5:
            self.draw.choice((self.upload, self.deliver, self.deliver))()


@pytest.mark.parametrize("seed", range(20))
def test_whoever_dies_fails_meets_or_comes_twice_each_content_is_cut_once_and_nothing_is_lost(
    world: World, seed: int
) -> None:
    storm = Storm(world, seed)
    while storm.files or storm.queue.left():
        storm.draw.choice((storm.upload, storm.deliver, storm.deliver, storm.deliver))()
        world.pass_time(storm.draw.choice((2, 20, 60)))
    cut = versions(world)
    assert len(cut) == len(set(cut))
    assert [detail["sequence"] for detail in announced(world)] == sorted(
        detail["sequence"] for detail in announced(world)
    )
    assert [version for version, _ in groupby(detail["version"] for detail in announced(world))] == cut
    assert held(world) == sorted(storm.uploaded)
