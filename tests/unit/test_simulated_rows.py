"""Files of a dataset as a simulation asks them: months, blocks of hours, a sample that is the same for both models."""

import itertools
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from cli.simulated_checkout import changed, make
from cli.simulated_rows import Block, Rows, Sample
from lifecycle.errors import DatasetRejected
from lifecycle.schema import Column, Contract, Kind, Task
from lifecycle.simulation import begin

COLUMNS = (
    Column(name="key", kind=Kind.ID),
    Column(name="at", kind=Kind.DATETIME),
    Column(name="x", kind=Kind.NUMBER),
    Column(name="y", kind=Kind.BOOLEAN),
)
CONTRACT = Contract(task=Task.BINARY, target="y", positive="true", id="key", time="at", columns=COLUMNS)
HEAD = "key,at,x,y,more\n"


def file(folder: Path, *lines: str) -> Path:
    path = folder / "rows.csv"
    path.write_text(HEAD + "".join(f"{line},0\n" for line in lines))
    return path


def rows(folder: Path, *lines: str, sample: Sample = Sample()) -> Rows:  # noqa: B008  frozen
    return Rows([file(folder, *lines)], CONTRACT, sample)


def many(count: int) -> list[str]:
    """Rows of March and April 2013, one each hour."""
    start = begin("2013-03")
    moments = (datetime.fromtimestamp(start + n * 3600, UTC) for n in range(count))
    return [f"r{n},{moment:%Y-%m-%dT%H:%M:%SZ},{n},true" for n, moment in enumerate(moments)]


def keys(blocks: list[Block]) -> list[str]:
    return [row["key"] for block in blocks for row in block.rows]


def test_rows_are_asked_when_their_block_of_hours_is_over_in_order_of_time(tmp_path: Path) -> None:
    found = rows(
        tmp_path,
        "late,2013-04-01T05:59:59Z,2,false",
        "noon,2013-04-01T12:00:00Z,3,true",
        "early,2013-04-01T00:00:00Z,1,",
    ).blocks("2013-04", "2013-04", 6)
    first, second = found
    assert (first.at - begin("2013-04"), second.at - begin("2013-04")) == (6 * 3600, 18 * 3600)
    assert [row["key"] for row in first.rows] == ["early", "late"]
    assert first.labels == [None, False]
    assert first.times == [begin("2013-04"), begin("2013-04") + 21_599]


def test_a_row_is_sent_as_a_client_would_without_its_label(tmp_path: Path) -> None:
    (block,) = rows(tmp_path, "a,2013-04-01T05:00:00Z,,true").blocks("2013-04", "2013-04", 6)
    assert block.rows == [{"key": "a", "at": "2013-04-01T05:00:00+00:00", "x": None}]


def test_rows_of_other_months_and_rows_without_a_time_are_left_out(tmp_path: Path) -> None:
    found = rows(
        tmp_path, "march,2013-03-31T23:59:59Z,1,true", "april,2013-04-30T23:59:59Z,1,true", "never,,1,true",
        "may,2013-05-01T00:00:00Z,1,true",
    )  # fmt: skip
    assert keys(found.blocks("2013-04", "2013-04", 6)) == ["april"]
    assert found.months() == ["2013-03", "2013-04", "2013-05"]


def test_what_is_uploaded_and_what_is_asked_are_all_rows_of_their_months(tmp_path: Path) -> None:
    found = rows(tmp_path, *many(31 * 24 + 50))
    uploaded = pl.read_parquet(found.upload("2013-03", tmp_path))
    assert uploaded.height == 31 * 24
    assert set(uploaded.columns) == {"key", "at", "x", "y"}
    assert len(keys(found.blocks("2013-04", "2013-04", 6))) == 50


def test_a_sample_is_of_both_and_the_same_every_time(tmp_path: Path) -> None:
    lines = many(1000)
    found = rows(tmp_path, *lines, sample=Sample(share=0.3))
    assert 200 < len(found) < 400
    again = rows(tmp_path, *reversed(lines), sample=Sample(share=0.3))
    assert keys(found.blocks("2013-03", "2013-04", 6)) == keys(again.blocks("2013-03", "2013-04", 6))
    assert len(rows(tmp_path, *lines)) == 1000


def test_a_sample_of_days_takes_as_many_rows_of_fewer_days_and_only_once_something_is_asked(tmp_path: Path) -> None:
    found = rows(tmp_path, *many(60 * 24), sample=Sample(share=0.2, days=3, since="2013-04"))
    asked = {int(at // 86_400) for block in found.blocks("2013-04", "2013-04", 6) for at in block.times}
    assert len(asked) in (9, 10)
    assert all(later - day == 3 for day, later in itertools.pairwise(sorted(asked)))
    learnt = pl.read_parquet(found.upload("2013-03", tmp_path))
    assert learnt["at"].dt.date().n_unique() > 25
    assert 0.1 * 744 < learnt.height < 0.3 * 744


def test_more_rows_of_every_day_may_judge_than_are_asked(tmp_path: Path) -> None:
    sample = Sample(share=0.2, days=2, since="2013-04", judged=0.5)
    found = rows(tmp_path, *many(60 * 24), sample=sample)
    blocks = found.blocks("2013-04", "2013-04", 24)
    asked = [block.rows[at]["key"] for block in blocks for at in block.places(asked=True)]
    alone = rows(tmp_path, *many(60 * 24), sample=Sample(share=0.2, days=2, since="2013-04"))
    assert asked == keys(alone.blocks("2013-04", "2013-04", 24)) != []
    assert len(found) == len(alone)
    days = [block for block in blocks if not block.places(asked=True)]
    assert len(days) in (14, 15)
    assert all(block.places(asked=False) for block in days)
    assert 0.4 * 29 * 24 < len(keys(blocks)) < 0.6 * 29 * 24
    assert pl.read_parquet(found.upload("2013-03", tmp_path)).equals(pl.read_parquet(alone.upload("2013-03", tmp_path)))


def test_a_contract_without_a_time_cannot_be_replayed(tmp_path: Path) -> None:
    contract = Contract(task=Task.BINARY, target="y", positive="true", id="key", columns=COLUMNS)
    with pytest.raises(DatasetRejected, match="`time:`"):
        Rows([file(tmp_path, "a,2013-04-01T05:00:00Z,1,true")], contract, Sample())


def test_what_a_simulation_needs_is_laid_over_the_owners_words_and_nothing_else() -> None:
    said = 'model: m\npositive: "true"\nretraining: {on_upload: false, every_days: 3}\n'
    assert changed(said, {"retraining": {"every_days": 7}, "monitoring": {"window_hours": 168}}) == (
        "model: m\npositive: 'true'\nretraining:\n  on_upload: false\n  every_days: 7\n"
        "monitoring:\n  window_hours: 168\n"
    )


def test_a_private_checkout_holds_one_model_and_leaves_the_owners_alone(tmp_path: Path) -> None:
    for name in ("app.py", "cdk.json", "stages.yaml", "package.json"):
        (tmp_path / name).write_text(name)
    for name in ("lifecycle", "build/layer-base"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("m", "other"):
        (tmp_path / "models" / name / "data").mkdir(parents=True)
        (tmp_path / "models" / name / "model.yaml").write_text(f"model: {name}\n")
    (tmp_path / "models/m/features.py").write_text("one")
    folder = make(tmp_path, "m", {"monitoring": {"window_hours": 2}})
    assert [path.name for path in (folder / "models").iterdir()] == ["m"]
    assert sorted(path.name for path in (folder / "models/m").iterdir()) == ["features.py", "model.yaml"]
    assert (tmp_path / "models/m/model.yaml").read_text() == "model: m\n"
    written = (folder / "models/m/model.yaml").stat().st_mtime_ns
    (tmp_path / "models/m/features.py").unlink()
    assert make(tmp_path, "m", {"monitoring": {"window_hours": 2}}) == folder
    assert (folder / "models/m/model.yaml").stat().st_mtime_ns == written  # else it would be synthesized again
    assert not (folder / "models/m/features.py").exists()
    assert (folder / "lifecycle").resolve() == tmp_path / "lifecycle"
