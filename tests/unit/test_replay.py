"""Logged answers beside a candidate's: what is counted, and when the gate refuses."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.replay import Comparison, judge
from lifecycle.shadow import Refused
from lifecycle.spec import ReplayGate

PROBABILITY = st.floats(0, 1)
PAIRS = st.lists(st.tuples(PROBABILITY, PROBABILITY), min_size=1, max_size=60)


def record(number: int, probability: float, *, arm: str = "3", **more: Any) -> dict[str, Any]:
    decided = {"probability": probability, "decision": probability >= 0.5}
    return {"prediction_id": f"id-{number:03d}", "time": number, "arm": arm, "model_version": "7", **decided, **more}


def answer(probability: float) -> dict[str, Any]:
    return {"probability": probability, "decision": probability >= 0.5}


def compared(pairs: list[tuple[float, float]], task: str = "binary") -> dict[str, Any]:
    comparison = Comparison(task)
    for number, (before, after) in enumerate(pairs):
        comparison.add(record(number, before), answer(after))
    return comparison.summary()


@given(PAIRS)
def test_a_model_compared_with_itself_changes_nothing(pairs):
    found = compared([(before, before) for before, _ in pairs])
    assert (found["changed_decisions"], found["mean_difference"], found["ks"]) == (0, 0.0, 0.0)
    assert found["largest_difference"] == 0.0


@given(PAIRS)
def test_every_figure_follows_from_the_rows_in_any_order(pairs):
    found = compared(pairs)
    differences = sorted(abs(after - before) for before, after in pairs)
    assert found["rows"] == len(pairs)
    assert found["changed_decisions"] == sum((before >= 0.5) != (after >= 0.5) for before, after in pairs)
    assert found["mean_difference"] == pytest.approx(sum(differences) / len(differences))
    assert found["largest_difference"] == differences[-1]
    assert found["quantiles"]["p50"] <= found["quantiles"]["p90"] <= found["quantiles"]["p99"] <= differences[-1]
    assert 0.0 <= found["ks"] <= 1.0
    shuffled = random.Random(1).sample(pairs, len(pairs))
    again = compared(shuffled)
    assert {k: again[k] for k in ("changed_decisions", "ks", "quantiles")} == {
        k: found[k] for k in ("changed_decisions", "ks", "quantiles")
    }


def test_the_rows_that_differ_most_are_named_the_worst_first():
    found = compared([(0.5, 0.5 + number / 100) for number in range(20)])
    assert [entry["prediction_id"] for entry in found["worst"]] == ["id-019", "id-018", "id-017", "id-016", "id-015"]
    assert found["worst"][0]["before"] == {"probability": 0.5, "decision": True}


def test_rows_are_counted_by_who_answered_them():
    comparison = Comparison("binary")
    comparison.add(record(1, 0.2, arm="3"), answer(0.9))
    comparison.add(record(2, 0.2, arm="4"), answer(0.2))
    comparison.add(record(3, 0.2, arm="4"), answer(0.4))
    by = {(entry["arm"], entry["changed_decisions"], entry["rows"]) for entry in comparison.summary()["by_version"]}
    assert by == {("3", 1, 1), ("4", 0, 2)}


def test_rows_that_cannot_be_compared_are_counted_apart():
    comparison = Comparison("binary")
    comparison.add(record(1, 0.2), None)
    comparison.add(record(2, 0.2), Refused("seats is missing"))
    comparison.add(record(3, 0.2), Refused("seats is missing"))
    comparison.add({**record(4, 0.2), "probability": None}, answer(0.3))
    found = comparison.summary()
    assert (found["rows"], found["cut"], found["refused"], found["incomparable"]) == (0, 1, 2, 1)
    assert found["refused_because"] == [{"reason": "seats is missing", "rows": 2}]
    assert (found["changed_share"], found["mean_difference"], found["quantiles"], found["ks"]) == (None,) * 4


def test_several_classes_differ_by_half_the_sum_of_their_differences():
    comparison = Comparison("multiclass")
    logged = {**record(1, 0.0), "probabilities": {"a": 0.7, "b": 0.3}, "decision": "a"}
    comparison.add(logged, {"probabilities": {"a": 0.2, "b": 0.3, "c": 0.5}, "decision": "c"})
    found = comparison.summary()
    assert found["mean_difference"] == pytest.approx(0.5)
    assert (found["changed_decisions"], found["ks"]) == (1, None)


def test_values_decide_nothing():
    comparison = Comparison("regression")
    comparison.add({**record(1, 0.0), "value": 10.0}, {"value": 12.5})
    found = comparison.summary()
    assert (found["mean_difference"], found["changed_decisions"], found["changed_share"]) == (2.5, None, None)


GATE = ReplayGate(min_rows=10, max_changed_decisions=0.1, max_mean_difference=0.2)


def test_a_candidate_that_decides_too_much_otherwise_is_refused_with_the_numbers():
    verdict = judge(compared([(0.4, 0.6)] * 3 + [(0.4, 0.4)] * 9), GATE)
    assert not verdict.approved
    assert verdict.reasons == ("replay of 12 rows: 25.00% of the logged decisions change, above the gate's 10.00%",)


def test_a_candidate_within_the_bounds_passes_and_says_by_how_much():
    verdict = judge(compared([(0.4, 0.41)] * 12), GATE)
    assert verdict.approved
    assert verdict.reasons[0] == "replay of 12 rows: 0.00% of the logged decisions change, within the gate's 10.00%"
    assert len(verdict.reasons) == 3


def test_too_few_rows_judge_nobody():
    verdict = judge(compared([(0.4, 0.9)] * 9), GATE)
    assert verdict.approved
    assert verdict.reasons == ("9 logged rows of the last 7 days, fewer than 10: replay judges nothing",)


def test_rows_that_the_candidates_door_refuses_count_against_it():
    comparison = Comparison("binary")
    for number in range(12):
        comparison.add(record(number, 0.4), Refused("seats is missing") if number % 2 else answer(0.4))
    verdict = judge(comparison.summary(), GATE)
    assert "50.00% of the logged rows would be refused" in verdict.reasons[0]


@given(PAIRS, PAIRS)
def test_a_candidate_that_differs_less_is_never_refused_where_one_that_differs_more_was_approved(one, two):
    gate = ReplayGate(min_rows=1, max_changed_decisions=0.3, max_mean_difference=0.3)
    first, second = compared(one), compared(two)
    closer = all(first[k] <= second[k] for k in ("changed_share", "mean_difference"))
    if closer and judge(second, gate).approved:
        assert judge(first, gate).approved
