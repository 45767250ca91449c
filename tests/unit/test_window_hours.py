"""Which hours a look judges, and which days are one file."""

from hypothesis import given
from hypothesis import strategies as st

from lifecycle.logged import COPIES_HOURS
from lifecycle.window_hours import HOUR, Window, hour_of_text, hour_text, hours_of

times = st.floats(1.7e9, 1.9e9)


def test_an_hour_is_closed_ten_minutes_after_its_end():
    assert Window.at(100 * HOUR + 599, 24).until == 99
    assert Window.at(100 * HOUR + 600, 24) == Window(first=76, until=100, settled=51)


@given(times, st.integers(1, 2000))
def test_days_and_single_hours_are_the_window_and_nothing_twice(now, width):
    window = Window.at(now, width)
    apart = [*window.hours_without(window.days), *(hour for day in window.days for hour in hours_of(day))]
    assert sorted(apart) == list(range(window.first, window.until))
    assert len(apart) == width


@given(times, st.integers(1, 2000))
def test_a_day_is_one_file_only_when_nothing_can_come_any_more(now, width):
    window = Window.at(now, width)
    assert all(hours_of(day)[-1] < window.until - COPIES_HOURS for day in window.days)
    assert len(window.hours_without(window.days)) <= max(width if not window.days else 0, COPIES_HOURS + 2 * 24)


@given(st.integers(0, 600_000))
def test_hours_are_spelled_so_that_their_texts_sort_as_they_do(hour):
    assert hour_of_text(hour_text(hour)) == hour
    assert hour_text(hour) < hour_text(hour + 1)
