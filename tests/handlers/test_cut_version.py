"""Uploads become data versions: exactly one per content, whatever the order, number and timing of messages."""

import hashlib
import json
import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lambdas import wiring
from lifecycle import claims
from lifecycle.claims import Taking

from .calls_made import counted
from .conftest import STAGE, World
from .looks_world import Queue, announced, look

SUBJECT = "dataset#flights"


@pytest.fixture
def queue() -> Queue:
    return Queue.make()


def messages(queue: Queue, *names: str) -> dict[str, Any]:
    queue.send(*names)
    return queue.receive()


def cut(world: World, queue: Queue, request: str = "request-1") -> list[str]:
    world.pass_time(61)
    return look(messages(queue, "flights/any.csv"), request)


def test_a_settled_upload_becomes_a_version_with_manifest_channel_event_and_entry(world: World, queue: Queue) -> None:
    version_id = world.upload("2013/01 a+ü.csv", b"a,b\n1,2\n")
    assert cut(world, queue) == []
    current = world.read("data-bucket", "versions/flights/current.json")
    folder = f"versions/flights/{current['version']}"
    manifest = world.read("data-bucket", f"{folder}/manifest.json")
    digest = hashlib.sha256(b"a,b\n1,2\n").hexdigest()
    assert manifest["objects"] == [
        {
            "name": "2013/01 a+ü.csv",
            "version_id": version_id,
            "key": f"objects/flights/{version_id}",
            "sha256": digest,
            "size": 8,
        }
    ]
    assert (
        world.s3.get_object(Bucket="data-bucket", Key=f"objects/flights/{version_id}")["Body"].read() == b"a,b\n1,2\n"
    )
    channel = world.read("data-bucket", f"{folder}/channel.json")
    assert channel == [{"prefix": "s3://data-bucket/objects/flights/"}, version_id]
    assert announced(world) == [
        {
            "stage": STAGE,
            "dataset": "flights",
            "version": current["version"],
            "sequence": 1,
            "cut_at": manifest["cut_at"],
        }
    ]
    assert [entry["kind"] for entry in world.ledger(SUBJECT)] == ["version cut"]


def test_a_fresh_upload_waits_until_nothing_changed_for_the_settle_time(world: World, queue: Queue) -> None:
    world.upload("a.csv", b"a\n1\n")
    world.pass_time(59)
    event = messages(queue, "flights/a.csv")
    assert look(event) == [event["Records"][0]["messageId"]]
    assert world.keys("data-bucket", "versions/") == []
    world.pass_time(2)
    assert look(messages(queue)) == [], "the message came back after the remaining second"
    assert len(announced(world)) == 1


def test_a_ready_object_cuts_at_once_but_not_the_uploads_after_it(world: World, queue: Queue) -> None:
    world.upload("a.csv", b"a\n1\n")
    assert len(look(messages(queue, "flights/a.csv"))) == 1, "not settled yet"
    world.upload("_READY", b"")
    assert look(messages(queue, "flights/_READY")) == []
    assert len(announced(world)) == 1
    world.pass_time(5)
    world.upload("b.csv", b"a\n2\n")
    assert len(look(messages(queue, "flights/b.csv"))) == 1
    assert len(announced(world)) == 1


def test_folders_markers_and_strays_are_not_data(world: World, queue: Queue) -> None:
    world.upload("", b"")
    world.upload("2013/", b"")
    world.s3.put_object(Bucket="data-bucket", Key="incoming/stray.csv", Body=b"x")
    world.pass_time(61)
    assert look(messages(queue, "flights/2013/", "stray.csv")) == []
    assert announced(world) == []
    assert [entry["kind"] for entry in world.ledger(SUBJECT)] == ["dataset emptied"]


def test_the_same_file_uploaded_twice_is_no_new_version(world: World, queue: Queue) -> None:
    for _ in range(2):
        world.upload("a.csv", b"a\n1\n")
        assert cut(world, queue) == []
    assert len(announced(world)) == 1


def test_replacing_adding_and_deleting_files_each_make_a_version(world: World, queue: Queue) -> None:
    world.upload("a.csv", b"a\n1\n")
    cut(world, queue)
    world.upload("a.csv", b"a\n2\n")
    cut(world, queue)
    world.upload("b.csv", b"a\n3\n")
    cut(world, queue)
    world.s3.delete_object(Bucket="data-bucket", Key="incoming/flights/a.csv")
    cut(world, queue)
    details = announced(world)
    assert [detail["sequence"] for detail in details] == [1, 2, 3, 4]
    last = world.read("data-bucket", f"versions/flights/{details[-1]['version']}/manifest.json")
    assert [entry["name"] for entry in last["objects"]] == ["b.csv"]


def test_an_emptied_dataset_is_recorded_once_and_starts_nothing(world: World, queue: Queue) -> None:
    world.upload("a.csv", b"a\n1\n")
    cut(world, queue)
    world.s3.delete_object(Bucket="data-bucket", Key="incoming/flights/a.csv")
    cut(world, queue)
    cut(world, queue)
    assert [entry["kind"] for entry in world.ledger(SUBJECT)] == ["version cut", "dataset emptied"]
    assert len(announced(world)) == 1


def test_only_new_object_versions_are_copied(world: World, queue: Queue) -> None:
    world.upload("a.csv", b"a\n1\n")
    cut(world, queue)
    [first] = world.keys("data-bucket", "objects/")
    before = world.s3.head_object(Bucket="data-bucket", Key=first)["VersionId"]
    world.upload("b.csv", b"a\n2\n")
    cut(world, queue)
    assert world.s3.head_object(Bucket="data-bucket", Key=first)["VersionId"] == before
    assert len(world.keys("data-bucket", "objects/")) == 2


def test_a_look_while_somebody_else_cuts_comes_again(world: World, queue: Queue) -> None:
    world.upload("a.csv", b"a\n1\n")
    world.pass_time(61)
    world.claims().hold(Taking(claim=claims.cut("flights"), owner="other", lease_seconds=300), time.time())
    assert len(look(messages(queue, "flights/a.csv"))) == 1
    assert announced(world) == []
    world.pass_time(301)
    assert look(messages(queue, "flights/a.csv"), "request-2") == []
    assert len(announced(world)) == 1


@pytest.mark.parametrize("lost", ["current.json", "manifest.json", "channel.json"])
def test_a_cut_that_died_before_its_end_is_completed_by_the_next_look(world: World, queue: Queue, lost: str) -> None:
    world.upload("a.csv", b"a\n1\n")
    cut(world, queue)
    version = announced(world)[0]["version"]
    order = ["channel.json", "manifest.json", "current.json"]
    for name in order[order.index(lost) :]:
        key = f"versions/flights/{name}" if name == "current.json" else f"versions/flights/{version}/{name}"
        world.s3.delete_object(Bucket="data-bucket", Key=key)
    cut(world, queue)
    assert world.read("data-bucket", "versions/flights/current.json")["version"] == version
    assert world.read("data-bucket", f"versions/flights/{version}/manifest.json")["version"] == version
    assert world.read("data-bucket", f"versions/flights/{version}/channel.json")
    assert {detail["version"] for detail in announced(world)} == {version}
    assert [entry["kind"] for entry in world.ledger(SUBJECT)] == ["version cut"]


def test_fifty_files_over_five_pollers_twice_and_one_late_are_one_look_and_version(world: World, queue: Queue) -> None:
    names = [f"flights/{number:02}.csv" for number in range(50)]
    for name in names:
        world.s3.put_object(Bucket="data-bucket", Key=f"incoming/{name}", Body=name.encode())
    sent = str(int(time.time() * 1000))
    world.pass_time(61)
    bodies = names * 2
    random.Random(7).shuffle(bodies)
    events = [
        {
            "Records": [
                {
                    "messageId": f"{batch}-{number}",
                    "receiptHandle": "none",
                    "body": json.dumps({"key": f"incoming/{name}"}),
                    "attributes": {"SentTimestamp": sent},
                    "eventSourceARN": queue.arn,
                }
                for number, name in enumerate(bodies[batch::10])
            ]
        }
        for batch in range(10)
    ]

    def deliver(event: dict[str, Any]) -> bool:
        return bool(look(event, event["Records"][0]["messageId"]))

    with counted("s3") as calls, ThreadPoolExecutor(5) as pool:
        again = [event for event, failed in zip(events, pool.map(deliver, events), strict=True) if failed]
        for event in again:
            world.pass_time(16)
            assert not deliver(event)
        assert not deliver(events[3]), "the late one"
    assert len(calls.of("ListObjectVersions")) == 1
    details = announced(world)
    assert len({detail["version"] for detail in details}) == 1
    manifest = world.read("data-bucket", f"versions/flights/{details[0]['version']}/manifest.json")
    assert len(manifest["objects"]) == 50
    assert len(world.ledger(SUBJECT)) == 1


def test_an_object_that_s3_cannot_copy_at_once_is_refused_by_name_and_none_is_cut(world: World, queue: Queue) -> None:
    world.upload("huge.parquet", b"x")

    def enlarge(parsed: dict[str, Any], **_kwargs: Any) -> None:
        for entry in parsed["Versions"]:
            entry["Size"] = 5 * 1024**3 + 1

    wiring.client("s3").meta.events.register("after-call.s3.ListObjectVersions", enlarge)
    assert cut(world, queue) == []
    assert cut(world, queue) == []
    [entry] = world.ledger(SUBJECT)
    assert entry["kind"] == "upload refused"
    assert entry["detail"]["objects"] == ["huge.parquet"]
    assert announced(world) == []


def test_an_object_deleted_for_good_while_it_was_copied_is_looked_at_again(world: World, queue: Queue) -> None:
    version_id = world.upload("a.csv", b"a\n1\n")
    world.upload("b.csv", b"a\n2\n")
    world.pass_time(61)

    def remove(**_kwargs: Any) -> None:
        world.s3.delete_object(Bucket="data-bucket", Key="incoming/flights/a.csv", VersionId=version_id)

    wiring.client("s3").meta.events.register_first("before-call.s3.CopyObject", remove)
    assert len(look(messages(queue, "flights/a.csv"))) == 1
    assert announced(world) == []
    world.pass_time(2)
    assert look(messages(queue)) == []
    manifest = world.read("data-bucket", f"versions/flights/{announced(world)[0]['version']}/manifest.json")
    assert [entry["name"] for entry in manifest["objects"]] == ["b.csv"]
