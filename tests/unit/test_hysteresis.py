"""Alerts begin and end only when they mean it, and a window counts once."""

from hypothesis import given
from hypothesis import strategies as st

from lifecycle.hysteresis import Streaks

windows = st.lists(st.booleans(), max_size=20)
lasting = st.integers(1, 4)


def after(bad: list[bool], confirm: int, clear: int) -> Streaks:
    streaks = Streaks()
    for hour, each in enumerate(bad):
        streaks = streaks.after({"x": each}, f"2026-01-01T{hour:02}", confirm=confirm, clear=clear)
    return streaks


@given(windows, lasting, lasting)
def test_an_alert_is_on_after_enough_bad_windows_until_enough_good_ones(
    bad: list[bool], confirm: int, clear: int
) -> None:
    on = False
    for end in range(len(bad) + 1):
        if not on and end >= confirm and all(bad[end - confirm : end]):
            on = True
        elif on and end >= clear and not any(bad[end - clear : end]):
            on = False
        assert (after(bad[:end], confirm, clear).on == {"x"}) is on


@given(windows, lasting, lasting, st.booleans())
def test_a_window_judged_again_takes_the_place_of_its_first_judgement(
    bad: list[bool], confirm: int, clear: int, first: bool
) -> None:
    if bad:
        hour = f"2026-01-01T{len(bad) - 1:02}"
        once = after(bad, confirm, clear)
        again = after([*bad[:-1], first], confirm, clear).after({"x": bad[-1]}, hour, confirm=confirm, clear=clear)
        assert again == once
        assert again.after({"x": bad[-1]}, hour, confirm=confirm, clear=clear) == once


def test_a_window_older_than_the_newest_changes_nothing() -> None:
    streaks = after([False, True], 2, 2)
    assert streaks.after({"x": True}, "2026-01-01T00", confirm=1, clear=1) is streaks


@given(windows, lasting, lasting)
def test_streaks_survive_json_and_keep_no_quiet_names(bad: list[bool], confirm: int, clear: int) -> None:
    streaks = after(bad, confirm, clear)
    assert Streaks.from_plain(streaks.to_plain()) == streaks
    if bad and not bad[-1] and not streaks.on:
        assert not streaks.now
