"""A window of monitoring -> its report, one page: what is wrong, what happens next, and every figure behind it.

`page` takes the JSON that monitoring writes (docs/monitoring.md); members that are null say so in words.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from lifecycle import charts, metrics
from lifecycle import monitor_words as words
from lifecycle import page as document
from lifecycle.monitor_history import over_time
from lifecycle.page import Html, Section, number, percent, rounded, share

OPEN_ROWS: Final = 20  # features whose row is seen without unfolding
OPEN_PICTURES: Final = 12
DRIFT_HEADERS: Final = (
    "feature", "state", "severity", "PSI", "largest gap", "p", "p, corrected", "missing before", "missing now",
    "importance", "score moves when shuffled", "since (UTC)",
)  # fmt: skip
DRIFT_NOTE: Final = (
    "Severity is the shift over what is allowed for this feature: 1 and more is drift, 0 where chance explains it. PSI "
    "compares shares in ten bins of the training rows, the largest gap is between the cumulated shares (categories: "
    "half of all differences). The corrected p allows for all features asked together. Importance is the feature's "
    "part in the score in training; beside it, how far the score moves on average when this feature's values in the "
    "window are dealt out anew."
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
        ("Over time", list(over_time(window))),
        ("Worst slices", list(_slices(window))),
    ]
    return document.render(title, sections)


def _subject(window: Mapping[str, Any]) -> Html:
    version, run = window["model_version"], window["run_id"]
    live = f"Version {version} (run {run}, stage {window['stage']})" if run else f"No version, stage {window['stage']}"
    return document.paragraph(
        f"{live}; rows from {words.moment(window['since'])} to {words.moment(window['until'])}, "
        f"looked at {words.moment(window['at'])}.",
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
        yield "worst drift", number(rounded(drift["worst"], 3)), "in this window; drift from 1"
        yield "most missing", f"+{percent(drift['worst_missing'])}", "more than in the training rows"
        answers = _answers(window)
        if answers:
            yield "drift of the answers", number(rounded(answers["severity"], 3)), words.state(answers)
    found = window["quality"]
    if found is None or found["value"] is None:
        yield "quality", "–", words.quality(window)
        return
    kind = "estimate, not measured" if found["estimate"] else f"on {found['rows']:,} labelled rows"
    yield f"{found['metric']}{' (estimate)' if found['estimate'] else ''}", words.rounded(found["value"]), kind
    yield "95 % interval", words.interval(found).strip(" ()") or "–", f"better when {_better(found['metric'])}"
    yield "on the holdout", words.rounded(found["reference"]), "when this version was trained"
    yield "worse by at least", words.rounded(found["drop"]), "0: not significant, or not confirmed"
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
    answers = _answers(window)
    rows = [_feature(answers, window)] if answers else []
    rows += [_feature(one, window) for one in order[:OPEN_ROWS]]
    yield document.table(DRIFT_HEADERS, rows, "drift of each feature")
    if len(order) > OPEN_ROWS:
        rest = [_feature(one, window) for one in order[OPEN_ROWS:]]
        folded = document.table(DRIFT_HEADERS, rest, "drift of the other features")
        yield document.folded(f"{len(order) - OPEN_ROWS} more features, less severe", folded)
    yield document.paragraph(DRIFT_NOTE, "soft")


def _feature(one: Mapping[str, Any], window: Mapping[str, Any]) -> tuple[document.Cell, ...]:
    return (
        one["name"],
        _marked(words.state(one, judged=window["judged"])),
        *(rounded(one[key], 3) for key in ("severity", "psi", "distance")),
        *(rounded(one[key], 2) for key in ("p", "corrected")),
        share(one["missing_before"]),
        share(one["missing"]),
        share(one["importance"]),
        rounded(one.get("permutation"), 3),
        Html(f'<span class="state">{words.moment(one["since"]).removesuffix(" UTC")}</span>')
        if one.get("since")
        else "",
    )


def _answers(window: Mapping[str, Any]) -> dict[str, Any]:
    """The score as a feature among the others; it has no importance. Empty where there is none."""
    score = window["drift"]["score"]
    return {**score, "name": words.ANSWERS, "importance": None} if score else {}


def _marked(said: str) -> str:
    if said.startswith("drifted"):
        return Html(f'<strong class="bad">▲ {said}</strong>')
    return f"△ {said}" if said.startswith("shifted") else said


def _distributions(window: Mapping[str, Any]) -> Iterable[str]:
    shown = window["distributions"]
    about = {one["name"]: one for one in window["drift"]["features"]}
    found = [(words.ANSWERS, shown["score"], _answers(window))] if shown["score"] else []
    found += [(name, parts, about.get(name, {})) for name, parts in shown["features"].items()]
    pictures = [document.headed(name, _shares(parts, one, window)) for name, parts, one in found if parts["labels"]]
    if not pictures:
        yield "Nothing was counted in this window."
        return
    yield document.paragraph(
        "Before: the rows that this version was trained on (answers: its holdout). Now: this window.", "soft"
    )
    yield document.grid("small", pictures[:OPEN_PICTURES])
    if len(pictures) > OPEN_PICTURES:
        yield document.folded(f"{len(pictures) - OPEN_PICTURES} more", document.grid("small", pictures[OPEN_PICTURES:]))


def _shares(parts: Mapping[str, Any], one: Mapping[str, Any], window: Mapping[str, Any]) -> Html:
    severity = f", severity {number(rounded(one['severity'], 3))}" if one.get("severity") and window["judged"] else ""
    caption = words.state(one, judged=window["judged"]) + severity if one else ""
    return charts.shares([str(label) for label in parts["labels"]], parts["before"], parts["now"], caption)


def _slices(window: Mapping[str, Any]) -> Iterable[str]:
    slices = window["slices"]
    if not slices:
        yield "No slice has enough labelled rows."
        return
    headers = ("column", "value", "rows", "metric", "in the slice", "overall")
    rows = [
        (e["column"], charts.shortened(str(e["value"]), charts.TOLD), e["rows"], e["metric"], e["score"], e["overall"])
        for e in slices
    ]
    yield document.table(headers, rows, "worst slices")
    yield document.paragraph("Slices of labelled rows of this window on which the model does worst.", "soft")
