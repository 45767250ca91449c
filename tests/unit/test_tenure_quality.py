"""Whether the live model is worse than the one before it: paired, beyond chance, however often it is asked."""

import math
import random
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.objective import Money, Objective
from lifecycle.schema import Column, Contract, Kind, Task
from lifecycle.shadow import Refused
from lifecycle.tenure_quality import Comparison, Verdict, half_width, why_not

BINARY = Contract(task=Task.BINARY, target="late", positive="true", columns=(Column(name="late", kind=Kind.BOOLEAN),))
MULTI = Contract(task=Task.MULTICLASS, target="to", columns=(Column(name="to", kind=Kind.CATEGORY),))
NUMBERS = Contract(task=Task.REGRESSION, target="delay", columns=(Column(name="delay", kind=Kind.NUMBER),))
LOG_LOSS = Objective()
PROBABILITIES = st.floats(0.01, 0.99)
ROWS = st.lists(st.tuples(PROBABILITIES, PROBABILITIES, st.booleans()), min_size=2, max_size=60)


def scored(probability: float) -> dict[str, Any]:
    return {"probability": probability, "decision": probability >= 0.5}


def compared(rows: Any, objective: Objective = LOG_LOSS) -> Comparison:
    """Rows of (the live model's probability, the one before's, label)."""
    found = Comparison(objective=objective, contract=BINARY)
    for live, before, late in rows:
        found.add(scored(live), "true" if late else "false", scored(before))
    return found


@given(ROWS)
def test_the_difference_is_that_of_the_metric_on_the_same_rows(rows: list[tuple[float, float, bool]]) -> None:
    found = compared(rows).verdict(2)
    losses = [[-math.log(p if late else 1 - p) for p in (live, before)] for live, before, late in rows]
    live, before = (sum(column) / len(rows) for column in zip(*losses, strict=True))
    assert found.judged
    assert found.live == pytest.approx(live)
    assert found.before == pytest.approx(before)
    assert found.difference == pytest.approx(live - before, abs=1e-12)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= live - before + 1e-9
    assert found.high >= live - before - 1e-9


@given(ROWS)
def test_of_two_models_at_most_one_is_worse(rows: list[tuple[float, float, bool]]) -> None:
    found = compared(rows).verdict(2)
    turned = compared((before, live, late) for live, before, late in rows).verdict(2)
    assert not (found.worse and turned.worse)
    assert found.low == pytest.approx(-(turned.high or 0.0), abs=1e-9)


@given(st.lists(st.tuples(PROBABILITIES, st.booleans()), min_size=2, max_size=50))
def test_the_same_answers_are_never_worse(rows: list[tuple[float, bool]]) -> None:
    assert not compared((p, p, late) for p, late in rows).verdict(2).worse


def test_too_few_labels_judge_nobody() -> None:
    found = compared([(0.01, 0.99, True)] * 199).verdict(200)
    assert (found.judged, found.worse, found.lasting) == (False, False, False)
    assert "199 labelled rows of this tenure, fewer than 200" in found.reason


def test_rows_that_the_model_before_would_refuse_judge_nobody_and_say_why() -> None:
    found = compared([(0.01, 0.99, True)] * 300)
    for _ in range(4):
        found.add(scored(0.5), "true", Refused("gate is missing"))
    assert not found.verdict(200).judged
    assert found.verdict(200).lasting
    assert "would refuse 4 of 304 rows that the live one answered (gate is missing)" in found.verdict(200).reason


def test_a_stray_refusal_does_not_keep_a_bad_model_live() -> None:
    found = compared([(0.01, 0.99, True)] * 300)
    found.add(scored(0.5), "true", Refused("gate is missing"))
    assert found.verdict(200).worse


def test_records_without_a_score_count_for_neither() -> None:
    found = compared([(0.2, 0.9, True)] * 3)
    for broken in ({}, {"probability": None}, {"probability": True}):
        found.add(broken, "true", scored(0.5))
    assert found.rows == 3


def test_figures_are_in_the_objectives_own_unit() -> None:
    money = Objective(metric="money_score", money=Money(unit="EUR", true_positive=20.0, false_positive=-5.0))
    found = compared([(0.1, 0.9, True), (0.9, 0.1, False)] * 200, money).verdict(200)
    assert (found.live, found.before, found.difference, found.worse) == (-2.5, 10.0, 12.5, True)
    squares = Comparison(objective=Objective(metric="rmse_error"), contract=NUMBERS)
    for number in range(400):
        squares.add({"value": 4.0}, 1.0 if number % 2 else 7.0, {"value": 3.0 if number % 2 else 5.0})
    verdict = squares.verdict(200)
    assert (verdict.live, verdict.before) == (3.0, 2.0)
    assert verdict.difference == pytest.approx(1.0)
    assert verdict.worse


@pytest.mark.parametrize("metric", ["rmse_error", "mae_error"])
@pytest.mark.parametrize("label", [1e300, -1.7e308])
def test_a_label_beyond_all_measure_is_a_verdict_without_proof(metric: str, label: float) -> None:
    found = Comparison(objective=Objective(metric=metric), contract=NUMBERS)
    for number in range(200):
        found.add({"value": 4.0}, 3.0 if number else label, {"value": 3.0})
    verdict = found.verdict(200)
    assert (verdict.judged, verdict.worse) == (True, False)
    assert all(math.isfinite(value) for value in verdict.figures.values() if isinstance(value, float))


def test_several_classes_are_compared_by_the_probability_of_the_right_one() -> None:
    found = Comparison(objective=LOG_LOSS, contract=MULTI)
    for _ in range(200):
        live = {"probabilities": {"JFK": 0.2, "LGA": 0.8}, "decision": "LGA"}
        found.add(live, "JFK", {"probabilities": {"JFK": 0.6, "EWR": 0.4}, "decision": "JFK"})
    verdict = found.verdict(200)
    assert verdict.live == pytest.approx(-math.log(0.2))
    assert verdict.before == pytest.approx(-math.log(0.6))
    assert verdict.worse


@given(st.integers(30, 1000), st.integers(1, 10))
def test_the_interval_narrows_with_rows_and_is_wider_than_one_for_a_single_look(least: int, times: int) -> None:
    widths = [half_width(least * step, 1.0, least) for step in range(1, times + 2)]
    assert all(later < earlier for earlier, later in pairwise(widths))
    assert all(width > 1.96 / math.sqrt(least * step) for step, width in enumerate(widths, 1))


def looks(seed: int, worse: float) -> list[Verdict]:
    """Sixty looks at a tenure, 50 more labels at each; `worse` moves the live model's logits away from the truth."""
    draw = random.Random(seed)
    found = Comparison(objective=LOG_LOSS, contract=BINARY)
    verdicts = []
    for _ in range(60):
        for _ in range(50):
            truth = draw.gauss(0, 1)
            late = draw.random() < 1 / (1 + math.exp(-truth))
            live, before = (1 / (1 + math.exp(-(truth * f + draw.gauss(0, 0.5)))) for f in (1 - worse, 1.0))
            found.add(scored(live), "true" if late else "false", scored(before))
        verdicts.append(found.verdict(200))
    return verdicts


def test_equal_models_are_told_apart_in_no_more_tenures_than_the_confidence_allows() -> None:
    wrong = sum(any(verdict.worse for verdict in looks(seed, 0.0)) for seed in range(120))
    assert wrong <= 3, "2.5% of tenures, whatever the number of looks"


def test_a_model_that_is_clearly_worse_is_found_in_every_tenure() -> None:
    assert all(any(verdict.worse for verdict in looks(seed, 1.2)) for seed in range(20))


def test_hours_that_swing_together_are_no_proof_though_their_rows_are_many() -> None:
    def seen(hours: int) -> Verdict:
        found = Comparison(objective=LOG_LOSS, contract=BINARY)
        for number in range(800):
            hour = number % hours
            storm = hour % 4 < 3  # in three hours of four one model is better in all rows, in the fourth the other
            found.add({**scored(0.4 if storm else 0.6), "time": hour * 3_600_000}, "true", scored(0.5))
        return found.verdict(200)

    assert not seen(8).worse
    assert seen(400).worse, "many hours are proof"


def test_models_that_answer_different_questions_are_not_compared() -> None:
    assert why_not(BINARY, BINARY, BINARY) is None
    for other in (MULTI, NUMBERS):
        assert "live model answers another question" in (why_not(BINARY, other, BINARY) or "")
        assert "model before it answers another question" in (why_not(BINARY, BINARY, other) or "")
