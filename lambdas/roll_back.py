"""A person's order, or an alarm soon after a version went live -> the version before, or the named one, is live."""

from collections.abc import Mapping
from typing import Any

from lambdas import wiring
from lambdas.observability import note
from lambdas.rolling_back import Order, roll_back
from lambdas.standing import alias_of, said_by
from lifecycle import alarms
from lifecycle.settings import Deploy


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Roll back. `event` is an alarm's, or a person's `{"id", "by", "reason", "to"}`.

    `id` is unique per order, so that a call tried again is one order; `to` is a published version, or absent.
    Returns what is live now, and `rolled_back`: false with the reason when an alarm changes nothing.
    """
    settings = wiring.settings(Deploy)
    if event.get("source") == "aws.cloudwatch":
        return _on_alarm(settings, event)
    order = Order(identity=f"rollback#{event['id']}", by=event["by"], reason=event["reason"], to=event.get("to"))
    return {"rolled_back": True, **roll_back(settings, order)}


def _on_alarm(settings: Deploy, event: Mapping[str, Any]) -> dict[str, Any]:
    name = event["detail"]["alarmName"]
    said = str(event["detail"].get("state", {}).get("reason", ""))[:1000]
    order = Order(identity=f"alarm#{event['id']}", by=f"alarm {name}", reason=said or "the alarm was raised")
    alias = alias_of(settings)
    live = said_by(alias)
    if live is not None and live.did == order.did:
        return {"rolled_back": True, **roll_back(settings, order)}
    bake = wiring.packaged_spec().serving.rollout.bake_minutes
    kept = alarms.why_not(event, live, bake, wiring.now())
    if kept is None and alias.weights:
        kept = "a rollout is under way, which is judged by itself"
    if kept is None:
        return {"rolled_back": True, **roll_back(settings, order)}
    note("alarm changes nothing", alarm=name, reason=kept)
    text = f"{said}\nNothing was rolled back by itself: {kept}.\nTo go back: perennial rollback {settings.model}"
    wiring.notices(settings.topic).tell(f"[{settings.stage}] {settings.model}: alarm {name}", text)
    return {"rolled_back": False, "reason": kept}
