from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle import families, names, search
from lifecycle.errors import TrainingFailed
from lifecycle.spec import Candidate, Column, Contract, Kind, ModelSpec, Task, Training

spaces = st.dictionaries(
    st.text("abc", min_size=1), st.lists(st.integers(), min_size=1, max_size=4, unique=True), max_size=4
)


@given(spaces, st.integers(1, 12), st.integers(0, 99))
def test_trials_are_distinct_repeatable_and_begin_with_the_defaults(
    space: dict[str, Any], trials: int, seed: int
) -> None:
    planned = search.plan_trials(space, trials, seed)
    assert planned == search.plan_trials(space, trials, seed)
    assert planned[0] == {name: values[0] for name, values in space.items()}
    assert len({tuple(setting.items()) for setting in planned}) == len(planned) <= trials
    assert all(setting[name] in values for setting in planned for name, values in space.items())


@given(st.integers(1, 10_000_000), st.integers(1, 60))
def test_rungs_grow_to_all_rows_while_trials_shrink(rows: int, trials: int) -> None:
    rungs = search.plan_rungs(rows, trials)
    assert rungs[0].trials == trials
    assert rungs[-1].rows == rows
    for one, other in pairwise(rungs):
        assert other.rows > one.rows
        assert 1 <= other.trials <= one.trials
    assert len(rungs) == 1 or rungs[0].rows >= search.FEWEST_ROWS


def test_survivors_are_the_smallest_losses_and_ties_keep_their_order() -> None:
    assert search.survivors({3: 0.5, 1: 0.5, 2: 0.1, 0: float("inf")}, 3) == [2, 1, 3]


def spec(*candidates: Candidate, task: Task = Task.BINARY) -> ModelSpec:
    contract = Contract(task=task, target="y", columns=(Column(name="y", kind=Kind.CATEGORY),))
    return ModelSpec(model="m", dataset="d", contract=contract, training=Training(candidates=candidates))


def test_without_candidates_every_built_in_family_of_the_task_is_trained() -> None:
    assert [c.family for c in families.candidates(spec())] == [
        names.LOGISTIC_REGRESSION,
        names.RANDOM_FOREST,
        names.HIST_GRADIENT_BOOSTING,
    ]
    assert families.candidate(spec(task=Task.REGRESSION), names.RIDGE).estimator is None


def test_a_family_that_is_no_candidate_is_refused_with_those_that_are() -> None:
    with pytest.raises(TrainingFailed, match=r"'svm' is not a candidate of m; candidates: own"):
        families.candidate(spec(Candidate(family="own")), "svm")


def test_a_candidates_search_replaces_only_what_it_names() -> None:
    space = families.space(Candidate(family=names.RANDOM_FOREST, search={"n_estimators": [5]}))
    assert space["n_estimators"] == [5]
    assert "max_leaf_nodes" in space
    assert families.space(Candidate(family="own", estimator="estimators:make")) == {}
