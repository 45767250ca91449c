from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.gate import decide
from lifecycle.spec import Gates, MetricGate, SliceGate

GATES = Gates(
    metrics=(MetricGate(metric="roc_auc_score", min=0.6), MetricGate(metric="log_loss", max=0.6)),
    slices=(SliceGate(column="origin", metric="log_loss", max_ratio=1.5, min_rows=100),),
)


def card(**changes: Any) -> dict[str, Any]:
    good: dict[str, Any] = {
        "task": "binary",
        "objective": {"metric": "log_loss", "unit": None},
        "metrics": {
            "winner": {"log_loss": 0.4, "roc_auc_score": 0.8},
            "dummy": {"log_loss": 0.5, "roc_auc_score": 0.5},
            "champion": None,
        },
        "comparison": None,
        "slices": [
            {"column": "origin", "value": "JFK", "rows": 200, "metric": "log_loss", "score": 0.5, "overall": 0.4}
        ],
        "compiled": {"bytes": 100_000, "parity": {"rows": 1000, "equal": 990, "worst": 1e-16}},
    }
    return {**good, **changes}


def test_a_good_candidate_is_approved_and_the_reasons_carry_the_numbers() -> None:
    verdict = decide(card(), GATES)
    assert verdict.approved
    assert "log_loss 0.4 beats the dummy's 0.5" in verdict.reasons
    assert any("within the budget of 8388608" in reason for reason in verdict.reasons)


def compared(low: float, high: float) -> dict[str, Any]:
    return {"metric": "log_loss", "difference": (low + high) / 2, "low": low, "high": high, "confidence": 0.95}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"metrics": {"winner": {"log_loss": 0.5, "roc_auc_score": 0.8}, "dummy": {"log_loss": 0.5}}}, "does not beat"),
        ({"metrics": {"winner": {"log_loss": 0.4, "roc_auc_score": 0.5}, "dummy": {"log_loss": 0.5}}}, "minimum 0.6"),
        ({"metrics": {"winner": {"log_loss": 0.7, "roc_auc_score": 0.8}, "dummy": {"log_loss": 0.9}}}, "maximum 0.6"),
        ({"metrics": {"winner": {"log_loss": 0.4}, "dummy": {"log_loss": 0.5}}}, "could not be computed"),
        ({"metrics": {"winner": {}, "dummy": {}}}, "is missing"),
        ({"slices": []}, "no slice of origin"),
        ({"comparison": compared(0.001, 0.01)}, "significantly worse"),
        ({"compiled": {"bytes": 9_000_000, "parity": {"rows": 1, "equal": 1, "worst": 0.0}}}, "above the budget"),
        ({"compiled": {"bytes": 9, "parity": {"rows": 1, "equal": 0, "worst": 1e-9}}}, "does not equal"),
        ({"compiled": {"bytes": 9, "parity": {"rows": 0, "equal": 0, "worst": 0.0}}}, "0 holdout rows"),
    ],
)
def test_each_fault_is_refused_with_its_sentence(changes: dict[str, Any], reason: str) -> None:
    verdict = decide(card(**changes), GATES)
    assert not verdict.approved
    assert any(reason in text for text in verdict.reasons), verdict.reasons


def test_a_bad_slice_counts_only_when_it_has_enough_rows() -> None:
    bad = {"column": "origin", "value": "LGA", "rows": 150, "metric": "log_loss", "score": 0.7, "overall": 0.4}
    few = {**bad, "rows": 99}
    assert "origin is LGA" in decide(card(slices=[*card()["slices"], bad]), GATES).reasons[0]
    assert decide(card(slices=[*card()["slices"], few]), GATES).approved


def test_a_live_model_must_not_be_significantly_better_or_must_be_beaten_when_so_asked() -> None:
    even, better = card(comparison=compared(-0.01, 0.01)), card(comparison=compared(-0.02, -0.01))
    strict = Gates(require_improvement=True)
    assert [decide(c, Gates()).approved for c in (even, better)] == [True, True]
    assert [decide(c, strict).approved for c in (even, better)] == [False, True]


def test_what_the_loop_asked_for_must_be_significantly_better_whatever_model_yaml_says() -> None:
    even, better = card(comparison=compared(-0.01, 0.01)), card(comparison=compared(-0.02, -0.01))
    assert [decide(c, Gates(), must_improve=True).approved for c in (even, better)] == [False, True]
    assert "no significant improvement" in decide(even, Gates(), must_improve=True).reasons[0]
    assert decide(card(comparison=None), Gates(), must_improve=True).approved, "a first model has nothing to beat"


figures = st.floats(0, 2)


@given(figures, figures, figures, st.floats(-0.1, 0.1), st.floats(0, 0.1), st.floats(0, 1), st.integers(0, 10**7))
def test_a_candidate_that_is_better_in_every_figure_is_never_refused_where_the_worse_was_approved(
    loss: float, auc: float, slice_loss: float, low: float, width: float, gain: float, size: int
) -> None:
    worse = card(comparison=compared(low, low + width))
    worse["metrics"]["winner"] = {"log_loss": loss, "roc_auc_score": auc}
    worse["slices"][0]["score"] = slice_loss
    worse["compiled"]["bytes"] = size
    better = deepcopy(worse)
    better["comparison"] = compared(low - gain, low + width - gain)
    better["metrics"]["winner"] = {"log_loss": loss - gain, "roc_auc_score": auc + gain}
    better["slices"][0]["score"] = slice_loss - gain
    better["compiled"]["bytes"] = size // 2
    for gates in (GATES, Gates(require_improvement=True)):
        assert decide(better, gates).approved or not decide(worse, gates).approved


def test_money_is_compared_in_its_own_direction_and_unit() -> None:
    earning = card(
        objective={"metric": "money_score", "unit": "EUR"},
        metrics={"winner": {"money_score": 3.5}, "dummy": {"money_score": 1.0}, "champion": {"money_score": 3.0}},
        comparison={**compared(-0.7, -0.3), "metric": "money_score"},
    )
    verdict = decide(earning, Gates(require_improvement=True))
    assert verdict.approved
    assert "money_score 3.5 beats the dummy's 1" in verdict.reasons
    said = "money_score differs from the live model's by +0.5 EUR a row (95% interval +0.3 to +0.7; above 0 is better)"
    assert any(said in reason for reason in verdict.reasons)
