"""Prediction ids tell when they were given."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.prediction_id import RANDOM_BYTES, ids_of, time_of

MOMENTS = st.integers(0, 253_402_300_799_999)  # the year 9999 ends


@given(MOMENTS, st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES))
def test_an_id_is_a_uuid_of_version_7_that_gives_its_moment_back(moment, entropy):
    [identity] = ids_of(moment, entropy)
    read = uuid.UUID(identity)
    assert (str(read), read.version, read.variant) == (identity, 7, uuid.RFC_4122)
    assert time_of(identity) == moment / 1000


@given(MOMENTS, MOMENTS, st.binary(min_size=2 * RANDOM_BYTES, max_size=2 * RANDOM_BYTES))
def test_later_ids_sort_after_earlier_ones(one, two, entropy):
    first, second = ids_of(one, entropy[:RANDOM_BYTES])[0], ids_of(two, entropy[RANDOM_BYTES:])[0]
    if one != two:
        assert (first < second) == (one < two)


def test_each_row_gets_an_id_of_its_own():
    entropy = bytes(range(5 * RANDOM_BYTES))
    assert len(set(ids_of(1_700_000_000_000, entropy))) == 5
    assert ids_of(1_700_000_000_000, b"") == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "p-1",
        "c5b2a1a0-1111-4222-8333-444455556666",
        "e677d21f-dc00-7fff-bfff-ffffffffffff",
        "ffffffff-ffff-7fff-bfff-ffffffffffff",
        "017F22E2-79B0-70CC-B8C4-DC0C0C07398F",
        "017f22e2-79b0-70cc-78c4-dc0c0c07398f",
        "017f22e279b070ccb8c4dc0c0c07398f",
        "017f22e2-79b0-70cc-b8c4-dc0c0c07398g",
        "-17f22e2-79b0-70cc-b8c4-dc0c0c07398f",
        "017f22e2-79b0-70cc-b8c4-dc0c0c07398f\n",
        "017f22e2-79b0-70cc-b8c4-dc0c0c07398٣",
    ],
)
def test_anything_else_is_no_prediction_id(text):
    assert time_of(text) is None


@given(st.text(alphabet="0123456789abcdef-", max_size=40))
def test_no_text_breaks_the_reader(text):
    found = time_of(text)
    assert found is None or str(uuid.UUID(text)) == text
