"""The rules of claims, over every order of takers, ends and times."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lifecycle.claims import Claim, Refused, State, Taking, end, take

OWNERS = st.sampled_from(["a", "b", "c"])


def wish(owner: str, lease: int = 10, again: bool = False) -> Taking:
    return Taking(claim="cut#flights", owner=owner, lease_seconds=lease, again=again)


def taken(claim: Claim | Refused) -> Claim:
    assert isinstance(claim, Claim)
    return claim


def test_the_first_asker_gets_attempt_one() -> None:
    first = taken(take(None, wish("a"), 100.0))
    assert (first.owner, first.attempt, first.expires_at, first.state) == ("a", 1, 110, State.HELD)


def test_asking_twice_is_asking_once_with_a_renewed_lease() -> None:
    first = taken(take(None, wish("a"), 100.0))
    second = taken(take(first, wish("a"), 105.0))
    assert (second.attempt, second.expires_at) == (1, 115)


def test_a_held_claim_is_refused_to_others_until_its_lease_runs_out() -> None:
    first = taken(take(None, wish("a"), 100.0))
    assert take(first, wish("b"), 109.9) == Refused(first)
    assert taken(take(first, wish("b"), 110.0)).attempt == 2


def test_a_claim_given_back_goes_to_anyone_with_a_new_attempt() -> None:
    freed = end(taken(take(None, wish("a"), 0.0)), "a", State.FREE)
    assert freed is not None
    assert taken(take(freed, wish("a"), 1.0)).attempt == 2


def test_a_claim_that_is_done_stays_done_unless_asked_again() -> None:
    done = end(taken(take(None, wish("a"), 0.0)), "a", State.DONE, {"run_id": "r1"})
    assert done is not None
    assert done.value == {"run_id": "r1"}
    assert take(done, wish("b"), 1e9) == Refused(done)
    assert taken(take(done, wish("b", again=True), 1e9)).attempt == 2


@pytest.mark.parametrize("state", [State.FREE, State.DONE])
def test_nobody_ends_what_is_not_theirs(state: State) -> None:
    held = taken(take(None, wish("a"), 0.0))
    assert end(held, "b", state) is None
    assert end(None, "a", state) is None
    assert end(replace(held, state=State.DONE), "a", state) is None


@given(OWNERS, st.integers(1, 100), st.dictionaries(st.text(), st.integers()))
def test_a_claim_survives_its_table(owner: str, attempt: int, value: dict[str, int]) -> None:
    claim = Claim(claim="x", owner=owner, attempt=attempt, expires_at=5, state=State.HELD, value=value)
    assert Claim.from_plain(claim.to_plain()) == claim


class ManyTakers(RuleBasedStateMachine):
    """Takers, releasers and time in any order: never two holders at once, never an attempt used by two."""

    def __init__(self) -> None:
        super().__init__()
        self.claim: Claim | None = None
        self.now = 0.0
        self.holders: dict[int, str] = {}

    @rule(owner=OWNERS, again=st.booleans())
    def somebody_takes(self, owner: str, again: bool) -> None:
        before = self.claim
        decided = take(before, wish(owner, again=again), self.now)
        if isinstance(decided, Refused):
            assert before is not None
            assert before.state is State.DONE or before.held_by_other(owner, self.now)
            return
        assert before is None or not before.held_by_other(owner, self.now)
        assert self.holders.setdefault(decided.attempt, owner) == owner
        self.claim = decided

    @rule(owner=OWNERS, state=st.sampled_from([State.FREE, State.DONE]))
    def somebody_ends(self, owner: str, state: State) -> None:
        ended = end(self.claim, owner, state)
        assert ended is None or (self.claim is not None and self.claim.owner == owner)
        self.claim = ended or self.claim

    @rule(seconds=st.floats(0, 20))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def attempts_only_grow(self) -> None:
        assert self.claim is None or self.claim.attempt == max(self.holders)


TestManyTakers = ManyTakers.TestCase
