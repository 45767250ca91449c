from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.spec import Split
from lifecycle.split import SECONDS_PER_DAY, Side, by_hash, by_time, fraction, key_text

keys = st.lists(st.text(max_size=6), max_size=60)


@given(keys, keys, st.randoms(use_true_random=False))
def test_a_row_stays_on_its_side_whatever_rows_come_or_go(old: list[str], new: list[str], chance: object) -> None:
    split = Split(holdout=0.3, validation=0.3)
    before = dict(zip(old, by_hash(old, split), strict=True))
    mixed = [*new, *old]
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    after = dict(zip(mixed, by_hash(mixed, split), strict=True))
    assert all(after[key] is side for key, side in before.items())


def test_shares_are_kept_and_a_larger_holdout_only_grows() -> None:
    some = [str(i) for i in range(20_000)]
    small, large = (by_hash(some, Split(holdout=share, validation=0.2)) for share in (0.1, 0.2))
    assert abs(small.count(Side.HOLDOUT) / 20_000 - 0.1) < 0.01
    assert abs(small.count(Side.VALIDATION) / 20_000 - 0.2) < 0.01
    assert all(b is Side.HOLDOUT for a, b in zip(small, large, strict=True) if a is Side.HOLDOUT)


@pytest.mark.parametrize(("key", "place"), [("", 0.89317), ("r1", 0.51510), ("Ålesund", 0.97099)])
def test_the_hash_is_the_same_on_every_machine_and_for_ever(key: str, place: float) -> None:
    assert round(fraction(key), 5) == place


def test_key_text_tells_neighbouring_values_apart() -> None:
    assert key_text(["a", "b"]) != key_text(["ab", ""])
    assert (
        key_text([None, 1.5, True, datetime(2024, 1, 1, tzinfo=UTC)]) == "\x1f1.5\x1fTrue\x1f2024-01-01 00:00:00+00:00"
    )


times = st.lists(st.none() | st.integers(0, 400).map(float), min_size=1, max_size=80)


@given(times, st.sampled_from([0.0, 5 / SECONDS_PER_DAY, 50 / SECONDS_PER_DAY]))
def test_by_time_every_side_is_later_than_the_one_before_by_the_gap(known: list[float | None], gap_days: float) -> None:
    sides = by_time(known, Split(by="time", holdout=0.2, validation=0.2, gap_days=gap_days))
    of = {side: [t for t, s in zip(known, sides, strict=True) if s is side and t is not None] for side in Side}
    gap = gap_days * SECONDS_PER_DAY
    assert all(s is Side.LEFT_OUT for t, s in zip(known, sides, strict=True) if t is None)
    for earlier, later in [(Side.TRAIN, Side.VALIDATION), (Side.VALIDATION, Side.HOLDOUT), (Side.TRAIN, Side.HOLDOUT)]:
        if of[earlier] and of[later]:
            assert max(of[earlier]) < min(of[later])
            assert max(of[earlier]) < min(of[later]) - gap or gap == 0
    if any(t is not None for t in known):
        assert of[Side.HOLDOUT]


def test_by_time_the_shares_are_of_all_rows() -> None:
    sides = by_time([float(i) for i in range(1000)], Split(by="time", holdout=0.1, validation=0.3))
    assert [sides.count(side) for side in Side] == [600, 300, 100, 0]


def test_rows_without_any_time_are_left_out() -> None:
    assert by_time([None, None], Split(by="time")) == [Side.LEFT_OUT, Side.LEFT_OUT]
