"""What evaluation leaves for monitoring: bins of the training rows, scores and quality of the holdout, importance."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lifecycle.reference import CATEGORY, NUMBER, Reference
from lifecycle.spec import Column, Kind, Objective, Task
from tabular.tally import tally_of
from tests.training import world
from tests.training.world import COLUMNS, World
from training import reference as written


def evaluated(folder: Path, task: Task, family: str, **changes: object) -> tuple[World, Reference]:
    made = world.build(folder, world.spec_of(task, [family], **changes), world.table(task))
    assert made.train(family) == 0
    assert made.evaluate() == 0, made.message()
    return made, Reference.from_plain(json.loads((made.evaluation / "reference.json").read_bytes()))


def test_columns_are_of_training_rows_and_scores_of_the_holdout(tmp_path: Path) -> None:
    made, found = evaluated(tmp_path, Task.BINARY, "hist-gradient-boosting")
    rows = made.scorecard()["rows"]
    assert found.columns.keys() == {"at", "size", "count", "member", "place"}  # no id, no text
    assert {column.rows for column in found.columns.values()} == {found.rows} == {rows["train"]}
    assert {found.columns[name].kind for name in ("size", "count")} == {NUMBER}
    assert {found.columns[name].kind for name in ("at", "member", "place")} == {CATEGORY}
    assert set(found.columns["member"].values) == {"false", "true"}
    assert found.columns["size"].missing > 0
    assert (found.scores.rows, found.scores.kind) == (rows["holdout"], NUMBER)


def test_quality_is_the_objective_on_the_holdout_with_an_interval(tmp_path: Path) -> None:
    made, found = evaluated(tmp_path, Task.REGRESSION, "random-forest", objective=Objective(metric="rmse_error"))
    quality, card = found.quality, made.scorecard()
    assert quality["metric"] == "rmse_error"
    assert quality["value"] == pytest.approx(card["metrics"]["winner"]["rmse_error"])
    assert quality["low"] < quality["value"] < quality["high"]
    assert quality["rows"] == card["rows"]["holdout"]


def test_a_column_matters_as_far_as_answers_hang_on_it_also_through_derived_values(tmp_path: Path) -> None:
    _, found = evaluated(tmp_path, Task.MULTICLASS, "logistic-regression")
    weights = {name: column.importance for name, column in found.columns.items()}
    assert sum(weights.values()) <= 1 + 1e-9  # "note" has a share, but no distribution
    assert weights["place"] > weights["member"]
    assert weights["place"] > 0.1
    assert sum(weights.values()) < 1
    assert found.scores.kind == CATEGORY
    assert set(found.scores.values) <= {"high", "mid", "low"}


def test_private_columns_have_no_bins(tmp_path: Path) -> None:
    spec = world.spec_of(Task.BINARY, ["logistic-regression"])
    hidden = [Column(name=c.name, kind=c.kind, private=c.name == "place") for c in spec.contract.columns]
    contract = type(spec.contract)(
        task=Task.BINARY, target="target", columns=tuple(hidden), positive="true", id="row_id", missing_label="drop",
        derived=spec.contract.derived,
    )  # fmt: skip
    _, found = evaluated(tmp_path, Task.BINARY, "logistic-regression", contract=contract)
    assert "place" not in found.columns
    assert "Köln" not in json.dumps(found.to_plain(), ensure_ascii=False)


def test_the_same_rows_counted_again_fill_the_same_bins(tmp_path: Path) -> None:
    made, found = evaluated(tmp_path, Task.BINARY, "logistic-regression")
    table = pl.DataFrame(world.table(Task.BINARY), infer_schema_length=None)
    tally = tally_of(table, made.spec.contract, found)
    assert tally.rows == table.height
    for name, column in found.columns.items():
        assert tally.columns[name].rows == table.height
        assert all(mine >= theirs for mine, theirs in zip(tally.columns[name].counts, column.counts, strict=True))


@pytest.mark.parametrize("rows", [300, 20_000])
def test_the_interval_of_a_mean_narrows_as_rows_grow(rows: int) -> None:
    losses = np.random.default_rng(1).exponential(size=rows)
    low, high = np.quantile(written.means(losses, 7), [0.025, 0.975])
    assert high - low == pytest.approx(2 * 1.96 / rows**0.5, rel=0.15)


def test_of_three_hundred_columns_those_that_matter_weigh_most(tmp_path: Path) -> None:
    columns = tuple(Column(name=f"s_{i}", kind=Kind.NUMBER) for i in range(300))
    contract = type(world.spec_of(Task.BINARY).contract)(
        task=Task.BINARY, target="target", columns=(*columns, COLUMNS[0], world.TARGETS[Task.BINARY]),
        positive="true", id="row_id",
    )  # fmt: skip
    noise = np.random.default_rng(2).normal(size=(600, 300))
    rows = [
        {**{f"s_{i}": float(x) for i, x in enumerate(line)}, "row_id": f"r{n}", "target": bool(line[:3].sum() > 0)}
        for n, line in enumerate(noise)
    ]
    made = world.build(tmp_path, world.spec_of(Task.BINARY, ["logistic-regression"], contract=contract), rows)
    assert made.train("logistic-regression") == 0
    assert made.evaluate() == 0, made.message()
    found = Reference.from_plain(json.loads((made.evaluation / "reference.json").read_bytes()))
    weights = {name: column.importance for name, column in found.columns.items()}
    assert len(weights) == 300
    assert {"s_0", "s_1", "s_2"} == set(sorted(weights, key=lambda name: -weights[name])[:3])
    assert sum(weights.values()) == pytest.approx(1)
