"""The claims table under many takers at once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest

from cloud.claims import Claims
from lifecycle.claims import Claim, Refused, State, Taking
from lifecycle.errors import ClaimHeld


@pytest.fixture
def claims(dynamodb: Any, claims_table: str) -> Claims:
    return Claims(dynamodb, claims_table)


def wish(owner: str, **others: Any) -> Taking:
    return Taking(claim="run#flights", owner=owner, lease_seconds=60, **others)


def test_of_twenty_concurrent_takers_exactly_one_wins(claims_table: str) -> None:
    def ask(number: int) -> Claim | Refused:
        return Claims(boto3.client("dynamodb"), claims_table).take(wish(f"owner-{number}"), 1000.0)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(ask, range(20)))
    winners = [answer for answer in answers if isinstance(answer, Claim)]
    assert len(winners) == 1
    assert all(refused.current.owner == winners[0].owner for refused in answers if isinstance(refused, Refused))


def test_of_twenty_takers_of_an_expired_claim_exactly_one_wins(claims: Claims, claims_table: str) -> None:
    claims.hold(wish("dead"), 0.0)

    def ask(number: int) -> Claim | Refused:
        return Claims(boto3.client("dynamodb"), claims_table).take(wish(f"owner-{number}"), 1000.0)

    with ThreadPoolExecutor(20) as pool:
        winners = [answer for answer in pool.map(ask, range(20)) if isinstance(answer, Claim)]
    assert [winner.attempt for winner in winners] == [2]


def test_what_was_taken_can_be_read_renewed_and_given_back(claims: Claims) -> None:
    claims.hold(wish("a", value={"run_id": "r"}), 10.0)
    renewed = claims.hold(wish("a", value={"run_id": "r"}), 20.0)
    assert claims.read("run#flights") == renewed
    assert claims.release("run#flights", "a")
    assert not claims.release("run#flights", "a")
    freed = claims.read("run#flights")
    assert freed is not None
    assert freed.state is State.FREE


def test_a_claim_held_by_another_says_by_whom(claims: Claims) -> None:
    claims.hold(wish("a"), 10.0)
    with pytest.raises(ClaimHeld, match="run#flights is held by a"):
        claims.hold(wish("b"), 20.0)


def test_a_finished_claim_keeps_its_value(claims: Claims) -> None:
    claims.hold(wish("a"), 10.0)
    assert not claims.finish("run#flights", "b")
    assert claims.finish("run#flights", "a", {"verdict": "accepted"})
    done = claims.read("run#flights")
    assert done is not None
    assert (done.state, done.value) == (State.DONE, {"verdict": "accepted"})


def test_a_write_on_what_was_read_too_long_ago_changes_nothing(claims: Claims) -> None:
    first = claims.hold(wish("a"), 10.0)
    second = claims.hold(wish("a"), 30.0)
    assert not claims.put(first, first)
    assert claims.read("run#flights") == second
