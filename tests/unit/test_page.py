from hypothesis import given
from hypothesis import strategies as st

from lifecycle import charts, page


@given(st.text(alphabet=st.characters(blacklist_categories=("Cs",))))
def test_text_from_data_can_never_open_a_tag(text: str) -> None:
    hostile = text + "<script>alert(1)</script>"
    html = page.render(
        hostile,
        [
            (hostile, [hostile, page.table([hostile], [[hostile]]), charts.bars([(hostile, 1.0)], hostile)]),
            ("plot", charts.lines([(hostile, [(0.0, 0.0), (1.0, 1.0)])], hostile, hostile, hostile)),
        ],
    )
    assert "<script" not in html


def test_a_page_loads_nothing_from_outside_and_follows_the_readers_colours() -> None:
    html = page.render("Report", [("One", page.table(["a", "b"], [["x", 1.5], ["y", None]]))])
    assert "://" not in html
    assert "style=" not in html
    assert "prefers-color-scheme:dark" in html
    assert 'content="width=device-width' in html
    assert html.count('<td class="number">') == 2


def test_plots_take_no_points_and_equal_values() -> None:
    assert "<polyline" in charts.lines([("empty", [])], "x", "y")
    assert "nan" not in charts.lines([("flat", [(1.0, 2.0), (1.0, 2.0)])], "x", "y")
    assert "<rect" not in charts.bars([])


def test_numbers_are_short_and_missing_ones_are_a_dash() -> None:
    assert [page.number(v) for v in (0.5, 1234567.0, None, float("nan"))] == ["0.5", "1,234,567", "–", "nan"]
