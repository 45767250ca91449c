"""The terminal's chart of a simulation: a row a month, within a hundred columns, whatever is missing."""

import io
from typing import Any

from rich.console import Console

from cli.simulation_chart import chart
from tests import windows


def drawn(result: dict[str, Any]) -> list[str]:
    text = io.StringIO()
    Console(file=text, width=100, emoji=False, highlight=False).print(chart(result))
    return text.getvalue().splitlines()


def test_each_month_has_its_figures_both_models_and_what_happened() -> None:
    lines = drawn(windows.simulated())
    assert all(len(line) <= 100 for line in lines)
    months = {line[:7]: line for line in lines if line.startswith("2013-")}
    assert len(months) == 12
    june = months["2013-06"]
    assert june.index("●") < june.index("○"), "the smaller loss stands further left"
    assert "━" in june
    assert "─" in june
    assert months["2013-04"].rstrip().endswith("▲ ▶ ✔")
    assert months["2013-05"].rstrip().endswith("▲2 ▶ ✘")
    assert months["2013-07"].rstrip().endswith("▲ ▶ ✔ ↺")


def test_the_verdict_comes_first_and_the_marks_are_explained_last() -> None:
    lines = drawn(windows.simulated())
    assert lines[0].startswith("The renewing model was better: log_loss 0.4184 against 0.4412")
    assert lines[-1].split("   ")[0] == "▲ alarm"


def test_a_month_without_rows_is_an_empty_row() -> None:
    (september,) = [line for line in drawn(windows.simulated()) if line.startswith("2013-09")]
    assert september.split() == ["2013-09", "0", "–", "–", "▲", "▶", "✔"]


def test_equal_values_no_months_and_unknown_kinds_are_drawn() -> None:
    same = {"value": 0.4, "low": 0.4, "high": 0.4}
    result = windows.simulated() | {
        "months": [{"month": "2013-01", "rows": 5, "frozen": same, "renewing": same}],
        "events": [{"at": "2013-01-03T00:00:00Z", "kind": "comet", "text": ""}],
    }
    (row,) = [line for line in drawn(result) if line.startswith("2013-01")]
    assert row.count("●") == 1
    assert row.rstrip().endswith("?")
    assert drawn(windows.simulated() | {"months": [], "events": []})
