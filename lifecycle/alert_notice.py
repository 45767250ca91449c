"""What a look found -> which alerts begin and end, and the notice that carries the figures of each feature.

An alarm's own message names a metric and a threshold; it can hold no figures of features (docs/decisions/0080). So
a notice with them goes to the same topic when an alert begins.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lifecycle import monitor_words as words
from lifecycle import names
from lifecycle.charts import TOLD, shortened
from lifecycle.page import number, percent

SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Change:
    """An alert that begins or ends; `number` counts the changes of this alert, so that each is written down once."""

    alert: str
    begins: bool
    number: int

    @property
    def entry_id(self) -> str:
        """The id of the ledger's entry."""
        return f"alert#{self.alert}#{self.number}"


def changes(told: Mapping[str, int], alerts: Collection[str]) -> list[Change]:
    """Return what is to be told. `told` counts what was told of each alert so far: odd while it is on.

    >>> [each.entry_id for each in changes({"drift": 1, "stale": 2}, ["stale"])]
    ['alert#drift#2', 'alert#stale#3']
    """
    found = []
    for alert in names.ALERTS:
        number_before = told.get(alert, 0)
        if (alert in alerts) != bool(number_before % 2):
            found.append(Change(alert, alert in alerts, number_before + 1))
    return found


def subject(window: Mapping[str, Any], begun: Collection[str]) -> str:
    """Return the notice's first line."""
    return f"{window['model']} ({window['stage']}): {', '.join(begun)}"


def text(window: Mapping[str, Any], page: str) -> str:
    """Return the notice: what is wrong, the worst features with their figures, and where to see the rest.

    `page` is where the report lies.
    """
    pictures = window["distributions"]
    lines = [words.wrong(window), ""]
    lines += [f"quality: {words.quality(window)}", f"rows: {window['rows']:,}, labelled: {window['labelled']:,}"]
    features = [one for one in window["drift"]["features"] if one["drifted"] or one["severity"] >= 1.0]
    if features:
        lines += ["", f"The worst of {len(window['drift']['features'])} features, window before {window['until']}:"]
        lines += [_line(one, pictures["features"].get(one["name"])) for one in features[:SHOWN]]
    score = window["drift"]["score"]
    if score:
        lines += ["", _line({**score, "name": words.ANSWERS}, pictures["score"])]
    lines += ["", f"The whole report: perennial monitor {window['model']} --open", f"or {page}"]
    return "\n".join(lines) + "\n"


def _line(one: Mapping[str, Any], shares: Mapping[str, Any] | None) -> str:
    gap = "KS" if one["kind"] == "number" else "half L1"
    figures = f"p {_short(one['corrected'])}, PSI {_short(one['psi'])}, {gap} {_short(one['distance'])}"
    missing = f"missing {percent(one['missing_before'])} before, {percent(one['missing'])} now"
    return f"- {one['name']}: severity {_short(one['severity'])}, {figures}, {missing}{_most(shares)}"


def _most(shares: Mapping[str, Any] | None) -> str:
    """The bar that changed most."""
    if not shares or not shares["labels"]:
        return ""
    bars = list(zip(shares["labels"], shares["before"], shares["now"], strict=True))
    label, before, now = max(bars, key=lambda bar: abs(bar[2] - bar[1]))
    return f", {_told(label)}: {percent(before)} before, {percent(now)} now"


def _told(label: str) -> str:
    """A value as callers sent it, in one line and no longer than a line."""
    return shortened(" ".join(label.split()), TOLD)


def _short(value: float) -> str:
    return number(float(f"{value:.3g}"))
