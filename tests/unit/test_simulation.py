"""A simulated span: months, a sample that is the same everywhere, and figures with intervals."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle import simulation
from lifecycle.objective import Objective
from lifecycle.schema import Column, Contract, Kind, Task
from lifecycle.simulation import Days, begin, end, figures, kept, loss, months
from lifecycle.spec import ModelSpec

APRIL = begin("2013-04")
LOG_LOSS, RMSE = Objective(), Objective(metric="rmse_error")
names = st.text(min_size=1, max_size=20)


def days(rows: list[tuple[int, float, float]]) -> Days:
    """Rows given as (day of April and after, loss of the frozen model, loss of the renewing one)."""
    found = Days()
    for day, frozen, renewing in rows:
        found.add(APRIL + day * 86_400, frozen, renewing)
    return found


def spec(task: Task, kind: Kind, positive: str | None = None) -> ModelSpec:
    columns = (Column(name="x", kind=Kind.NUMBER), Column(name="y", kind=kind))
    metric = "rmse_error" if task is Task.REGRESSION else "log_loss"
    return ModelSpec(
        model="m",
        dataset="m",
        contract=Contract(task=task, target="y", positive=positive, columns=columns),
        objective=Objective(metric=metric),
    )


@pytest.mark.parametrize(
    ("first", "last"), [("2013", "2013-12"), ("2013-00", "2013-02"), ("2013-01", "2013-13"), ("", "x")]
)
def test_what_is_no_month_is_refused_with_the_form_that_is_allowed(first: str, last: str) -> None:
    with pytest.raises(ValueError, match="2013-04"):
        months(first, last)


def test_a_span_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="lies before"):
        months("2013-05", "2013-04")


@given(st.integers(1970, 2100), st.integers(1, 12))
def test_a_month_ends_where_the_next_begins(year: int, number: int) -> None:
    here, following = months(f"{year}-{number:02}", f"{year + 1}-{number:02}")[:2]
    assert end(here) == begin(following)
    assert 28 <= (end(here) - begin(here)) / 86_400 <= 31


@given(names, st.floats(0, 1), st.floats(0, 1))
def test_a_larger_sample_holds_all_rows_of_a_smaller_one(name: str, one: float, other: float) -> None:
    assert kept(name, min(one, other)) <= kept(name, max(one, other))


@given(names)
def test_all_rows_are_all_and_none_is_none(name: str) -> None:
    assert kept(name, 1)
    assert not kept(name, 0)


def test_a_sample_holds_its_share() -> None:
    assert sum(kept(f"row {n}", 0.1) for n in range(20_000)) == pytest.approx(2_000, abs=150)


def test_the_figures_of_a_month_are_means_over_its_rows_within_their_intervals() -> None:
    found = figures(days([(0, 1.0, 0.5), (0, 3.0, 1.5), (1, 2.0, 1.0), (30, 4.0, 2.0)]).in_order(), LOG_LOSS)
    april, may = found["months"]
    assert (april["month"], april["rows"], april["frozen"]["value"]) == ("2013-04", 3, 2.0)
    assert (may["month"], may["rows"], may["renewing"]["value"]) == ("2013-05", 1, 2.0)
    assert april["renewing"]["low"] <= april["renewing"]["value"] <= april["renewing"]["high"]
    assert found["total"]["difference"] == pytest.approx(1.25 - 2.5)


def test_a_root_is_taken_of_the_mean() -> None:
    total = simulation.total(days([(0, 4.0, 9.0), (1, 16.0, 9.0)]).in_order(), RMSE)
    assert (total["frozen"], total["renewing"]) == (pytest.approx(math.sqrt(10)), 3.0)


def test_models_that_answer_alike_differ_by_nothing() -> None:
    total = simulation.total(days([(day, 0.3 + day, 0.3 + day) for day in range(20)]).in_order(), LOG_LOSS)
    assert (total["difference"], total["low"], total["high"]) == (0, 0, 0)


def test_a_gain_on_every_day_is_beyond_chance_however_much_days_differ() -> None:
    chance = random.Random(1)
    rows = [(day, level := chance.uniform(0, 5), level - 0.01) for day in range(60) for _ in range(5)]
    total = simulation.total(days(rows).in_order(), LOG_LOSS)
    assert total["low"] < total["difference"] < total["high"] < 0


def test_rows_of_one_day_count_as_one_draw() -> None:
    """A thousand rows of two days say no more about other days than two rows do."""
    few = simulation.total(days([(0, 1.0, 0.0), (1, 0.0, 1.0)]).in_order(), LOG_LOSS)
    many = simulation.total(days([(0, 1.0, 0.0), (1, 0.0, 1.0)] * 500).in_order(), LOG_LOSS)
    assert (many["low"], many["high"]) == (few["low"], few["high"]) == (-1, 1)


def test_no_rows_have_no_figures() -> None:
    found = figures([], LOG_LOSS)
    assert found["months"] == []
    assert found["total"]["rows"] == 0
    assert found["total"]["frozen"] is None


def test_the_same_days_have_the_same_intervals() -> None:
    rows = [(day, 1 / (day + 1), 0.5) for day in range(50)]
    assert figures(days(rows).in_order(), LOG_LOSS) == figures(days(rows[::-1]).in_order(), LOG_LOSS)


def test_a_label_is_compared_as_training_spells_it() -> None:
    binary = spec(Task.BINARY, Kind.BOOLEAN, "true")
    assert loss(binary, True, {"probability": 0.8, "decision": True}) == pytest.approx(-math.log(0.8))
    assert loss(binary, False, {"probability": 0.8, "decision": True}) == pytest.approx(-math.log(0.2))
    several = spec(Task.MULTICLASS, Kind.INTEGER)
    assert loss(several, 2, {"probabilities": {"1": 0.9, "2": 0.1}, "decision": "1"}) == pytest.approx(-math.log(0.1))
    assert loss(spec(Task.REGRESSION, Kind.NUMBER), 3.0, {"value": 5.0}) == 4.0
