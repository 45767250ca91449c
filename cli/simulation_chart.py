"""The result of a simulation -> a chart for the terminal: a row a month, both models with intervals, what happened.

The same result as a page: `lifecycle.simulation_page`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lifecycle.monitor_words import rounded
from lifecycle.simulation_page import FROZEN, KINDS, RENEWING, better, verdict

PLOT: Final = 40  # columns of the plot: with its figures and marks a row takes at most 100
DOTS: Final = {FROZEN: "○", RENEWING: "●"}
BARS: Final = {FROZEN: "─", RENEWING: "━"}
STYLES: Final = {FROZEN: "dark_orange3", RENEWING: "dodger_blue1"}
MARKS: Final = dict(zip(KINDS, ("▲", "▶", "✔", "✘", "↺", "!"), strict=True))
_TONES: Final = {True: "bold green", False: "bold red", None: "bold"}


def chart(result: Mapping[str, Any]) -> Group:
    """Return the chart, at most 100 columns wide: verdict, a row a month, and what its marks mean."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("month")
    table.add_column("rows", justify="right")
    table.add_column(RENEWING, justify="right", style=STYLES[RENEWING])
    table.add_column(FROZEN, justify="right", style=STYLES[FROZEN])
    low, high = _reach(result["months"])
    table.add_column(_axis(low, high, result["metric"]), no_wrap=True)
    table.add_column("", no_wrap=True)
    happened = _by_month(result["events"])
    for month in result["months"]:
        figures = [rounded((month[key] or {}).get("value")) for key in (RENEWING, FROZEN)]
        marks = _marks(happened.get(month["month"], Counter()))
        table.add_row(month["month"], f"{month['rows']:,}", *figures, _row(month, low, high), marks)
    said: RenderableType = Text(verdict(result), style=_TONES[better(result)])
    return Group(said, Text(), table, Text(), _legend())


def _reach(months: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    figures = [
        month[key][bound]
        for month in months
        for key in (FROZEN, RENEWING)
        if month[key] is not None
        for bound in ("value", "low", "high")
        if month[key][bound] is not None
    ]
    low, high = min(figures, default=0.0), max(figures, default=1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _axis(low: float, high: float, metric: str) -> Text:
    left, right = rounded(low), rounded(high)
    name = metric[: PLOT - len(left) - len(right) - 2]
    return Text(f"{left}{name:^{PLOT - len(left) - len(right)}}{right}")


def _row(month: Mapping[str, Any], low: float, high: float) -> Text:
    """The plot of a month: intervals first, then the values; where both have one place it is the renewing one's."""
    cells: list[tuple[str, str]] = [(" ", "")] * PLOT

    def place(value: float) -> int:
        return round((value - low) / (high - low) * (PLOT - 1))

    for key in (FROZEN, RENEWING):
        found = month[key]
        if found is not None and found["low"] is not None and found["high"] is not None:
            for i in range(place(found["low"]), place(found["high"]) + 1):
                cells[i] = (BARS[key], STYLES[key])
    for key in (FROZEN, RENEWING):
        if month[key] is not None and month[key]["value"] is not None:
            cells[place(month[key]["value"])] = (DOTS[key], f"bold {STYLES[key]}")
    return Text.assemble(*cells)


def _by_month(events: Sequence[Mapping[str, Any]]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for event in events:
        found.setdefault(str(event["at"])[:7], Counter())[event["kind"]] += 1
    return found


def _marks(counts: Counter[str]) -> str:
    """The month's marks, in the order of their kinds; a number where there is more than one of a kind."""
    kinds = [*KINDS, *sorted(set(counts) - set(KINDS))]
    shown = [(MARKS.get(kind, "?"), counts[kind]) for kind in kinds if counts[kind]]
    return " ".join(f"{mark}{count if count > 1 else ''}" for mark, count in shown)


def _legend() -> Text:
    models = [(f"{DOTS[key]} {key} (bar: 95 % interval)   ", STYLES[key]) for key in (RENEWING, FROZEN)]
    return Text.assemble(*models, "\n", "   ".join(f"{mark} {kind}" for kind, mark in MARKS.items()))
