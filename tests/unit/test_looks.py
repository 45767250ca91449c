"""For which messages a look answers, and what it says to them."""

import json

from hypothesis import given
from hypothesis import strategies as st

from lifecycle import looks

MOMENTS = st.floats(1.7e9, 1.9e9)


@given(began=MOMENTS, before=st.floats(5.01, 1e6), again=st.floats(0.01, 900))
def test_a_message_sent_before_the_look_began_gets_its_answer_until_the_time_that_it_named(
    began: float, before: float, again: float
) -> None:
    sent, until = began - before, began + again
    assert looks.answer(looks.said(began, None), sent, until) == 0
    waits = json.loads(json.dumps(looks.said(began, until)))
    wait = looks.answer(waits, sent, began)
    assert wait is not None
    assert until - began <= wait < until - began + 1
    assert looks.answer(waits, sent, until) is None, "it is time to look again"


@given(began=MOMENTS, after=st.floats(-4.99, 1e6), now=MOMENTS)
def test_a_message_that_may_have_been_sent_after_the_look_began_needs_one_of_its_own(
    began: float, after: float, now: float
) -> None:
    assert looks.answer(looks.said(began, None), began + after, now) is None


@given(began=MOMENTS, sent=MOMENTS, again=st.floats(0.01, 900))
def test_nobody_looks_again_before_a_dataset_may_be_settled_whatever_came_meanwhile(
    began: float, sent: float, again: float
) -> None:
    waits = looks.said(began, began + again)
    assert looks.answer(waits, sent, began) == looks.answer(waits, 0.0, began)
    assert looks.answer(waits, sent, began + again) is None


@given(began=MOMENTS, again=st.none() | MOMENTS, now=MOMENTS)
def test_one_who_says_that_the_dataset_is_ready_looks_in_any_case(
    began: float, again: float | None, now: float
) -> None:
    assert looks.answer(looks.said(began, again), None, now) is None


def test_a_claim_that_says_nothing_answers_for_nobody() -> None:
    assert looks.answer({}, 0.0, 1.8e9) is None
