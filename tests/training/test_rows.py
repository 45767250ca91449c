import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from lifecycle.errors import TrainingFailed
from lifecycle.spec import Column, Kind, ModelSpec, Split, Task
from lifecycle.split import Side
from tests.training import world
from training import rows
from training.labels import label_texts


def load(folder: Path, spec: ModelSpec, table: list[dict[str, Any]]) -> rows.Rows:
    made = world.build(folder / "world", spec, table)
    return rows.load(spec, made.folder / "data", made.folder / "manifest")


def with_column(spec: ModelSpec, name: str, **changes: Any) -> ModelSpec:
    columns = tuple(replace(c, **changes) if c.name == name else c for c in spec.contract.columns)
    return replace(spec, contract=replace(spec.contract, columns=columns))


def test_rows_without_a_label_are_left_out_and_counted(tmp_path: Path) -> None:
    table = world.table(Task.BINARY)
    for row in table[:30]:
        row["target"] = None
    loaded = load(tmp_path, world.spec_of(Task.BINARY), table)
    assert (len(loaded), loaded.unlabelled) == (370, 30)


def test_a_missing_label_stops_the_job_when_the_contract_says_so(tmp_path: Path) -> None:
    spec = world.spec_of(Task.BINARY)
    strict = replace(spec, contract=replace(spec.contract, missing_label="reject"))
    with pytest.raises(TrainingFailed, match="1 of 400 rows have no target"):
        load(
            tmp_path,
            strict,
            [{**row, "target": None if i == 3 else row["target"]} for i, row in enumerate(world.table(Task.BINARY))],
        )


def test_rows_that_the_http_door_would_refuse_are_left_out_and_counted(tmp_path: Path) -> None:
    table = world.table(Task.BINARY)
    table[0] |= {"size": -5.0}
    table[1] |= {"size": 1e9}
    table[2] |= {"place": "nowhere"}
    spec = with_column(world.spec_of(Task.BINARY), "size", min=0.0, max=1e6)
    spec = with_column(spec, "place", categories=tuple(world.PLACES))
    loaded = load(tmp_path, spec, table)
    assert (len(loaded), loaded.invalid) == (397, 3)


def test_a_hash_split_leaves_every_row_on_its_side_when_rows_are_added(tmp_path: Path) -> None:
    spec = world.spec_of(Task.BINARY)
    few, many = (load(tmp_path / str(n), spec, world.table(Task.BINARY, n)) for n in (200, 400))
    sides = [dict(zip(r.raw["row_id"].to_list(), r.sides.tolist(), strict=True)) for r in (few, many)]
    assert all(sides[1][row] == side for row, side in sides[0].items())


def test_a_time_split_holds_out_the_newest_rows(tmp_path: Path) -> None:
    spec = world.spec_of(Task.BINARY, split=Split(by="time", holdout=0.2, validation=0.2, gap_days=1))
    loaded = load(tmp_path, spec, world.table(Task.BINARY))
    train, holdout = loaded.of(Side.TRAIN).raw["at"], loaded.of(Side.HOLDOUT).raw["at"]
    assert train.max() < holdout.min()  # type: ignore[operator]
    assert len(loaded.of(Side.LEFT_OUT)) > 0


def test_an_empty_side_is_said(tmp_path: Path) -> None:
    spec = world.spec_of(Task.BINARY, split=Split(by="hash", key="member", holdout=0.01, validation=0.01))
    with pytest.raises(TrainingFailed, match="labelled rows none is on the validation side of the split by hash"):
        load(tmp_path, spec, world.table(Task.BINARY))


def test_weights_come_from_their_column_and_default_to_one(tmp_path: Path) -> None:
    spec = world.spec_of(Task.BINARY)
    contract = replace(spec.contract, weight="w", columns=(*spec.contract.columns, Column(name="w", kind=Kind.NUMBER)))
    table = [{**row, "w": None if i == 0 else 2.5} for i, row in enumerate(world.table(Task.BINARY))]
    loaded = load(tmp_path, replace(spec, contract=contract), table)
    assert loaded.weights is not None
    assert sorted(set(loaded.weights.tolist())) == [1.0, 2.5]
    assert "w" not in loaded.frame.columns


def test_failing_features_name_the_row(tmp_path: Path) -> None:
    source = "def features(row):\n    return {'words': 1 / (row['row_id'] != 'r7'), 'shouts': None, 'first': None}\n"
    spec = world.spec_of(Task.BINARY, features_sha256=hashlib.sha256(source.encode()).hexdigest())
    made = world.build(tmp_path / "world", spec, world.table(Task.BINARY), features=source)
    with pytest.raises(TrainingFailed, match=r"row 7: features\.py raised ZeroDivisionError"):
        rows.load(spec, made.folder / "data", made.folder / "manifest").with_features(spec, made.code)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([True, False, None], ["true", "false", None]),
        ([1, 0, None], ["1", "0", None]),
        ([1.0, 0.5, None, float("nan")], ["1", "0.5", None, None]),
        (["yes", "", None], ["yes", None, None]),
    ],
)
def test_labels_are_spelled_the_same_whatever_the_column_holds(values: list[Any], texts: list[Any]) -> None:
    assert label_texts(pl.Series("y", values)).to_list() == texts
