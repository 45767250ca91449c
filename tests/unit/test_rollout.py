"""The judge of a rollout: patient without traffic, quick with faults, never harsher than the live version deserves."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle import arms, probe
from lifecycle.prediction_log import FAILURE, PREDICTION
from lifecycle.rollout import ALL_AT_ONCE, CANARY, Action, Arm, Evidence, Rollout, judge
from lifecycle.significance import Sample

POLICY = Rollout(steps=(10, 50))


def arm(calls: int = 500, /, **changes: Any) -> Arm:
    scores = tuple((n * 0.618034) % 1 for n in range(calls))
    facts = {
        "version": "1",
        "invocations": calls,
        "rows": calls,
        "requests": calls,
        "duration_ms": 20.0,
        "scores": Sample(values=scores, weights=(1.0,) * calls),
    }
    return Arm(**{**facts, **changes})


def verdict(new: Arm, live: Arm | None = None, **facts: Any) -> tuple[Action, str]:
    step, held = facts.pop("step", 0), facts.pop("held", 0)
    found = judge(POLICY, step, held, Evidence(new=new, live=live or arm(), **facts))
    return found.action, "; ".join(found.reasons)


def test_two_versions_that_do_the_same_go_on_and_the_last_step_ends_in_promotion() -> None:
    assert verdict(arm())[0] is Action.NEXT
    assert verdict(arm(), step=1)[0] is Action.PROMOTE


def test_without_traffic_it_waits_a_while_and_then_the_probe_decides() -> None:
    assert verdict(arm(5))[0] is Action.HOLD
    assert verdict(arm(5), held=1)[0] is Action.HOLD
    action, reason = verdict(arm(5), held=2)
    assert action is Action.NEXT
    assert "the probe decides" in reason
    assert verdict(arm(5), held=2, probed=False)[0] is Action.ROLL_BACK


def test_the_live_version_needs_traffic_too() -> None:
    assert verdict(arm(), arm(5))[0] is Action.HOLD


def test_weights_do_not_count_as_traffic_only_logged_rows_do() -> None:
    assert verdict(arm(500, rows=99, requests=500))[0] is Action.HOLD
    assert verdict(arm(500, rows=0, requests=0), logged=False)[0] is Action.NEXT


@pytest.mark.parametrize("failed", ["errors", "failures"])
def test_a_few_failures_beyond_chance_are_enough_whatever_the_traffic(failed: str) -> None:
    action, reason = verdict(arm(4, **{failed: 4, "requests": 0, "rows": 0}))
    assert action is Action.ROLL_BACK
    assert "4 of 4 requests failed" in reason


def test_a_release_need_not_be_better_than_what_it_replaces() -> None:
    assert verdict(arm(errors=25, requests=475), arm(errors=25, requests=475))[0] is Action.NEXT


def test_one_failure_is_chance() -> None:
    assert verdict(arm(errors=1, requests=499))[0] is Action.NEXT


def test_a_significant_but_tiny_share_of_failures_is_tolerated_up_to_the_limit() -> None:
    new, live = arm(500, invocations=10**6, requests=10**6 - 1000, errors=1000), arm(500, invocations=10**6)
    live = replace(live, requests=10**6)
    assert verdict(new, live)[0] is Action.NEXT
    worse = replace(new, errors=3000, requests=10**6 - 3000)
    assert verdict(worse, live)[0] is Action.ROLL_BACK


def test_a_slow_release_is_rolled_back_and_a_hardly_noticeable_one_is_not() -> None:
    assert verdict(arm(duration_ms=80.0))[0] is Action.ROLL_BACK
    assert verdict(arm(duration_ms=12.0), arm(duration_ms=3.0))[0] is Action.NEXT
    assert verdict(arm(19, duration_ms=800.0))[0] is Action.HOLD, "the first calls of an environment are slower"


def test_a_release_that_answers_the_same_to_everybody_is_rolled_back() -> None:
    constant = Sample(values=(0.5,) * 500, weights=(1.0,) * 500)
    action, reason = verdict(arm(scores=constant))
    assert action is Action.ROLL_BACK
    assert "scores differ" in reason


def test_classes_are_compared_by_their_shares() -> None:
    live = arm(scores=Sample(values=("a", "b") * 250, weights=(1.0,) * 500))
    new = arm(scores=Sample(values=("a",) * 500, weights=(1.0,) * 500))
    assert verdict(new, live, classes=True)[0] is Action.ROLL_BACK
    assert verdict(live, live, classes=True)[0] is Action.NEXT


def test_a_release_that_refuses_rows_which_the_live_version_takes_is_rolled_back() -> None:
    silent = arm(200, rows=0, requests=0, scores=Sample())
    action, reason = verdict(silent)
    assert action is Action.ROLL_BACK
    assert "scored no row" in reason


def test_every_number_of_the_verdict_is_told() -> None:
    found = judge(POLICY, 0, 0, Evidence(new=arm(), live=arm()))
    assert {"new", "live", "failing", "unanswered", "duration_ratio", "scores", "limit"} <= set(found.numbers)


some_arm = st.builds(
    lambda n, errors, failures, ms: arm(
        n, errors=min(errors, n), failures=failures, requests=n - min(errors, n), duration_ms=ms
    ),
    st.integers(0, 400), st.integers(0, 40), st.integers(0, 40), st.none() | st.floats(0, 1e5),
)  # fmt: skip


@given(some_arm, st.integers(0, 1), st.integers(0, 2))
def test_an_arm_compared_with_itself_is_never_rolled_back(one: Arm, step: int, held: int) -> None:
    assert judge(POLICY, step, held, Evidence(new=one, live=one)).action is not Action.ROLL_BACK


@given(some_arm, some_arm, st.integers(0, 1), st.integers(0, 2))
def test_a_rollout_always_ends_and_never_holds_longer_than_it_may(new: Arm, live: Arm, step: int, held: int) -> None:
    found = judge(POLICY, step, held, Evidence(new=new, live=live))
    assert found.reasons
    if found.action is Action.HOLD:
        assert held < POLICY.max_holds
    if found.action is Action.NEXT:
        assert step + 1 < len(POLICY.steps)


@given(some_arm, some_arm, st.integers(1, 40))
def test_more_failures_never_save_a_release(new: Arm, live: Arm, more: int) -> None:
    before = judge(POLICY, 0, 0, Evidence(new=new, live=live, logged=False)).action
    worse = replace(new, errors=new.errors + more, invocations=new.tried + more)
    after = judge(POLICY, 0, 0, Evidence(new=worse, live=live, logged=False)).action
    if before is Action.ROLL_BACK and new.duration_ms is None:
        assert after is Action.ROLL_BACK


def test_a_rollout_says_how_long_it_can_last() -> None:
    assert CANARY.longest_seconds == 2 * 3 * 5 * 60
    assert ALL_AT_ONCE.longest_seconds == 0


def record(**facts: Any) -> dict[str, Any]:
    return {"kind": PREDICTION, "arm": "2", "rows": 1, "probability": 0.5, **facts}


def test_each_version_is_counted_by_what_its_records_say() -> None:
    records = [record(rows=4) for _ in range(8)] + [record(arm="1"), record(arm="9"), {"kind": FAILURE, "arm": "2"}]
    found = arms.by_version(records, ("1", "2"))
    assert (found["2"].rows, found["2"].requests, found["2"].failures) == (8, 2, 1)
    assert found["2"].scores.size == pytest.approx(2.0)
    assert (found["1"].rows, set(found)) == (1, {"1", "2"})


def test_scores_are_probabilities_values_or_classes() -> None:
    assert arms.score_of({"probability": 0.25, "decision": False}) == 0.25
    assert arms.score_of({"value": 3}) == 3.0
    assert arms.score_of({"probabilities": {"a": 1.0}, "decision": "a"}) == "a"
    assert arms.score_of({}) is None


EXPECTED = [{"probability": 0.25, "decision": False}, {"probabilities": {"a": 1.0, "b": 0.0}, "decision": "a"}]


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        (EXPECTED, []),
        ([{**EXPECTED[0], "prediction_id": "x"}, EXPECTED[1]], []),
        ([{**EXPECTED[0], "probability": 0.25 + 1e-12}, EXPECTED[1]], []),
        ([{**EXPECTED[0], "probability": 0.25 + 1e-7}, EXPECTED[1]], ["row 0: probability is 0.2500001, not 0.25"]),
        ([{**EXPECTED[0], "decision": True}, EXPECTED[1]], ["row 0: decision is True, not False"]),
        ([{**EXPECTED[0], "probability": True}, EXPECTED[1]], ["row 0: probability is True, not 0.25"]),
        (EXPECTED[:1], ["it gave 1 predictions for 2 rows"]),
        (None, ["it gave no predictions for 2 rows"]),
        ([None, 7], ["row 0: probability is None, not 0.25"]),
    ],
)
def test_a_probe_tells_every_answer_that_is_not_the_expected_one(answers: Any, told: list[str]) -> None:
    assert probe.differences(EXPECTED, {"predictions": answers})[: len(told) or None] == told


def test_a_probe_is_answered_with_200_or_says_what_instead() -> None:
    assert probe.refusal({"statusCode": 200, "body": "{}"}) is None
    assert probe.refusal({"statusCode": 503, "body": '{"detail": "no model"}'}) == "it answered 503: no model"
    assert probe.refusal(None) == "it answered no HTTP answer"
    assert probe.body_of({"body": "nonsense"}) is None


def test_a_version_that_takes_much_longer_for_recorded_rows_is_slow() -> None:
    assert probe.slowness(90.0, 30.0, CANARY)
    assert probe.slowness(40.0, 30.0, CANARY) == []
    assert probe.slowness(None, 30.0, CANARY) == probe.slowness(30.0, None, CANARY) == []
