"""Lines of the prediction log -> records, each once, whatever came in between."""

import json

from hypothesis import given
from hypothesis import strategies as st

from lifecycle.logged import Reading
from lifecycle.prediction_id import ids_of

NOW = 1_795_240_800.0
NUMBERS = st.lists(st.integers(0, 30), max_size=40)


def line(number: int, at: float = NOW) -> bytes:
    identity = ids_of(int(at * 1000), (number << 8).to_bytes(10))[0]
    record = {"kind": "prediction", "schema": 2, "time": int(at * 1000), "prediction_id": identity}
    return json.dumps(record).encode()


@given(NUMBERS, st.lists(st.integers(1, 5), max_size=10))
def test_each_record_comes_once_in_order_however_lines_are_cut_into_objects(numbers, sizes):
    reading = Reading(NOW, NOW + 1)
    lines = [line(number) for number in numbers]
    objects = []
    for size in sizes:
        objects.append(lines[:size])
        lines = lines[size:]
    found = [record for part in [*objects, lines] for record in reading.records(part)]
    expected = [json.loads(line(number)) for number in dict.fromkeys(numbers)]
    assert found == expected
    assert reading.unreadable == 0


@given(st.lists(st.binary(max_size=60)))
def test_no_bytes_break_the_reader_and_good_lines_among_them_are_read(noise):
    reading = Reading(NOW, NOW + 1)
    found = list(reading.records([*noise, line(1)]))
    assert json.loads(line(1)) in found


@given(st.integers(0, 400))
def test_a_copy_within_two_days_is_dropped_wherever_it_arrives(hours):
    late = NOW + hours * 3600
    reading = Reading(NOW, NOW + 1e9)
    reading.hour(NOW)
    first = list(reading.records([line(1)]))
    reading.hour(late)
    again = list(reading.records([line(1), line(2, late)]))
    assert len(first) == 1
    if hours <= 48:
        assert [record["time"] for record in again] == [int(late * 1000)]
