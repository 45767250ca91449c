"""A schedule -> one look at a model's traffic: hours counted, drift and quality judged, told to whoever must know.

What can fail is ordered so that a run that dies is healed by the next one: files say what they were made from, the
judgement is stored before it is told, and what was told is stored last.
"""

from typing import Any, Final

from lambdas import wiring
from lambdas.monitoring_report import publish
from lambdas.monitoring_window import look
from lambdas.observability import note
from lifecycle import claims
from lifecycle.claims import MONITOR_LEASE_SECONDS, Refused, Taking
from lifecycle.settings import Monitor

RESERVE_SECONDS: Final = 300.0
"""What a run keeps for everything after the log is read; without it no further hour is begun."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Look at the model's traffic once; a second run at the same time does nothing."""
    settings = wiring.settings(Monitor)
    owner = context.aws_request_id if context else str(event.get("id", "by hand"))
    held = wiring.claims(settings.claims_table)
    claim = claims.monitor(settings.model)
    taken = held.take(Taking(claim=claim, owner=owner, lease_seconds=MONITOR_LEASE_SECONDS), wiring.now())
    if isinstance(taken, Refused):
        note("monitor is at work", by=taken.current.owner)
        return {"monitored": False, "reason": f"another look has been going on since attempt {taken.current.attempt}"}
    try:
        window, figures = look(settings, lambda: _has_time(context))
        key = publish(settings, window, figures)
    finally:
        held.release(claim, owner)
    note("model monitored", rows=window["rows"], labelled=window["labelled"], alerts=window["alerts"])
    return {"monitored": True, "window": key, "alerts": window["alerts"], "notes": window["notes"]}


def _has_time(context: Any) -> bool:
    return context is None or context.get_remaining_time_in_millis() / 1000 > RESERVE_SECONDS
