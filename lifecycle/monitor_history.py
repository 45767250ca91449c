"""The looks before a window -> drift and quality over time, as charts and as a table; gaps where nothing was judged."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from lifecycle import monitor_words as words
from lifecycle import page as document
from lifecycle import time_chart
from lifecycle.page import Html, number, rounded, share
from lifecycle.time_chart import Line, Mark, Point

WINDOWS_LISTED: Final = 100
ALERT_AT: Final = ("alert from 1", 1.0)


HEADERS: Final = (
    "look", "rows", "labelled", "features drifted", "worst drift", "drift of answers", "quality", "low", "high",
)  # fmt: skip


def over_time(window: Mapping[str, Any]) -> Iterable[Html]:
    """Return charts of drift and quality over the looks that the window remembers, itself included, and a table."""
    history = window["history"]
    if not history:
        yield document.paragraph("No look is kept yet.")
        return
    yield document.grid("charts", [_drift_over_time(history), _quality_over_time(window, history)])
    listed = history[-WINDOWS_LISTED:]
    table = document.table(HEADERS, [_row(entry) for entry in reversed(listed)], "the last looks")
    yield document.folded(f"The last {len(listed)} looks in figures", table)


def _row(entry: Mapping[str, Any]) -> tuple[document.Cell, ...]:
    drift = (entry["features_drifted"], rounded(entry["worst_drift"]), rounded(entry["score_drift"]))
    quality = (_estimated(entry), rounded(entry["low"]), rounded(entry["high"]))
    return (words.moment(entry["at"]), entry["rows"], share(entry["coverage"]), *drift, *quality)


def _estimated(entry: Mapping[str, Any]) -> document.Cell:
    value = rounded(entry["quality"])
    return f"{number(value)} estimated" if entry["estimate"] and value is not None else value


def _drift_over_time(history: Sequence[Mapping[str, Any]]) -> Html:
    series = [
        Line(name=name, style=style, points=[Point(at=words.epoch(e["at"]), value=e[key]) for e in history])
        for style, (name, key) in enumerate((("worst feature", "worst_drift"), ("answers", "score_drift")))
    ]
    caption = "Drift; a gap is a window that was not judged"
    return time_chart.over_time(series, "severity", caption, [ALERT_AT], _versions(history))


def _quality_over_time(window: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> Html:
    found = window["quality"] or {}
    series = [
        Line(
            name=name,
            style=int(guessed),
            points=[_point(e) if bool(e["estimate"]) == guessed else _gap(e) for e in history],
        )
        for name, guessed in (("measured", False), ("estimated", True))
    ]
    kept = [line for line in series if any(point.value is not None for point in line.points)]
    levels = [("on the holdout", found["reference"])] if found.get("reference") is not None else []
    metric = found.get("metric", "quality")
    caption = "Quality with its 95 % interval; a gap has no figure"
    return time_chart.over_time(kept or series[:1], metric, caption, levels, _versions(history))


def _versions(history: Sequence[Mapping[str, Any]]) -> list[Mark]:
    """A mark where another version was live than in the look before."""
    return [
        Mark(at=words.epoch(now["at"]), lane="version", text=f"version {now['model_version']}")
        for before, now in pairwise(history)
        if now.get("model_version") != before.get("model_version")
    ]


def _point(entry: Mapping[str, Any]) -> Point:
    return Point(at=words.epoch(entry["at"]), value=entry["quality"], low=entry["low"], high=entry["high"])


def _gap(entry: Mapping[str, Any]) -> Point:
    return Point(at=words.epoch(entry["at"]), value=None)
