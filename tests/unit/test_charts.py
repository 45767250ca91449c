"""Charts: what they show in words, gaps, bounds, and colours that everybody can tell apart."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle import charts, page_style
from lifecycle.time_chart import WIDTH, Line, Mark, Point, over_time, time_ticks

DAY = 86400.0
finite = st.floats(-1e9, 1e9)
times = st.floats(0, 4e9)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, two: str) -> float:
    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [page_style.LIGHT, page_style.DARK], ids=["light", "dark"])
def test_text_and_marks_stand_out_from_their_background_in_both_schemes(scheme: dict[str, str]) -> None:
    for back in (scheme["back"], scheme["band"]):
        for text in ("text", "soft", "good", "bad"):
            assert contrast(scheme[text], back) >= 4.5, text
        assert contrast(scheme["before"], back) >= 3
    for line in ("one", "two", "three", "four"):
        assert contrast(scheme[line], scheme["back"]) >= 4.5, line


def test_a_line_breaks_where_a_value_is_missing_and_a_lone_value_is_a_dot() -> None:
    values = [0.4, 0.41, None, 0.42, None, 0.43, 0.44, 0.45]
    drawn = over_time([Line(name="q", points=[Point(at=i * DAY, value=v) for i, v in enumerate(values)])], "y", "c")
    assert drawn.count("<polyline") == 2
    assert drawn.count("<circle") == 6
    assert "q: last 0.45, from 0.4 to 0.45, 2 of 8 without a value" in drawn


def test_an_interval_is_a_band_and_at_a_lone_value_a_bar() -> None:
    points = [Point(at=i * DAY, value=0.5, low=0.4, high=0.6) for i in range(3)]
    assert over_time([Line(name="q", points=points)], "y", "c").count("<polygon") == 1
    lone = over_time([Line(name="q", points=points[:1])], "y", "c")
    assert "<polygon" not in lone
    assert 'stroke-opacity=".4"' in lone


def test_every_kind_of_mark_has_a_lane_a_shape_and_words_of_its_own() -> None:
    marks = [Mark(at=i * DAY, lane=lane, text=f"why {i}") for i, lane in enumerate(("alarm", "run", "alarm", "end"))]
    drawn = over_time([Line(name="q", points=[])], "y", "c", marks=marks)
    assert [drawn.count(f">{lane}</text>") for lane in ("alarm", "run", "end")] == [1, 1, 1]
    assert drawn.count("<title>why") == 4
    assert len(set(re.findall(r"<(?:path d|circle r)=[^>]+>", drawn))) == 3
    assert "alarm: 2; run: 1; end: 1" in drawn


@given(st.lists(st.tuples(times, st.none() | finite, finite, finite), max_size=30), st.lists(finite, max_size=2))
def test_whatever_is_drawn_stays_inside_the_picture(
    points: list[tuple[float, float | None, float, float]], levels: list[float]
) -> None:
    line = Line(
        name="x",
        points=[Point(at=at, value=v, low=low, high=high) for at, v, low, high in sorted(points, key=lambda p: p[0])],
    )
    drawn = over_time([line], "y", "c", [("level", level) for level in levels])
    height = float(re.findall(r'viewBox="0 0 \d+ (\d+)"', drawn)[0])
    places = [pair.split(",") for group in re.findall(r'points="([^"]*)"', drawn) for pair in group.split()]
    places += re.findall(r'cx="([^"]+)" cy="([^"]+)"', drawn)
    assert all(0 <= float(x) <= WIDTH and 0 <= float(y) <= height for x, y in places)
    assert "nan" not in drawn


@given(times, st.floats(3600, 40 * 366 * DAY))
def test_times_on_an_axis_are_few_ascending_and_within(first: float, span: float) -> None:
    found = [at for at, _ in time_ticks(first, first + span)]
    assert len(found) <= 8
    assert all(first <= at <= first + span for at in found)
    assert all(one < two for one, two in pairwise(found))


@given(st.lists(st.floats(-1e12, 1e12), min_size=1))
def test_ticks_enclose_all_values(values: list[float]) -> None:
    found = charts.ticks(values)
    slack = 1e-9 * max(abs(value) for value in values) + 1e-9
    assert found[0] <= min(values) + slack
    assert found[-1] >= max(values) - slack
    assert len(found) <= 8


def test_shares_are_told_in_words_and_long_labels_keep_their_whole_text() -> None:
    long = "a value that is much longer than its place"
    drawn = charts.shares([long, "b"], [0.25, 0.75], [0.5, 0.0004], "c")
    assert f"{long}: 25 % before, 50 % now; b: 75 % before, 0.04 % now" in drawn
    assert f"<title>{long}</title>" in drawn
    assert "25 % → 50 %" in drawn


def test_shares_of_nothing_are_drawn_as_nothing() -> None:
    assert "nan" not in charts.shares(["a"], [0.0], [0.0])
    assert charts.shares([], [], []).startswith("<figure>")
