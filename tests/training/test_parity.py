"""What serves must equal what was fitted, on rows that nobody thought of."""

import math
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifecycle import families, names
from lifecycle.gate import PARITY
from lifecycle.packed import unpack
from lifecycle.scoring import CompiledModel
from lifecycle.spec import Kind, ModelSpec, Task
from tabular.convert import DTYPES
from tests.training import world
from training import predict, rows, trials
from training.compile import compile_model

CASES = [(family, task) for task in Task for family in families.built_in(task)]
NAMED = [(family, task) for task in Task for family in families.of_task(task) if (family, task) not in CASES]
each_case = pytest.mark.parametrize(("family", "task"), CASES)
each_named = pytest.mark.parametrize(("family", "task"), NAMED)
EDGES = [0.0, -0.0, 1.0, 1e-300, -1e-40, 1e38, -1e38, 1.0000000001e38, 1e300, 16777217.0, 0.1, 3.4028235677973366e38]


@cache
def trained(family: str, task: Task) -> tuple[ModelSpec, Path, Any, CompiledModel, CompiledModel]:
    spec = world.spec_of(task, [family])
    made = world.build(Path(mkdtemp()) / "world", spec, world.table(task))
    data = rows.load(spec, made.folder / "data", made.folder / "manifest").with_features(spec, made.code)
    outcome = trials.run(data, spec.training.candidates[0], spec, made.code)
    file = compile_model(outcome.fitted, spec, 0.4 if task is Task.BINARY else None, world.RUN, world.VERSION)
    slow, fast = CompiledModel.load(file, made.code), CompiledModel.load(file, made.code)
    fast.accelerate()
    return spec, made.code, outcome.fitted, slow, fast


def expected(spec: ModelSpec, code: Path, fitted: Any, given_rows: list[dict[str, Any]]) -> np.ndarray:
    """What scikit-learn answers for rows that come as a typed table."""
    columns = {c.name: [row[c.name] for row in given_rows] for c in spec.contract.inputs}
    kinds = {c.name: c.kind for c in spec.contract.inputs}
    raw = rows.clean(pl.DataFrame(columns, schema={name: DTYPES[kind] for name, kind in kinds.items()}), kinds)
    frame = rows.with_derived(raw, spec, code)
    matrix = predict.inputs(frame, fitted.encoder, fitted.estimator)
    found = predict.outputs(fitted.estimator, matrix, spec.contract.task, len(fitted.classes or ()))
    return found.reshape(len(given_rows), -1)


def thresholds(model: CompiledModel) -> list[float]:
    estimator = model.body["estimator"]
    return sorted(set(unpack("d", estimator["threshold"])))[:500] if estimator["kind"] == "trees" else []


def a_row(model: CompiledModel) -> st.SearchStrategy[dict[str, Any]]:
    numbers = st.one_of(
        st.none(),
        st.floats(allow_nan=True),
        st.sampled_from([*EDGES, *thresholds(model)]),
        st.floats(-50, 50, width=32),
    )
    texts = st.one_of(st.none(), st.sampled_from([*world.PLACES, "", "unseen"]), st.text(max_size=8))
    moments = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
    return st.fixed_dictionaries(
        {
            "row_id": st.none() | st.text(max_size=3),
            "at": st.none() | moments,
            "size": numbers,
            "count": st.none() | st.integers(-(2**62), 2**62) | st.integers(-6, 41),
            "member": st.none() | st.booleans(),
            "place": texts,
            "note": texts,
        }
    )


def assert_equal(found: list[list[float]], wanted: np.ndarray) -> None:
    for ours, theirs in zip(found, wanted.tolist(), strict=True):
        for one, other in zip(ours, theirs, strict=True):
            assert math.isclose(one, other, rel_tol=PARITY, abs_tol=PARITY * 1000), (ours, theirs)


@each_case
def test_a_compiled_model_equals_the_fitted_one_on_any_row(family: str, task: Task) -> None:
    spec, code, fitted, slow, fast = trained(family, task)

    @given(st.lists(a_row(slow), min_size=1, max_size=20))
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def check(drawn: list[dict[str, Any]]) -> None:
        wanted = expected(spec, code, fitted, drawn)
        assert_equal(slow.outputs(drawn), wanted)
        assert fast.outputs(drawn) == slow.outputs(drawn)

    check()


@each_case
def test_tree_models_equal_to_the_bit_and_json_rows_score_like_typed_rows(family: str, task: Task) -> None:
    spec, code, fitted, slow, _ = trained(family, task)
    typed = [{**row, "at": datetime.fromisoformat(row["at"])} for row in world.table(task, 300, seed=9)]
    as_json = [{**row, "at": row["at"].isoformat().replace("+00:00", "Z")} for row in typed]
    wanted = expected(spec, code, fitted, typed)
    assert slow.outputs(as_json) == slow.outputs(typed)
    assert_equal(slow.outputs(typed), wanted)
    if family == names.RANDOM_FOREST:
        assert slow.outputs(typed) == wanted.tolist()


@each_named
def test_a_family_that_model_yaml_names_trains_and_answers_to_the_bit_as_it_was_fitted(family: str, task: Task) -> None:
    spec, code, fitted, slow, fast = trained(family, task)
    typed = [{**row, "at": datetime.fromisoformat(row["at"])} for row in world.table(task, 200, seed=9)]
    found = slow.outputs(typed)
    assert fast.outputs(typed) == found
    wanted = expected(spec, code, fitted, typed).tolist()
    if (family, task) == (names.GRADIENT_BOOSTING, Task.MULTICLASS):  # numpy's exp, see docs/compiled-format.md
        assert_equal(found, np.array(wanted))
    else:
        assert found == wanted


@pytest.mark.parametrize("family", families.MONOTONIC)
@pytest.mark.parametrize(("direction", "sign"), [("increasing", 1), ("decreasing", -1)])
def test_a_monotonic_column_moves_the_answer_one_way_only(family: str, direction: str, sign: int) -> None:
    plain = world.spec_of(Task.REGRESSION, [family])
    columns = tuple(replace(c, monotonic=direction) if c.name == "size" else c for c in plain.contract.columns)
    spec = replace(plain, contract=replace(plain.contract, columns=columns))
    made = world.build(Path(mkdtemp()) / "world", spec, world.table(Task.REGRESSION))
    data = rows.load(spec, made.folder / "data", made.folder / "manifest").with_features(spec, made.code)
    outcome = trials.run(data, spec.training.candidates[0], spec, made.code)
    model = CompiledModel.load(compile_model(outcome.fitted, spec, None, world.RUN, world.VERSION), made.code)
    for row in world.table(Task.REGRESSION, 20, seed=3):
        answers = [model.outputs([{**row, "size": float(size)}])[0][0] * sign for size in range(-5, 60, 3)]
        assert answers == sorted(answers)


@each_case
def test_answers_have_the_shape_of_the_task(family: str, task: Task) -> None:
    *_, model, _ = trained(family, task)
    answer = model.score(world.table(task, 1))[0]
    if task is Task.BINARY:
        assert answer == {"probability": answer["probability"], "decision": answer["probability"] >= 0.4}
    elif task is Task.MULTICLASS:
        assert list(answer["probabilities"]) == ["high", "low", "mid"]
        assert math.isclose(sum(answer["probabilities"].values()), 1.0)
        assert answer["decision"] == max(answer["probabilities"], key=answer["probabilities"].get)
    else:
        assert list(answer) == ["value"]


def test_features_of_a_model_read_typed_values_of_every_kind() -> None:
    kinds = {kind for column in world.COLUMNS if (kind := column.kind)}
    assert kinds == set(Kind)
