"""The rows that an evaluation records are what a deployment asks with: the served model answers them alike."""

import json
from dataclasses import replace
from pathlib import Path

from lambdas.live_model import LiveModel, Place
from lambdas.predict import answer
from lifecycle import names, probe
from lifecycle.schema import Column
from lifecycle.scoring import CompiledModel
from lifecycle.spec import Kind, ModelSpec, Task
from tests.training import world


def evaluated(folder: Path, spec: ModelSpec) -> world.World:
    made = world.build(folder, spec, world.table(spec.contract.task))
    family = spec.training.candidates[0].family
    assert made.train(family) == 0, made.failure(family)
    assert made.evaluate() == 0, made.message()
    return made


def probed(made: world.World, recorded: dict[str, list[dict[str, object]]]) -> list[str]:
    model = CompiledModel.load(made.compiled(), made.code)
    release = {"model_version": "1", "run_id": "r", "data_version": "d", "asset_key": "a", "package_arn": "p/1"}
    spec = {"serving": {"max_rows": 1000}, "monitoring": {"prediction_log": False}}
    live = LiveModel(model, release, spec, Place(stage="test", model="demo"))
    answered = answer(live, Place(stage="test", model="demo"), probe.event("demo", recorded["rows"]))
    assert probe.refusal(answered) is None, answered
    return probe.differences(recorded["expected"], probe.body_of(answered))


def test_the_served_model_answers_recorded_rows_as_the_evaluation_did(tmp_path: Path) -> None:
    for task, family in (
        (Task.BINARY, names.RANDOM_FOREST),
        (Task.MULTICLASS, names.LOGISTIC_REGRESSION),
        (Task.REGRESSION, names.HIST_GRADIENT_BOOSTING),
    ):
        made = evaluated(tmp_path / str(task), world.spec_of(task, [family]))
        recorded = json.loads((made.evaluation / "probe.json").read_bytes())
        assert recorded["schema"] == 1
        assert 10 <= len(recorded["rows"]) == len(recorded["expected"]) <= probe.ROWS
        assert made.spec.contract.target not in recorded["rows"][0]
        assert probed(made, recorded) == []


def test_private_columns_that_may_be_missing_are_not_recorded(tmp_path: Path) -> None:
    spec = world.spec_of(Task.BINARY, [names.LOGISTIC_REGRESSION])
    contract = spec.contract
    hidden = tuple(
        replace(column, private=True) if column.kind is Kind.ID or column.name == contract.id else column
        for column in (*contract.columns, *extra(contract.columns))
    )
    made = evaluated(tmp_path, replace(spec, contract=replace(contract, columns=hidden)))
    recorded = json.loads((made.evaluation / "probe.json").read_bytes())
    private = {column.name for column in hidden if column.private}
    assert private
    assert not private & set(recorded["rows"][0])


def extra(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """An id column, if the contract has none."""
    return () if any(column.kind is Kind.ID for column in columns) else (Column(name="customer", kind=Kind.ID),)
