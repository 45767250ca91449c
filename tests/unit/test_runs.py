"""What waits for a run, what it profiles, and how it ended."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle import names, runs
from lifecycle.runs import Asked, Queue, Status
from lifecycle.versions import Current, Entry


def data(sequence: int) -> Asked:
    return Asked(dataset="flights", version=f"v{sequence}", sequence=sequence)


def named(version: str) -> Asked:
    return Asked(dataset="flights", version=version, rerun=True, reason="by hand")


asks = st.one_of(st.integers(1, 5).map(data), st.sampled_from("xyz").map(named))


@given(st.lists(asks))
def test_the_newest_version_and_every_named_run_wait_in_any_order_of_arrival(arrivals: list[Asked]) -> None:
    queue = Queue()
    for asked in arrivals:
        queue = queue.add(asked)
    sequences = [asked.sequence for asked in arrivals if asked.sequence is not None]
    assert (queue.newest.sequence if queue.newest else 0) == max(sequences, default=0)
    assert set(queue.named) == {asked for asked in arrivals if asked.rerun}
    assert Queue.from_plain(json.loads(json.dumps(queue.to_plain()))) == queue


@given(st.lists(asks), asks)
def test_what_started_leaves_the_queue_and_nothing_else_does(arrivals: list[Asked], started: Asked) -> None:
    queue = Queue()
    for asked in arrivals:
        queue = queue.add(asked)
    left = queue.without(started)
    assert started not in left
    assert all(asked in left for asked in (queue.newest, *queue.named) if asked and asked != started)


def test_new_data_run_before_runs_asked_for() -> None:
    assert Queue().first() is None
    assert Queue().add(named("x")).add(data(1)).first() == data(1)


@pytest.mark.parametrize(
    ("asked", "current", "superseded"),
    [
        (data(1), None, False),
        (data(2), Current(version="v1", sequence=1, cut_at=""), False),
        (data(2), Current(version="v2", sequence=2, cut_at=""), False),
        (data(2), Current(version="other", sequence=2, cut_at=""), True),
        (data(1), Current(version="v2", sequence=2, cut_at=""), True),
        (data(1), Current(version="v1", sequence=3, cut_at=""), False),
        (named("v1"), Current(version="v2", sequence=2, cut_at=""), False),
    ],
)
def test_only_an_announcement_overtaken_by_newer_content_is_superseded(
    asked: Asked, current: Current | None, superseded: bool
) -> None:
    assert runs.is_superseded(asked, current) is superseded


def entry(number: int, size: int) -> Entry:
    return Entry(name=f"{number}.csv", version_id=str(number), key=f"objects/{number}", sha256=f"{number}", size=size)


@given(st.lists(st.integers(0, 300_000_000), max_size=80), st.sets(st.integers(0, 80)))
def test_every_new_object_is_in_one_batch(sizes: list[int], known: set[int]) -> None:
    objects = [entry(number, size) for number, size in enumerate(sizes)]
    batches = runs.batches(objects, map(str, known))
    flat = [one.sha256 for batch in batches for one in batch]
    assert flat == [one.sha256 for one in objects if int(one.sha256) not in known]
    assert all(len(batch) <= runs.BATCH_OBJECTS for batch in batches)
    assert all(len(batch) == 1 or sum(one.size for one in batch) <= runs.BATCH_BYTES for batch in batches)


def test_equal_content_is_profiled_once() -> None:
    twice = [entry(1, 1), Entry(name="copy.csv", version_id="9", key="objects/9", sha256="1", size=1)]
    assert [len(batch) for batch in runs.batches(twice, [])] == [1]


def test_a_hundred_thousand_objects_fit_into_the_state_of_the_machine() -> None:
    batches = runs.batches([entry(number, 50_000_000) for number in range(100_000)], [])
    run = "x" * names.MODEL_NAME_LENGTH + "-12345678-a99"
    listed = [{"run_id": run, "batch": f"runs/{run}/{run}/inputs/batch-{n}.json"} for n in range(len(batches))]
    assert len(json.dumps(listed)) < names.STATE_BYTES / 2
    assert sum(map(len, batches)) == 100_000


@pytest.mark.parametrize(
    ("execution", "accepted", "status"),
    [
        ("SUCCEEDED", True, Status.SUCCEEDED),
        ("SUCCEEDED", False, Status.REJECTED),
        ("FAILED", None, Status.FAILED),
        ("TIMED_OUT", True, Status.TIMED_OUT),
        ("ABORTED", None, Status.ABORTED),
        ("GONE", None, Status.ABORTED),
    ],
)
def test_a_run_ends_as_its_execution_or_its_verdict_says(execution: str, accepted: bool | None, status: Status) -> None:
    assert runs.ended_status(execution, accepted) is status


def test_a_run_id_is_that_of_its_stage_content_spec_and_attempt() -> None:
    given = ("dev", "flights", "a" * 64, "b" * 64, 1)
    others = [("test", *given[1:]), (*given[:2], "c" * 64, *given[3:]), (*given[:3], "c" * 64, 1), (*given[:4], 2)]
    assert runs.run_id(*given) == runs.run_id(*given)
    assert len({runs.run_id(*each) for each in (given, *others)}) == 5


def test_a_run_id_leaves_room_for_family_and_attempt_in_a_job_name() -> None:
    longest = runs.run_id("s", "m" * names.MODEL_NAME_LENGTH, "v", "s", 99)
    assert len(f"{longest}-evaluate-9") <= names.JOB_NAME_LENGTH
    assert len(longest) + 1 + names.FAMILY_NAME_LENGTH + 2 <= names.JOB_NAME_LENGTH
