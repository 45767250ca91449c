"""Labels that came back, joined with the prediction log, become files of the dataset."""

import gzip

import pytest

from lambdas import wiring
from lambdas.harvesting import Harvested, harvest
from lifecycle.feedback_label import Change, Label
from lifecycle.settings import RecordFeedback

from .conftest import World
from .deployments_world import make_predict
from .feedback_world import HOUR, identity, labels, log, make_labels_table

ROW = {"flight": "UA1", "origin": "EWR", "distance": 1400.0}
TODAY = "incoming/flights/feedback-flights/2026-11-21.csv.gz"


@pytest.fixture
def stage(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    make_predict(world).__next__()
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
    return harvest(wiring.settings(RecordFeedback), least=least, seconds=seconds)


def lines(world: World, key: str = TODAY) -> list[str]:
    body = world.s3.get_object(Bucket="data-bucket", Key=key)["Body"].read()
    return gzip.decompress(body).decode().splitlines()


def test_labelled_rows_become_a_file_of_their_day(stage: World) -> None:
    now = wiring.now()
    one, two, three = (identity(now - HOUR, number) for number in range(3))
    log(now - HOUR, two, row={**ROW, "flight": "UA2"})
    log(now - HOUR, one, three, row=ROW, arrival=now)
    label((one, "true"), (two, "false"))
    assert reap() == Harvested(rows=2, total=2, keys=(TODAY,), complete=True)
    assert lines(stage) == ["flight,origin,distance,late", "UA1,EWR,1400.0,true", "UA2,EWR,1400.0,false"]
