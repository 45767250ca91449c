from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle import metrics
from lifecycle.errors import TrainingFailed
from lifecycle.evaluation import choose_threshold, ranking, why_not_comparable
from lifecycle.spec import Column, Contract, Decision, Kind, Task

scored = st.lists(st.tuples(st.sampled_from([i / 20 for i in range(21)]), st.integers(0, 1)), min_size=1, max_size=40)


def cost(rows: list[tuple[float, int]], threshold: float, decision: Decision) -> float:
    wrong = [(decision.false_positive or 0) if not y else 0 for p, y in rows if p >= threshold]
    missed = [(decision.false_negative or 0) if y else 0 for p, y in rows if p < threshold]
    return sum(wrong) + sum(missed)


@given(scored, st.floats(0, 10), st.floats(0, 10))
def test_no_other_threshold_costs_less(rows: list[tuple[float, int]], alarm: float, miss: float) -> None:
    decision = Decision(false_positive=alarm, false_negative=miss)
    chosen = choose_threshold([p for p, _ in rows], [y for _, y in rows], decision)
    cheapest = min(cost(rows, t, decision) for t in [0.0, *(p for p, _ in rows), *(p + 0.01 for p, _ in rows if p < 1)])
    assert cost(rows, chosen, decision) <= cheapest + 1e-9


@given(scored)
def test_no_other_threshold_has_a_better_f1(rows: list[tuple[float, int]]) -> None:
    def f1(threshold: float) -> float:
        hits = sum(y for p, y in rows if p >= threshold)
        called = sum(1 for p, _ in rows if p >= threshold)
        return 2 * hits / (called + sum(y for _, y in rows)) if hits else 0.0

    chosen = choose_threshold([p for p, _ in rows], [y for _, y in rows], Decision())
    assert f1(chosen) >= max(f1(p) for p, _ in rows) - 1e-12


def test_a_fixed_threshold_is_taken_and_an_unknown_metric_refused() -> None:
    assert choose_threshold([0.1], [1], Decision(threshold=0.7)) == 0.7
    with pytest.raises(TrainingFailed, match="'luck' cannot choose a threshold; allowed: f1_score"):
        choose_threshold([0.1], [1], Decision(metric="luck"))


@pytest.mark.parametrize("metric", metrics.OF_DECISIONS)
def test_separable_scores_are_separated_between_the_classes(metric: str) -> None:
    assert choose_threshold([0.1, 0.2, 0.6, 0.9], [0, 0, 1, 1], Decision(metric=metric)) == pytest.approx(0.4)


def test_ranking_follows_the_direction_and_puts_missing_figures_last() -> None:
    figures = {"a": 0.5, "b": None, "c": 0.7, "d": float("nan")}
    assert ranking(figures, "log_loss")[:2] == ["a", "c"]
    assert ranking(figures, "roc_auc_score")[:2] == ["c", "a"]
    with pytest.raises(ValueError, match="must end in _score"):
        ranking(figures, "accuracy")


CONTRACT = Contract(
    task=Task.BINARY,
    target="y",
    columns=(
        Column(name="x", kind=Kind.NUMBER),
        Column(name="t", kind=Kind.TEXT, feature=False),
        Column(name="y", kind=Kind.CATEGORY),
    ),
)


def test_contracts_that_share_what_the_live_model_reads_can_be_compared() -> None:
    wider = replace(
        CONTRACT, columns=(*CONTRACT.columns[:1], *CONTRACT.columns[2:], Column(name="z", kind=Kind.NUMBER))
    )
    assert why_not_comparable(CONTRACT, wider) is None
    assert why_not_comparable(CONTRACT, CONTRACT) is None


def test_what_keeps_the_live_model_from_being_compared_is_said() -> None:
    retyped = replace(CONTRACT, columns=(Column(name="x", kind=Kind.CATEGORY), *CONTRACT.columns[1:]))
    without = replace(CONTRACT, columns=CONTRACT.columns[1:])
    assert "reads 'x' as number, the contract now says category" in str(why_not_comparable(CONTRACT, retyped))
    assert "reads column 'x', which" in str(why_not_comparable(CONTRACT, without))
    assert "predicts binary y" in str(why_not_comparable(CONTRACT, replace(CONTRACT, task=Task.MULTICLASS)))
    derived = replace(CONTRACT, derived={"n": Kind.NUMBER})
    assert "'t'" in str(why_not_comparable(derived, replace(CONTRACT, columns=CONTRACT.columns[::2])))
