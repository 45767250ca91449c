"""What a simulated span of time brought -> one page: the frozen model against the one that renews itself.

The result is the JSON of `perennial simulate --json` (docs/monitoring.md names its members).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from lifecycle import monitor_words as words
from lifecycle import page as document
from lifecycle.metrics import larger_is_better
from lifecycle.page import Section, number
from lifecycle.time_chart import Line, Mark, Point, over_time

FROZEN, RENEWING = "frozen", "renewing"
KINDS: Final = ("alarm", "run", "promotion", "rejection", "rollback", "failure")
"""What may happen; the order is that of the marks' lanes."""


def page(result: Mapping[str, Any]) -> str:
    """Return the result of a simulation as one HTML page."""
    months = result["months"]
    span = f"{months[0]['month']} to {months[-1]['month']}" if months else "no month"
    tone = {True: "good", False: "bad", None: ""}[better(result)]
    sections: list[Section] = [
        ("", [document.verdict(tone, [verdict(result), *_scope(result)])]),
        ("Month by month", [_chart(result), _months(result)]),
        ("What happened", list(_events(result["events"]))),
    ]
    return document.render(f"{result['model']}, {span}: frozen against renewing", sections)


def better(result: Mapping[str, Any]) -> bool | None:
    """Return whether the renewing model did better over all months; None when chance may explain the difference.

    The interval of the difference (renewing less frozen, or the other way round) tells: it holds 0, or it does not.
    """
    total = result["total"]
    figures = [total[name] for name in (FROZEN, RENEWING, "low", "high")]
    if any(figure is None for figure in figures) or total["low"] <= 0 <= total["high"]:
        return None
    return bool((total[RENEWING] > total[FROZEN]) == larger_is_better(result["metric"]))


def verdict(result: Mapping[str, Any]) -> str:
    """Return one sentence: which of the two was better over all months, by how much, and how sure that is."""
    total, found = result["total"], better(result)
    if total[FROZEN] is None or total[RENEWING] is None:
        return "Nothing can be said: no row was answered by both models."
    said = {
        True: "The renewing model was better",
        False: "The renewing model was worse",
        None: "No difference that chance could not explain",
    }[found]
    low, high = words.rounded(total["low"]), words.rounded(total["high"])
    return (
        f"{said}: {result['metric']} {words.rounded(total[RENEWING])} against {words.rounded(total[FROZEN])} of the "
        f"frozen one over {total['rows']:,} rows (difference {words.rounded(total['difference'])}, 95 % interval "
        f"{low} to {high})."
    )


def _scope(result: Mapping[str, Any]) -> list[str]:
    way = "larger" if larger_is_better(result["metric"]) else "smaller"
    rows = "a documented sample of the rows" if result["sampled"] else "every row"
    said = [f"{result['metric']} is better when {way}. Simulated with {rows} in {number(round(result['seconds']))} s."]
    if "asked" in result:
        asked = f"{result['asked']:,} rows were asked over HTTP, {result['refused']:,} of them refused"
        said.append(f"{asked}; {result['labels']:,} labels were taken, {result['lost_labels']:,} were not.")
    if result.get("beside"):
        said.append(f"{result['beside']:,} other rows were scored with the file of the model that was live.")
    return said


def middle(month: str) -> float:
    """Return the middle of a month (`2013-04`) in epoch seconds.

    >>> middle("1970-01") / 86400
    15.5
    """
    first, after = _bounds(month)
    return (first + after) / 2


def _bounds(month: str) -> tuple[float, float]:
    first = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    after = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return first.timestamp(), after.timestamp()


def _chart(result: Mapping[str, Any]) -> document.Html:
    series = [
        Line(name=name, style=style, points=[_point(month, key) for month in result["months"]])
        for name, key, style in (("renewing", RENEWING, 0), ("frozen", FROZEN, 1))
    ]
    marks = [
        Mark(at=words.epoch(event["at"]), lane=event["kind"], text=f"{words.moment(event['at'])}: {event['text']}")
        for kind in _kinds(result["events"])
        for event in result["events"]
        if event["kind"] == kind
    ]
    caption = "Monthly quality with its 95 % interval, and below it what the loop did by itself"
    return over_time(series, result["metric"], caption, marks=marks, span=_span(result["months"]))


def _span(months: Sequence[Mapping[str, Any]]) -> tuple[float, float] | None:
    """From the first month's beginning to the last one's end."""
    return (_bounds(months[0]["month"])[0], _bounds(months[-1]["month"])[1]) if months else None


def _kinds(events: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys([*KINDS, *(event["kind"] for event in events)]))


def _point(month: Mapping[str, Any], key: str) -> Point:
    at, one = middle(month["month"]), month[key]
    return (
        Point(at=at, value=None) if one is None else Point(at=at, value=one["value"], low=one["low"], high=one["high"])
    )


def _months(result: Mapping[str, Any]) -> document.Html:
    rows = []
    for month in result["months"]:
        one, two = ((month[key] or {}) for key in (RENEWING, FROZEN))
        figures = [(model.get("value"), words.interval(model).strip(" ()")) for model in (one, two)]
        rows.append((month["month"], month["rows"], *figures[0], *figures[1], _winner(one, two, result["metric"])))
    headers = ("month", "rows", "renewing", "95 % interval", "frozen", "95 % interval", "better")
    return document.table(headers, rows, "quality month by month")


def _winner(one: Mapping[str, Any], two: Mapping[str, Any], metric: str) -> str:
    if one.get("value") is None or two.get("value") is None or one["value"] == two["value"]:
        return ""
    return RENEWING if (one["value"] > two["value"]) == larger_is_better(metric) else FROZEN


def _events(events: Sequence[Mapping[str, Any]]) -> Iterable[document.Html]:
    if not events:
        yield document.paragraph("Nothing: no alarm, and no run beyond the first.")
        return
    rows = [(words.moment(e["at"]), e["kind"], e["text"]) for e in sorted(events, key=lambda e: words.epoch(e["at"]))]
    yield document.table(("time", "what", "because"), rows)
