"""An event, and what buckets, claims and records say -> everything that a decision about a new run rests on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import floor
from typing import Any, Final

from lambdas import wiring
from lambdas.past_runs import past_runs
from lifecycle import claims, keys, names
from lifecycle.retrain_decision import Known, Past, Trigger
from lifecycle.retrain_memory import Memory
from lifecycle.settings import Retrain
from lifecycle.versions import Current

STARTING_SECONDS: Final = 900.0
"""A run that was started has its record, and its claim, after seconds; without them after this, it never came to be."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """Who asks, for which alerts (None: those of the newest look), in which words, and whether budgets do not count.

    `by` is a person's ARN, empty where the loop asks itself.
    """

    trigger: Trigger
    alerts: frozenset[str] | None = None
    said: str = ""
    by: str = ""
    over_budget: bool = False


def asking_of(event: Mapping[str, Any]) -> Asking:
    """Read an alarm's event, the announcement of a look, the schedule's input or a person's order.

    Raises ValueError for anything else.
    """
    detail = event.get("detail", {})
    if event.get("detail-type") == names.MODEL_MONITORED:
        return Asking(trigger=Trigger.LOOK, alerts=frozenset(detail["alerts"]))
    if event.get("detail-type") == names.ALARM_CHANGED:
        raised = frozenset(what for what in names.ALERTS if detail["alarmName"].endswith(f"-{what}"))
        return Asking(trigger=Trigger.ALARM, alerts=raised, said=detail["alarmName"])
    if event.get("trigger") == Trigger.SCHEDULE:
        return Asking(trigger=Trigger.SCHEDULE)
    if event.get("trigger") == Trigger.HAND and event.get("reason"):
        over = bool(event.get("over_budget", False))
        by = str(event.get("by", ""))
        return Asking(trigger=Trigger.HAND, said=str(event["reason"]), by=by, over_budget=over)
    raise ValueError('an order is {"trigger": "hand", "reason": "...", "over_budget": false}')


def known(settings: Retrain, memory: Memory, asking: Asking) -> Known:
    """Return what is known now; labels are not counted yet."""
    spec, now = wiring.packaged_spec(), wiring.now()
    runs = past_runs(wiring.bucket(settings.artifact_bucket), settings.model)
    return Known(
        now=now,
        trigger=asking.trigger,
        alerts=_alerts(settings) if asking.alerts is None else asking.alerts,
        version=newest_version(settings),
        spec_id=settings.spec_id,
        runs=runs,
        starts=memory.starts,
        busy=_busy(settings, memory, runs, now),
        fresh=None,
        look_seconds=spec.monitoring.every_minutes * 60.0,
        over_budget=asking.over_budget,
    )


def newest_version(settings: Retrain) -> str | None:
    """Return the newest version of the model's dataset, None before there is one."""
    raw = wiring.bucket(settings.data_bucket).read_json(keys.current(wiring.packaged_spec().dataset))
    return Current.from_plain(raw).version if raw else None


def _alerts(settings: Retrain) -> frozenset[str]:
    key = keys.monitoring(settings.model, "latest.json")
    latest = wiring.bucket(settings.artifact_bucket).read_json(key)
    return frozenset(latest["alerts"]) if latest else frozenset()


def _busy(settings: Retrain, memory: Memory, runs: list[Past], now: float) -> str | None:
    table = wiring.claims(settings.claims_table)
    for claim, what in ((claims.run(settings.model), "run"), (claims.deploy(settings.model), "deployment")):
        held = table.read(claim)
        if held is not None and held.held_by_other("", now):
            return f"a {what} ({held.value.get('run_id') or held.owner.rsplit(':', 1)[-1]})"
    if memory.starts and now < memory.starts[-1] + STARTING_SECONDS and not came(runs, memory.starts[-1]):
        return "a run that was just started"
    coming = memory.pending
    if coming is not None and coming.is_due(now) and not came(runs, coming.at):
        return "a data version with what feedback taught"
    return None


def came(runs: Iterable[Past], at: float) -> bool:
    """Tell whether a run began since `at` (epoch seconds; records may leave out fractions)."""
    return any(run.started >= floor(at) for run in runs)
