"""What windows of a column do anyway is learned from the training rows, and is no drift later."""

import random
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.drift_alert import AlertState, judge
from lifecycle.monitoring import Monitoring
from lifecycle.reference import ColumnReference, Reference
from lifecycle.swing import with_swing
from tabular import windows
from tests.unit.drift_world import Column, column, count, reference, tally

AT_ONCE = Monitoring(confirm=1, clear=1)
DAYS, ROWS = 40, 600


def weather(draw: random.Random, days: int = DAYS) -> list[Column]:
    """Days with a temperature of their own around which that day's rows lie."""
    return [[draw.gauss(mean, 0.3) for _ in range(ROWS)] for mean in (draw.gauss(0, 1) for _ in range(days))]


def learned(days: list[Column]) -> ColumnReference:
    whole = column([value for day in days for value in day])
    return with_swing(whole, [count(whole, day) for day in days])


def against(made: ColumnReference) -> Reference:
    scores = {"x": [0.0, 1.0] * 500, "score": [number / 1000 for number in range(1000)]}
    return replace(reference(scores), columns={"x": replace(made, importance=1.0)})


def drifted(made: ColumnReference, day: Column) -> bool:
    yardstick = against(made)
    scores = [number / len(day) for number in range(len(day))]
    found = judge(yardstick, tally(yardstick, {"x": day, "score": scores}), AT_ONCE, AlertState(), until="")
    return bool(found.drifted)


def test_days_that_differ_among_themselves_are_no_drift_but_what_no_day_did_is() -> None:
    draw = random.Random(1)
    made = learned(weather(draw))
    fresh = weather(draw, 60)
    assert sum(drifted(replace(made, swing=0.0), day) for day in fresh) > 50, "rows of a day are not independent"
    assert sum(drifted(made, day) for day in fresh) <= 1
    assert drifted(made, [1000 * value for value in fresh[0] if value is not None])
    assert drifted(made, [None] * ROWS)


def test_a_column_that_does_not_swing_keeps_its_limit() -> None:
    draw = random.Random(2)
    made = learned([[draw.gauss(0, 1) for _ in range(ROWS)] for _ in range(DAYS)])
    assert made.swing < 0.01
    assert drifted(made, [draw.gauss(0.5, 1) for _ in range(ROWS)])


def test_days_without_any_value_in_training_make_none_later_no_drift() -> None:
    draw = random.Random(3)
    days: list[Column] = [[draw.gauss(0, 1) if day % 4 else None for _ in range(ROWS)] for day in range(DAYS)]
    assert not drifted(learned(days), [None] * ROWS)


@pytest.mark.parametrize("sign", [1, -1])
def test_what_only_moves_on_with_time_never_alerts(sign: int) -> None:
    months: list[Column] = [[float(sign * (day // 10))] * ROWS for day in range(DAYS)]
    assert not drifted(learned(months), [float(sign * 4)] * ROWS)
    numbers: list[Column] = [[float(sign * (day * ROWS + row)) for row in range(ROWS)] for day in range(DAYS)]
    assert not drifted(learned(numbers), [float(sign * DAYS * ROWS + row) for row in range(ROWS)])


def test_a_constant_does_not_move_on() -> None:
    made = learned([[5.0] * ROWS for _ in range(DAYS)])
    assert made.swing == 0
    assert drifted(made, [6.0] * ROWS)


@given(st.lists(st.lists(st.one_of(st.none(), st.floats(-5, 5)), min_size=1, max_size=30), min_size=1, max_size=8))
def test_swings_are_shares_and_survive_json(days: list[Column]) -> None:
    made = learned([list(day) * 20 for day in days])
    assert 0 <= made.swing <= 1
    assert 0 <= made.missing_swing <= 1
    assert ColumnReference.from_plain(made.to_plain()) == made


def test_without_windows_nothing_is_known() -> None:
    made = with_swing(column([1.0, 2.0]), [])
    assert (made.swing, made.missing_swing) == (0.0, 0.0)


def test_rows_go_to_windows_of_their_time_in_order() -> None:
    hours = [50.0, None, 1.0, 2.0, 49.0, 30.0]
    seconds = [None if hour is None else hour * 3600 for hour in hours]
    assert windows.places(seconds, 24, 2).tolist() == [1, -1, 0, 0, 1, -1]
    assert windows.places([], 24, 2).tolist() == []
    assert windows.places([None, None], 24, 1).tolist() == [-1, -1]


values = st.lists(
    st.tuples(st.integers(-1, 3), st.one_of(st.none(), st.sampled_from([0.0, 1.0, 2.5, 7.0]))), max_size=40
)


@given(values, st.booleans())
def test_windows_are_counted_as_the_rows_in_them_alone(rows: list[tuple[int, float | None]], texts: bool) -> None:
    given = [None if value is None else (f"v{value}" if texts else value) for _, value in rows]
    bins = column([*given, "v0.0", "v1.0"] if texts else [*given, 0.0, 1.0])
    series = pl.Series("x", given, dtype=pl.String if texts else pl.Float64)
    found = windows.by_window(series, pl.Series([window for window, _ in rows], dtype=pl.Int64).to_numpy(), bins)
    assert len(found) == max([window for window, _ in rows], default=-1) + 1
    for number, each in enumerate(found):
        inside = [value for (window, _), value in zip(rows, given, strict=True) if window == number]
        assert each == count(bins, inside)


def test_times_are_counted_by_their_hour_and_truths_by_their_name() -> None:
    at = pl.Series(["2026-01-01T05:00:00", "2026-01-02T05:30:00", None]).str.to_datetime()
    bins = column(["05", "06"])
    [found] = windows.by_window(at, windows.places([0, 0, 0], 24, 1), bins)
    assert (found.counts[bins.values.index("05")], found.missing) == (2, 1)
    truths = column(["true", "false"])
    [found] = windows.by_window(pl.Series([True, True, False]), windows.places([0, 0, 0], 24, 1), truths)
    assert found.counts[truths.values.index("true")] == 2
