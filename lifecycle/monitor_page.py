"""A window of monitoring -> its report, one page: what is wrong, what happens next, and every figure behind it.

`page` takes the JSON that monitoring writes (docs/monitoring.md); members that are null say so in words.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from lifecycle import charts, metrics
from lifecycle import monitor_words as words
from lifecycle import page as document
from lifecycle.page import Html, Section, Share, number, percent
from lifecycle.time_chart import Line, Point, over_time

OPEN_ROWS: Final = 20  # features whose row is seen without unfolding
OPEN_PICTURES: Final = 12
WINDOWS_LISTED: Final = 100
ANSWERS: Final = "answers of the model"
ALERT_AT: Final = ("alert from 1", 1.0)
DRIFT_HEADERS: Final = (
    "feature", "state", "severity", "PSI", "largest gap", "p", "p, corrected", "missing before", "missing now",
    "importance", "costs when shuffled", "since (UTC)",
)  # fmt: skip
DRIFT_NOTE: Final = (
    "Severity is the shift over what is allowed for this feature: 1 and more is drift, 0 where chance explains it. PSI "
    "compares shares in ten bins of the training rows, the largest gap is between the cumulated shares (categories: "
    "half of all differences). The corrected p allows for all features asked together. Importance is the feature's "
    "part in the score."
)


def page(window: Mapping[str, Any]) -> str:
    """Return the report of a window as one HTML page."""
    title = f"{window['model']}: monitoring until {words.moment(window['until'])}"
    told = [words.wrong(window), words.next_step(window)]
    sections: list[Section] = [
        ("", [document.verdict(words.tone(window), told), _subject(window)]),
        ("Figures", [document.figures(_figures(window))]),
        *_notes(window),
        ("Drift", list(_drift(window))),
        ("Now against before", list(_distributions(window))),
        ("Over time", list(_history(window))),
        ("Worst slices", list(_slices(window))),
    ]
    return document.render(title, sections)


def _subject(window: Mapping[str, Any]) -> Html:
    return document.paragraph(
        f"Version {window['model_version']} (run {window['run_id']}, stage {window['stage']}); rows from "
        f"{words.moment(window['since'])} to {words.moment(window['until'])}, looked at {words.moment(window['at'])}.",
        "soft",
    )


def _notes(window: Mapping[str, Any]) -> list[Section]:
    return [("Notes", list(window["notes"]))] if window["notes"] else []


def _figures(window: Mapping[str, Any]) -> Iterable[tuple[str, str, str]]:
    drift, share = window["drift"], words.coverage(window)
    yield "rows", f"{window['rows']:,}", ""
    yield "labelled", f"{window['labelled']:,}", f"{percent(share)} of the rows" if share is not None else ""
    if window.get("staleness_hours") is not None:
        yield "newest row", f"{number(round(window['staleness_hours'], 1))} h", "before this look"
    if window["judged"]:
        yield "features drifted", f"{len(drift['drifted'])} of {len(drift['features'])}", "confirmed by several windows"
        yield "worst drift", number(drift["worst"]), "in this window; drift from 1"
        yield "most missing", f"+{percent(drift['worst_missing'])}", "more than in the training rows"
        if drift["score"]:
            yield "drift of the answers", number(drift["score"]["severity"]), words.state(drift["score"])
    found = window["quality"]
    if found is None or found["value"] is None:
        yield "quality", "–", words.quality(window)
        return
    kind = "estimate, not measured" if found["estimate"] else f"on {found['rows']:,} labelled rows"
    yield f"{found['metric']}{' (estimate)' if found['estimate'] else ''}", number(found["value"]), kind
    yield "95 % interval", words.interval(found).strip(" ()") or "–", f"better when {_better(found['metric'])}"
    yield "on the holdout", number(found["reference"]), "when this version was trained"
    yield "worse by at least", number(found["drop"]), "0: not significant, or not confirmed"
    money = found.get("money")
    if money:
        yield "money a row", f"{number(money['per_row'])} {money['unit']}", "by the decisions taken"
        yield "money in the window", f"{number(money['total'])} {money['unit']}", f"{found['rows']:,} labelled rows"


def _better(metric: str) -> str:
    return "larger" if metrics.larger_is_better(metric) else "smaller"


def _drift(window: Mapping[str, Any]) -> Iterable[str]:
    features = window["drift"]["features"]
    if not features:
        yield "No feature was compared in this window."
        return
    order = sorted(features, key=lambda one: (not one["drifted"], -(one["severity"] or 0.0), -(one["psi"] or 0.0)))
    score = window["drift"]["score"]
    rows = [_feature({**score, "name": ANSWERS, "importance": None})] if score else []
    rows += [_feature(one) for one in order[:OPEN_ROWS]]
    yield document.table(DRIFT_HEADERS, rows, "drift of each feature")
    if len(order) > OPEN_ROWS:
        rest = document.table(DRIFT_HEADERS, map(_feature, order[OPEN_ROWS:]), "drift of the other features")
        yield document.folded(f"{len(order) - OPEN_ROWS} more features, less severe", rest)
    yield document.paragraph(DRIFT_NOTE, "soft")


def _feature(one: Mapping[str, Any]) -> tuple[document.Cell, ...]:
    return (
        one["name"],
        _marked(one),
        *(_rounded(one[key]) for key in ("severity", "psi", "distance", "p", "corrected")),
        _share(one["missing_before"]),
        _share(one["missing"]),
        _share(one["importance"]),
        _rounded(one.get("permutation")),
        Html(f'<span class="state">{words.moment(one["since"]).removesuffix(" UTC")}</span>')
        if one.get("since")
        else "",
    )


def _marked(one: Mapping[str, Any]) -> str:
    said = words.state(one)
    if said.startswith("drifted"):
        return Html(f'<strong class="bad">▲ {said}</strong>')
    return f"△ {said}" if said.startswith("shifted") else said


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.3g}")


def _share(value: float | None) -> Share | None:
    return None if value is None else Share(value)


def _distributions(window: Mapping[str, Any]) -> Iterable[str]:
    found = [(name, parts) for name, parts in window["distributions"].items() if parts["labels"]]
    if not found:
        yield "Nothing was counted in this window."
        return
    about = {one["name"]: one for one in window["drift"]["features"]}
    about |= {"score": window["drift"]["score"] or {}}
    pictures = [
        document.headed(ANSWERS if name == "score" else name, _shares(parts, about.get(name, {})))
        for name, parts in sorted(found, key=lambda entry: entry[0] != "score")
    ]
    yield document.paragraph("Before: the rows that this version was trained on. Now: this window.", "soft")
    yield document.grid("small", pictures[:OPEN_PICTURES])
    if len(pictures) > OPEN_PICTURES:
        yield document.folded(f"{len(pictures) - OPEN_PICTURES} more", document.grid("small", pictures[OPEN_PICTURES:]))


def _shares(parts: Mapping[str, Any], one: Mapping[str, Any]) -> Html:
    severity = f", severity {number(_rounded(one['severity']))}" if one.get("severity") is not None else ""
    caption = f"{words.state(one)}{severity}" if one else ""
    return charts.shares([str(label) for label in parts["labels"]], parts["before"], parts["now"], caption)


def _history(window: Mapping[str, Any]) -> Iterable[str]:
    history = window["history"]
    if not history:
        yield "This is the first window of this version."
        return
    yield document.grid("charts", [_drift_over_time(history), _quality_over_time(window, history)])
    listed = history[-WINDOWS_LISTED:]
    headers = (
        "look",
        "rows",
        "labelled",
        "features drifted",
        "worst drift",
        "drift of answers",
        "quality",
        "low",
        "high",
    )
    rows = [
        (
            words.moment(e["at"]),
            e["rows"],
            _share(e["coverage"]),
            e["features_drifted"],
            _rounded(e["worst_drift"]),
            _rounded(e["score_drift"]),
            _estimated(e),
            _rounded(e["low"]),
            _rounded(e["high"]),
        )
        for e in reversed(listed)
    ]
    table = document.table(headers, rows, "the windows before this one")
    yield document.folded(f"The last {len(listed)} windows in figures", table)


def _estimated(entry: Mapping[str, Any]) -> document.Cell:
    value = _rounded(entry["quality"])
    return f"{number(value)} estimated" if entry["estimate"] and value is not None else value


def _drift_over_time(history: Sequence[Mapping[str, Any]]) -> Html:
    series = [
        Line(name=name, style=style, points=[Point(at=words.epoch(e["at"]), value=e[key]) for e in history])
        for style, (name, key) in enumerate((("worst feature", "worst_drift"), ("answers", "score_drift")))
    ]
    return over_time(series, "severity", "Drift; a gap is a window that was not judged", [ALERT_AT])


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
    return over_time(kept or series[:1], metric, "Quality with its 95 % interval; a gap has no figure", levels)


def _point(entry: Mapping[str, Any]) -> Point:
    return Point(at=words.epoch(entry["at"]), value=entry["quality"], low=entry["low"], high=entry["high"])


def _gap(entry: Mapping[str, Any]) -> Point:
    return Point(at=words.epoch(entry["at"]), value=None)


def _slices(window: Mapping[str, Any]) -> Iterable[str]:
    slices = window["slices"]
    if not slices:
        yield "No slice has enough labelled rows."
        return
    headers = ("column", "value", "rows", "metric", "in the slice", "overall")
    rows = [(e["column"], str(e["value"]), e["rows"], e["metric"], e["score"], e["overall"]) for e in slices]
    yield document.table(headers, rows, "worst slices")
    yield document.paragraph("Slices of labelled rows of this window on which the model does worst.", "soft")
