"""A window's figures -> sentences: what is wrong, and what happens next. The same words in page, terminal and alarm.

A window is the JSON that monitoring writes (docs/monitoring.md names its members).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from lifecycle import names
from lifecycle.page import number, percent

NAMED: Final = 3  # features that a sentence names
ANSWERS: Final = "answers of the model"
START, WAIT = "start", "wait"


def tone(window: Mapping[str, Any]) -> str:
    """Return "bad" with an alert, "" when nothing was judged, else "good"."""
    if window["alerts"]:
        return "bad"
    return "good" if window["judged"] else ""


def wrong(window: Mapping[str, Any]) -> str:
    """Return one sentence: what is wrong, or that nothing is, or why nothing can be said."""
    said = {
        names.ALERT_DRIFT: _features(window),
        names.ALERT_SCORES: "the model's answers have shifted",
        names.ALERT_QUALITY: _worse(window),
        names.ALERT_STALE: "no prediction has been logged for too long",
    }
    parts = [said[alert] for alert in names.ALERTS if alert in window["alerts"]]
    if parts:
        sentence = _capital("; ".join(parts))
        return sentence + ("." if window["judged"] else f"; this window itself was not judged: {_reason(window)}.")
    if not window["judged"]:
        return f"Nothing was judged: {_reason(window)}."
    unconfirmed = [one["name"] for one in _severe(window)]
    if unconfirmed:
        return f"No alert. {_named(unconfirmed)} shifted in this window; windows to come confirm that, or do not."
    fine = "no feature has drifted, and the model answers as before"
    found = window.get("quality")
    if found is None or found.get("value") is None:
        return f"No alert: {fine}. How good the answers are is not known: too few labels have come back."
    if found["estimate"]:
        return f"No alert: {fine}. How good the answers are is only estimated: too few labels have come back."
    return f"Nothing is wrong: {fine}; quality is not significantly worse than on the holdout."


def next_step(window: Mapping[str, Any]) -> str:
    """Return one sentence: the decision about a new run, as far as it is known."""
    decided = window.get("retraining")
    if decided is not None:
        return decision(decided)
    if window["alerts"]:
        return f"Next: the decision about a new run follows this look; perennial monitor {window['model']} shows it."
    return "Next: nothing needs doing."


def decision(decided: Mapping[str, Any]) -> str:
    """Return the decision about a new run in words.

    >>> decision({"decision": "wait", "reason": "cooldown", "until": "2026-11-22T10:00:00Z"})
    'Next: a new run waits until 2026-11-22 10:00 UTC: cooldown.'
    """
    because = f": {str(decided['reason']).removesuffix('.')}." if decided.get("reason") else "."
    if decided["decision"] == START:
        return f"Next: a new run was started{because}"
    if decided["decision"] == WAIT:
        until = f" until {moment(decided['until'])}" if decided.get("until") else ""
        return f"Next: a new run waits{until}{because}"
    return f"Next: no new run{because}"


def quality(window: Mapping[str, Any]) -> str:
    """Return the objective's figure with its interval, and what it was on the holdout; why there is none otherwise."""
    found = window.get("quality")
    if found is None or found.get("value") is None:
        return "not known: too few labels have come back, and the answers allow no estimate"
    between = interval(found)
    what = "estimated from the model's own probabilities, not measured" if found["estimate"] else "measured on labels"
    then = f"; {rounded(found['reference'])} on the holdout" if found.get("reference") is not None else ""
    return f"{found['metric']} {rounded(found['value'])}{between}, {what}{then}"


def interval(figures: Mapping[str, Any]) -> str:
    """Return the bounds of an interval, or nothing where there is none.

    >>> interval({"low": 0.25, "high": 0.5}), interval({"low": None, "high": None})
    (' (0.25 to 0.5)', '')
    """
    low, high = figures.get("low"), figures.get("high")
    return "" if low is None or high is None else f" ({rounded(low)} to {rounded(high)})"


def rounded(value: float | None) -> str:
    """Return a figure of which only the first digits are known.

    >>> rounded(0.123456), rounded(None)
    ('0.1235', '–')
    """
    return number(None if value is None else float(f"{value:.4g}"))


def state(feature: Mapping[str, Any], *, judged: bool = True) -> str:
    """Return what is the matter with a feature (or the score): a word or two. `judged`: whether the window was.

    >>> state({"drifted": True, "severity": 0.4, "limit": 0.1}), state({"severity": 2.0, "limit": 0.1})
    ('drifted, fading', 'shifted, unconfirmed')
    """
    severe = (feature.get("severity") or 0.0) >= 1.0
    if feature.get("drifted"):
        return "drifted" if severe else "drifted, fading" if judged else "drifted, not judged now"
    if severe:
        return "shifted, unconfirmed"
    if feature.get("limit", 0.0) is None:
        return "not used by the model" if feature.get("importance") == 0 else "moves on by nature"
    return "as before" if judged else "not judged"


def moment(text: str | None) -> str:
    """Return a time (ISO 8601) for people, in UTC.

    >>> moment("2026-11-21T10:00:59+00:00"), moment(None)
    ('2026-11-21 10:00 UTC', '–')
    """
    if not text:
        return "–"
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def epoch(text: str) -> float:
    """Return a time (ISO 8601; UTC where it names no zone) in epoch seconds."""
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def coverage(window: Mapping[str, Any]) -> float | None:
    """Return the share of rows whose label came back; None without rows."""
    return window["labelled"] / window["rows"] if window["rows"] else None


def _features(window: Mapping[str, Any]) -> str:
    drifted, of = window["drift"]["drifted"], len(window["drift"]["features"])
    if not drifted:
        return "features have drifted"
    verb = "has" if len(drifted) == 1 else "have"
    return f"{len(drifted)} of {of} features {verb} drifted ({_named(drifted)})"


def _worse(window: Mapping[str, Any]) -> str:
    found = window.get("quality")
    if not found or found.get("value") is None or found["estimate"]:  # the alert is of labels that came before
        return "quality is significantly worse than on the holdout"
    by = f", worse by at least {rounded(found['drop'])}" if found.get("drop") else ""
    return (
        f"quality is significantly worse: {found['metric']} {rounded(found['value'])} instead of "
        f"{rounded(found['reference'])} on the holdout{by}"
    )


def _severe(window: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for one in window["drift"]["features"] if (one.get("severity") or 0.0) >= 1.0]


def _reason(window: Mapping[str, Any]) -> str:
    notes = window["notes"]
    return str(notes[0]).removesuffix(".") if notes else f"{window['rows']:,} rows came in, too few"


def _named(found: Sequence[str]) -> str:
    more = len(found) - NAMED
    return _listed([*found[:NAMED], *([f"{more} more"] if more > 0 else [])])


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def labelled(window: Mapping[str, Any]) -> str:
    """Return how many rows have a label, and which share that is.

    >>> labelled({"rows": 200, "labelled": 50})
    '50 (25 %)'
    """
    share = coverage(window)
    return f"{window['labelled']:,}" + ("" if share is None else f" ({percent(share)})")
