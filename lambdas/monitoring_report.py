"""A window file and its figures -> S3, CloudWatch, ledger, topic and event bus, in an order that heals.

The judgement is stored first, so a metric store that refuses costs no look. What was told is remembered last: a run
that dies in between tells again, the ledger by the same entry (once), people perhaps twice.
"""

import json
from datetime import datetime
from typing import Any

from lambdas import wiring
from lifecycle import alert_notice, keys, ledger, monitor_figures, monitor_page, names
from lifecycle.alert_notice import Change
from lifecycle.ledger import Entry
from lifecycle.monitor_figures import Figure
from lifecycle.settings import Monitor


def publish(settings: Monitor, window: dict[str, Any], figures: list[Figure]) -> str:
    """Store a window and tell of it; return its key.

    Raises Unavailable or Throttled when something does not take it; the next look publishes anew.
    """
    at = datetime.fromisoformat(window["at"])
    key = keys.monitoring(settings.model, "windows", f"{at:%Y-%m-%dT%H%M}.json")
    kept = wiring.bucket(settings.artifact_bucket)
    shown = {name: value for name, value in window.items() if name != "memory"}
    kept.write_json(key, shown)
    kept.write(_page(key), monitor_page.page(shown).encode())
    _remember(settings, window)
    # stamped now: a look may take so long that its alarms would not see values of when it began
    data = monitor_figures.metric_data(figures, stage=settings.stage, model=settings.model, at=wiring.now())
    wiring.metrics().publish(names.METRIC_NAMESPACE, data)
    _tell(settings, window, key)
    labelled = 0 if window["quality"] is None or window["quality"]["estimate"] else window["quality"]["rows"]
    facts = {"stage": settings.stage, "model": settings.model, "at": window["at"], "alerts": window["alerts"]}
    wiring.events().announce(names.MODEL_MONITORED, {**facts, "window": key, "labelled": labelled})
    return key


def _page(key: str) -> str:
    return key.removesuffix(".json") + ".html"


def _remember(settings: Monitor, window: dict[str, Any]) -> None:
    latest = keys.monitoring(settings.model, "latest.json")
    wiring.bucket(settings.artifact_bucket).write(latest, json.dumps(window, allow_nan=False).encode())


def _tell(settings: Monitor, window: dict[str, Any], key: str) -> None:
    told = window["memory"]["told"]
    changes = alert_notice.changes(told, window["alerts"])
    if not changes:
        return
    for change in changes:
        wiring.ledger(settings.ledger_writer).record(_entry(settings, window, key, change))
    begun = [change.alert for change in changes if change.begins]
    if begun:
        subject = alert_notice.subject(window, begun)
        page = f"s3://{settings.artifact_bucket}/{_page(key)}"
        wiring.notices(settings.topic).tell(subject, alert_notice.text(window, page))
    told |= {change.alert: change.number for change in changes}
    _remember(settings, window)


def _entry(settings: Monitor, window: dict[str, Any], key: str, change: Change) -> Entry:
    drift, quality = window["drift"], window["quality"] or {}
    detail = {
        "alert": change.alert,
        "window": key,
        "run_id": window["run_id"],
        "model_version": window["model_version"],
        "drifted": drift["drifted"][: alert_notice.SHOWN],
        "score": drift["score"]["severity"] if drift["score"] else None,
        "quality": {name: quality.get(name) for name in ("metric", "value", "low", "high", "reference", "drop")},
        "staleness_hours": window["staleness_hours"],
    }
    kind = ledger.ALERT_BEGUN if change.begins else ledger.ALERT_ENDED
    return Entry(subject=ledger.model(settings.model), kind=kind, id=change.entry_id, at=window["at"], detail=detail)
