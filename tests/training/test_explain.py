"""Explanations sum to the score and are Shapley values, as counted out subset by subset."""

import math
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from lifecycle import compiled, names
from lifecycle.compiled_check_estimators import LEAF
from lifecycle.errors import ModelRejected
from lifecycle.explain import Explainer, owners
from lifecycle.packed import pack, unpack
from lifecycle.scoring import CompiledModel
from lifecycle.spec import Candidate, Task
from lifecycle.trees import Walker
from tests.training import world
from training import rows, trials
from training.compile import compile_model

SMALL: dict[str, dict[str, list[Any]]] = {
    names.RANDOM_FOREST: {"max_depth": [3], "n_estimators": [6]},
    names.HIST_GRADIENT_BOOSTING: {"max_depth": [3], "max_iter": [6]},
    names.LOGISTIC_REGRESSION: {},
    names.LINEAR_REGRESSION: {},
    names.XGBOOST: {"max_depth": [3], "n_estimators": [6]},
    names.LIGHTGBM: {"num_leaves": [6], "n_estimators": [6]},
}
CASES = [
    (names.LOGISTIC_REGRESSION, Task.BINARY),
    (names.LOGISTIC_REGRESSION, Task.MULTICLASS),
    (names.LINEAR_REGRESSION, Task.REGRESSION),
    *((family, task) for family in (names.RANDOM_FOREST, names.HIST_GRADIENT_BOOSTING) for task in Task),
    *((family, task) for family in (names.XGBOOST, names.LIGHTGBM) for task in (Task.BINARY, Task.REGRESSION)),
]
each_case = pytest.mark.parametrize(("family", "task"), CASES)


def small_model(family: str, task: Task, folder: Path) -> CompiledModel:
    spec = world.spec_of(task)
    spec = replace(spec, training=replace(spec.training, candidates=(Candidate(family=family, search=SMALL[family]),)))
    made = world.build(folder / "world", spec, world.table(task))
    data = rows.load(spec, made.folder / "data", made.folder / "manifest").with_features(spec, made.code)
    outcome = trials.run(data, spec.training.candidates[0], spec, made.code)
    file = compile_model(outcome.fitted, spec, 0.4 if task is Task.BINARY else None, world.RUN, world.VERSION)
    return CompiledModel.load(file, made.code)


def raw_of(link: str, answered: list[float]) -> list[float]:
    """What the link was applied to; softmax only up to a constant, so that differences are compared."""
    if link in ("logistic", "logistic-float32"):
        return [math.log(value / (1 - value)) for value in answered]
    return [math.log(value / answered[0]) for value in answered] if link == "softmax" else answered


@each_case
def test_base_and_contributions_sum_to_the_score(family: str, task: Task, tmp_path: Path) -> None:
    model = small_model(family, task, tmp_path)
    explainer = Explainer(model)
    link = model.body["estimator"]["link"]
    for row in world.table(task, 12, seed=5):
        found = explainer.explain(row)
        sums = [one.base + math.fsum(one.contributions.values()) for one in found]
        if link == "softmax":
            sums = [value - sums[0] for value in sums]
        # XGBoost's own sums are float32
        near = {"rel": 1e-5, "abs": 1e-5} if model.body["estimator"].get("single") else {"abs": 1e-9}
        assert sums == pytest.approx(raw_of(link, model.outputs([row])[0]), **near)
        assert set(found[0].contributions) == set(owners(model.body["encoder"]))


@pytest.mark.parametrize("family", [names.RANDOM_FOREST, names.HIST_GRADIENT_BOOSTING])
@pytest.mark.parametrize("task", list(Task))
def test_contributions_of_trees_are_shapley_values(family: str, task: Task, tmp_path: Path) -> None:
    model = small_model(family, task, tmp_path)
    outputs = len(model.classes) if task is Task.MULTICLASS and model.classes else 1
    walker = Walker(model.body["estimator"], model.body["encoder"], outputs)
    cover = unpack("f", model.body["estimator"]["cover"]).tolist()
    for row in world.table(task, 4, seed=6):
        dense = model.encoder.expand(model.encode(row))
        found = Explainer(model).explain(row)
        wanted = shapley(walker, cover, dense)
        for k, explanation in enumerate(found):
            by_feature = dict.fromkeys(explanation.contributions, 0.0)
            for name, value in zip(owners(model.body["encoder"]), wanted[k], strict=True):
                by_feature[name] += value
            assert explanation.contributions == pytest.approx(by_feature, abs=1e-9)


def shapley(walker: Walker, cover: list[float], dense: list[float]) -> list[list[float]]:
    """The definition: the average gain of a feature over all orders in which features become known."""
    totals = [[0.0] * len(dense) for _ in range(walker.outputs)]
    x = walker.cast(dense)
    ends = [*walker.roots[1:], len(walker.feature)]
    trees = len(walker.roots) // (1 if walker.wide else walker.outputs) if walker.average else 1
    for number, (root, end) in enumerate(zip(walker.roots, ends, strict=True)):
        used = sorted({walker.feature[node] for node in range(root, end)} - {LEAF})
        for feature in used:
            others = [name for name in used if name != feature]
            for size in range(len(others) + 1):
                weight = math.factorial(size) * math.factorial(len(used) - size - 1) / math.factorial(len(used))
                for known in combinations(others, size):
                    with_it = expectation(walker, cover, x, root, {*known, feature})
                    without = expectation(walker, cover, x, root, set(known))
                    for k, (one, other) in enumerate(zip(with_it, without, strict=True)):
                        output = k if walker.wide else number % walker.outputs
                        totals[output][feature] += weight * (one - other) / trees
    return totals


def expectation(walker: Walker, cover: list[float], x: Any, node: int, known: set[int]) -> list[float]:
    """What a tree answers on average when only the features in `known` are."""
    split = walker.feature[node]
    if split == LEAF:
        start = walker.right[node] * walker.outputs
        return walker.leaves[start : start + walker.outputs] if walker.wide else [walker.threshold[node]]
    left, right = node + 1, walker.right[node]
    if split in known:
        return expectation(walker, cover, x, left if walker.goes_left(node, x[split]) else right, known)
    sides = [(cover[side] / cover[node], expectation(walker, cover, x, side, known)) for side in (left, right)]
    return [sum(share * values[k] for share, values in sides) for k in range(len(sides[0][1]))]


def test_a_model_that_does_not_say_how_rows_divided_is_refused_by_the_explainer(tmp_path: Path) -> None:
    model = small_model(names.RANDOM_FOREST, Task.BINARY, tmp_path)
    body = {**model.body, "estimator": {**model.body["estimator"], "cover": pack("f", [1.0])}}
    damaged = CompiledModel(compiled.read(compiled.write(body)), None)
    with pytest.raises(ModelRejected, match="cannot be explained"):
        Explainer(damaged)
