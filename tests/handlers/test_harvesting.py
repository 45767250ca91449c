"""Labels that came back, joined with the prediction log, become files of the dataset."""

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from lambdas import wiring
from lambdas.harvesting import Harvested, harvesting
from lifecycle import keys
from lifecycle.errors import Unavailable
from lifecycle.feedback_label import Change, Label
from lifecycle.schema import Column, Kind
from lifecycle.settings import RecordFeedback
from lifecycle.versions import Current, assemble, version_id

from .calls_made import Calls, counted
from .conftest import SPEC, World
from .feedback_world import HOUR, identity, labels, log, make_labels_table
from .test_runs import start, upload, validated

ROW = {"flight": "UA1", "origin": "EWR", "distance": 1400.0}
YESTERDAY = "incoming/flights/feedback-flights/2026-11-20.csv.gz"
TODAY = "incoming/flights/feedback-flights/2026-11-21.csv.gz"


@pytest.fixture
def stage(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("LABELS_TABLE", make_labels_table())
    return world


def label(*said: tuple[str, str | float], at: float = 0.0) -> None:
    stored = labels().of(one for one, _ in said)
    labels().write(
        [
            Change(
                before=stored.get(one),
                after=Label(prediction_id=one, label=value, recorded_at=at, source="r-1", found=True),
            )
            for one, value in said
        ]
    )


def reap(least: int = 1, seconds: float = 600.0) -> Harvested:
    """Count, and upload if there are as many new rows, as a decision does."""
    with harvesting(wiring.settings(RecordFeedback), seconds=seconds) as harvest:
        found = harvest.count()
        return harvest.upload() if found.rows >= least else found


def lines(world: World, key: str = TODAY) -> list[str]:
    body = world.s3.get_object(Bucket="data-bucket", Key=key)["Body"].read()
    return gzip.decompress(body).decode().splitlines()


def current(world: World) -> list[str]:
    """The ids of what the dataset would be cut into now: one for each content."""
    listed = wiring.bucket("data-bucket").uploads("flights")
    bodies = {
        u.name: world.s3.get_object(Bucket="data-bucket", Key=f"incoming/flights/{u.name}")["Body"].read()
        for u in listed
    }
    return [version_id((name, hashlib.sha256(body).hexdigest()) for name, body in bodies.items())]


def cut(world: World) -> None:
    """The dataset's newest version is what is there now."""
    uploads = wiring.bucket("data-bucket").uploads("flights")
    digests = {}
    for one in uploads:
        body = world.s3.get_object(Bucket="data-bucket", Key=f"incoming/flights/{one.name}")["Body"].read()
        digests[one.version_id] = hashlib.sha256(body).hexdigest()
    manifest = assemble("flights", uploads, digests, "2026-11-21T00:00:00Z")
    newest = Current(version=manifest.version, sequence=1, cut_at=manifest.cut_at)
    data = wiring.bucket("data-bucket")
    data.write_json(keys.manifest("flights", manifest.version), manifest.to_plain())
    data.write_json(keys.current("flights"), newest.to_plain())


def predictions(at: float, *numbers: int, late: bool | None = True, **facts: Any) -> list[str]:
    """Log predictions of flights by number; label them unless `late` is None."""
    made = [identity(at, number) for number in numbers]
    for number, one in zip(numbers, made, strict=True):
        log(at, one, **{"row": {**ROW, "flight": f"UA{number}"}, **facts})
    if late is not None:
        label(*((one, "true" if late else "false") for one in made))
    return made


def test_labelled_rows_become_a_file_of_their_day(stage: World) -> None:
    now = wiring.now()
    one, two, three = (identity(now - HOUR, number) for number in range(3))
    log(now - HOUR, two, row={**ROW, "flight": "UA2"})
    log(now - HOUR, one, three, row=ROW, arrival=now)
    label((one, "true"), (two, "false"))
    assert reap() == Harvested(rows=2, total=2, keys=(TODAY,), complete=True)
    assert lines(stage) == ["flight,origin,distance,late", "UA1,EWR,1400.0,true", "UA2,EWR,1400.0,false"]


def test_a_day_belongs_to_the_time_of_the_prediction_whenever_its_line_or_its_label_came(stage: World) -> None:
    midnight = datetime(2026, 11, 21, tzinfo=UTC).timestamp()
    (one,) = predictions(midnight - 60, 1, late=None, arrival=midnight + 60)
    (two,) = predictions(midnight, 2, late=None)
    label((one, "true"), (two, "false"), at=midnight + 3600)
    assert reap().keys == (YESTERDAY, TODAY)
    assert lines(stage, YESTERDAY)[1:] == ["UA1,EWR,1400.0,true"]
    assert lines(stage)[1:] == ["UA2,EWR,1400.0,false"]


def test_the_log_is_found_across_the_turn_of_the_year(stage: World) -> None:
    turn = datetime(2027, 1, 1, tzinfo=UTC).timestamp()
    stage.clock.move_to(datetime(2027, 1, 3, tzinfo=UTC))
    predictions(turn - 60, 1, arrival=turn + 60)
    predictions(turn + 25 * HOUR, 2)
    predictions(turn - 200 * 24 * HOUR, 3)
    assert [key[-17:-7] for key in reap().keys] == ["2026-12-31", "2027-01-02"], (
        "the third one is too old to be labelled"
    )


def test_the_same_labels_give_the_same_bytes_and_no_new_version(stage: World) -> None:
    predictions(wiring.now() - HOUR, 1, 2)
    reap()
    before = current(stage)
    first = stage.s3.get_object(Bucket="data-bucket", Key=TODAY)["Body"].read()
    assert reap().keys == (), "nothing changed, so nothing is written"
    stage.pass_time(7)
    stage.s3.delete_object(Bucket="artifact-bucket", Key=keys.harvests("flights"))
    assert reap().keys == (TODAY,), "what was harvested is forgotten: it is made again"
    assert stage.s3.get_object(Bucket="data-bucket", Key=TODAY)["Body"].read() == first
    assert current(stage) == before


def test_a_corrected_label_rewrites_its_day_only_and_is_no_new_row(stage: World) -> None:
    now = wiring.now()
    (old,) = predictions(now - 24 * HOUR, 1)
    predictions(now - HOUR, 2)
    assert reap().rows == 2
    cut(stage)
    label((old, "false"), at=5.0)
    assert reap() == Harvested(rows=0, total=2, keys=(), complete=True), "nothing new to learn from"
    predictions(now - HOUR, 3)
    found = reap()
    assert (found.rows, found.keys) == (1, (YESTERDAY, TODAY))
    assert lines(stage, YESTERDAY)[1:] == ["UA1,EWR,1400.0,false"], "the latest label counts"


def test_too_few_new_rows_are_remembered_and_uploaded_once_there_are_enough(stage: World) -> None:
    now = wiring.now()
    predictions(now - 2 * HOUR, 1, 2)
    assert reap(least=3) == Harvested(rows=2, total=2, keys=(), complete=True)
    assert stage.keys("data-bucket", "incoming/") == []
    predictions(now - 24 * HOUR, 3)
    assert reap(least=3).keys == (YESTERDAY, TODAY)
    assert len(lines(stage)) == 3


def test_rows_that_are_in_the_newest_version_are_not_new(stage: World) -> None:
    now = wiring.now()
    predictions(now - HOUR, 1, 2)
    reap()
    cut(stage)
    assert reap() == Harvested(rows=0, total=2, keys=(), complete=True)
    predictions(now - 1800, 3)
    assert reap().rows == 1


def test_labels_without_a_logged_prediction_are_dropped_and_found_when_their_line_comes(stage: World) -> None:
    now = wiring.now()
    (here,) = predictions(now - HOUR, 1)
    missing = identity(now - HOUR, 9)
    label((missing, "true"))
    assert reap().total == 1
    log(now - HOUR, missing, row={**ROW, "flight": "UA9"}, arrival=now)
    assert reap().total == 2, "no label changed, but the log of the day was not complete"
    assert [line.split(",")[0] for line in lines(stage)[1:]] == ["UA1", "UA9"]
    assert here


def test_lines_that_come_twice_or_damaged_make_one_row_or_none(stage: World) -> None:
    at = wiring.now() - HOUR
    (one,) = predictions(at, 1)
    log(at, one, row={**ROW, "flight": "UA1"}, arrival=at + HOUR)
    key = keys.predictions_of_hour("flights", at) + "cut.gz"
    stage.s3.put_object(Bucket="data-bucket", Key=key, Body=gzip.compress(b'{"kind": "predi'))
    stage.s3.put_object(Bucket="data-bucket", Key=f"{key}2", Body=b"no gzip at all")
    assert reap().total == 1


def test_rows_that_the_contract_refuses_now_are_left_out(stage: World) -> None:
    at = wiring.now() - HOUR
    predictions(at, 1)
    (far,) = predictions(at, 2, row={**ROW, "distance": 1e6})
    (cut,) = predictions(at, 3, row=None)
    label((identity(at, 4), "perhaps"))
    log(at, identity(at, 4), row=ROW)
    assert reap().total == 1
    [entry] = stage.read("artifact-bucket", keys.harvests("flights"))["days"].values()
    assert entry["left_out"] == {
        "distance must be a number between 0 and 10000": 1,
        "late must be true or false": 1,
        "the row was too long for the log": 1,
    }
    assert far != cut


def test_a_day_whose_rows_are_all_refused_by_a_new_contract_loses_its_file(stage: World, tmp_path: Path) -> None:
    predictions(wiring.now() - HOUR, 1)
    predictions(wiring.now() - 24 * HOUR, 2, row={**ROW, "distance": 5.0})
    reap()
    assert reap().total == 2
    column = Column(name="distance", kind=Kind.NUMBER, max=10)
    columns = tuple(column if c.name == "distance" else c for c in SPEC.contract.columns)
    narrower = replace(SPEC, contract=replace(SPEC.contract, columns=columns))
    (tmp_path / SPEC.file_name).unlink()
    (tmp_path / narrower.file_name).write_bytes(narrower.to_bytes())
    wiring.packaged_spec.cache_clear()
    assert reap().total == 1
    assert stage.keys("data-bucket", "incoming/") == [YESTERDAY]


def test_an_older_file_is_made_again_when_the_contract_gets_a_column(stage: World, tmp_path: Path) -> None:
    predictions(wiring.now() - HOUR, 1)
    reap()
    stage.pass_time(200 * 24 * HOUR)
    assert reap().keys == ()
    new = Column(name="gate", kind=Kind.CATEGORY, since="2026-12-01", default="none")
    wider = replace(SPEC, contract=replace(SPEC.contract, columns=(*SPEC.contract.columns, new)))
    (tmp_path / SPEC.file_name).unlink()
    (tmp_path / wider.file_name).write_bytes(wider.to_bytes())
    wiring.packaged_spec.cache_clear()
    assert reap().keys == (TODAY,)
    assert lines(stage) == ["flight,origin,distance,late,gate", "UA1,EWR,1400.0,true,none"]


def test_a_harvest_that_runs_out_of_time_goes_on_with_the_next_one(stage: World) -> None:
    now = wiring.now()
    for day in range(3):
        predictions(now - day * 24 * HOUR - HOUR, day)
    read = wiring.client("dynamodb").meta.events
    read.register("before-call.dynamodb.Query", lambda **_: stage.pass_time(40))
    found, harvests = reap(seconds=60), 1
    assert not found.complete
    while not found.complete and harvests < 20:
        found, harvests = reap(seconds=60), harvests + 1
    assert found.total == 3
    reap(seconds=600)
    assert len(stage.keys("data-bucket", "incoming/flights/feedback-flights/")) == 3


def test_what_was_joined_by_the_time_is_uploaded_and_the_rest_with_the_next_one(stage: World) -> None:
    now = wiring.now()
    predictions(now - HOUR, 1)
    predictions(now - 24 * HOUR, 2)
    once = iter([700])
    read = wiring.client("dynamodb").meta.events
    read.register("before-call.dynamodb.Query", lambda **_: stage.pass_time(next(once, 0)))
    assert reap() == Harvested(rows=1, total=1, keys=(YESTERDAY,), complete=False)
    assert reap() == Harvested(rows=2, total=2, keys=(TODAY,), complete=True)


def test_a_line_that_arrives_while_the_last_look_at_its_day_is_under_way_is_found_by_the_next_one(stage: World) -> None:
    midnight = datetime(2026, 11, 22, tzinfo=UTC)
    at = midnight.timestamp()
    stage.clock.move_to(midnight.replace(hour=2, minute=55))
    late = identity(at - 60, 9)
    label((late, "true"))
    predictions(at - 60, 1)
    arriving = iter([lambda: log(at - 60, late, row={**ROW, "flight": "UA9"}, arrival=at + 60)])

    def meanwhile(**_: Any) -> None:
        for arrive in arriving:
            arrive()
            stage.pass_time(600)

    wiring.client("dynamodb").meta.events.register("before-call.dynamodb.Query", meanwhile)
    assert reap().total == 1
    assert reap().total == 2


def once_each(calls: Calls) -> None:
    assert len(calls.label_hours()) == len(set(calls.label_hours()))
    assert len(calls.log_objects()) == len(set(calls.log_objects()))


def test_a_harvest_lists_the_log_once_and_reads_each_hour_once(stage: World) -> None:
    noon = wiring.now() // (24 * HOUR) * (24 * HOUR) - 12 * HOUR
    for day in range(16):
        predictions(noon - day * 24 * HOUR, 2 * day, arrival=noon - day * 24 * HOUR + HOUR)
        predictions(noon - day * 24 * HOUR + HOUR, 2 * day + 1)
    label((identity(noon, 99), "true"), (identity(noon + HOUR, 99), "true"))
    with counted("s3", "dynamodb") as calls:
        assert reap() == Harvested(rows=32, total=32, keys=reap_keys(16), complete=True)
    once_each(calls)
    assert (calls.log_listings(), len(calls.log_objects()), len(calls.label_hours())) == (1, 32, 32)


def reap_keys(days: int) -> tuple[str, ...]:
    return tuple(f"incoming/flights/feedback-flights/2026-11-{20 - day:02d}.csv.gz" for day in reversed(range(days)))


def test_what_an_earlier_harvest_counted_is_uploaded_without_asking_or_reading_twice(stage: World) -> None:
    now = wiring.now()
    predictions(now - 24 * HOUR, 1)
    predictions(now - 2 * HOUR, 2)
    assert reap(least=9).keys == ()
    predictions(now - HOUR, 3)
    with counted("s3", "dynamodb") as calls:
        assert reap().keys == (YESTERDAY, TODAY)
    once_each(calls)
    assert (calls.log_listings(), len(calls.log_objects())) == (1, 3)


def test_a_function_that_dies_between_two_files_is_finished_by_the_next_one(stage: World) -> None:
    now = wiring.now()
    predictions(now - HOUR, 1)
    predictions(now - 24 * HOUR, 2)
    written: list[str] = []

    def die(params: dict[str, Any], **_: Any) -> None:
        written.append(params["url_path"])
        if len(written) == 3:  # the index, a file, and now the second one
            raise EndpointConnectionError(endpoint_url="s3")

    wiring.client("s3").meta.events.register("before-call.s3.PutObject", die)
    with pytest.raises(Unavailable):
        reap()
    assert len(stage.keys("data-bucket", "incoming/")) == 1
    assert reap().total == 2
    assert stage.keys("data-bucket", "incoming/") == [YESTERDAY, TODAY]
    assert reap().keys == ()


def test_a_version_with_feedback_and_an_upload_of_the_same_flight_is_accepted_and_says_so(
    stage: World, execution: Callable[[str], str]
) -> None:
    predictions(wiring.now() - HOUR, 1, 2)
    reap()
    run = start(execution("one"), upload(stage, b"flight,origin,distance,late\nUA1,EWR,1400,false\nF2,JFK,200,true\n"))
    assert validated(run)["accepted"]
    report = stage.read("artifact-bucket", f"runs/flights/{run['run_id']}/validation/report.json")
    assert report["rows"] == 4
    assert any("1 rows that came by feedback repeat a value" in note["text"] for note in report["notes"])
