"""An alarm, a look of monitoring, the schedule or a person -> a run that is started, or why not (yet).

One decision at a time for a model; whoever comes meanwhile is told so, and asks again with the next look. What is to
be started is remembered before it is, so that a function that dies on the way is finished by the next one.
"""

from dataclasses import replace
from typing import Any, Final

from lambdas import wiring
from lambdas.harvesting import Harvest, harvesting
from lambdas.observability import note
from lambdas.retraining_facts import Asking, asking_of, known, newest_version
from lambdas.retraining_starts import Starts
from lifecycle import claims, names
from lifecycle.claims import RETRAIN_LEASE_SECONDS, Refused, Taking
from lifecycle.errors import NotReady
from lifecycle.retrain_decision import START, UNCALLED, WAIT, Decision, Trigger, decide
from lifecycle.settings import Retrain

MEANWHILE_SECONDS: Final = 60.0  # most decisions take seconds


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Decide; returns `decision`, `reason`, `until` (ISO 8601, or None) and `execution` (its name, or None).

    Raises Throttled or Unavailable when AWS does not answer; the event comes again, or the next look asks.
    """
    settings = wiring.settings(Retrain)
    owner = context.aws_request_id if context else str(event.get("id", "by hand"))
    table, name = wiring.claims(settings.claims_table), claims.retrain(settings.model)
    wish = Taking(claim=name, owner=owner, lease_seconds=RETRAIN_LEASE_SECONDS)
    if isinstance(table.take(wish, wiring.now()), Refused):
        return _meanwhile(event)
    try:
        starts = Starts.of(settings)
        starts.carry_out()
        with harvesting(settings) as harvest:
            if starts.is_interrupted:
                _learn(settings, starts, harvest)
            found = _decided(settings, starts, harvest, event)
    finally:
        table.release(name, owner)
    note("retraining decided", **found)
    return found


def _decided(settings: Retrain, starts: Starts, harvest: Harvest, event: dict[str, Any]) -> dict[str, Any]:
    if event.get("detail-type") == names.VERSION_CUT:
        started = starts.cut(event["detail"])
        return answer(Decision(what=START if started else WAIT, reason="harvested rows became a version"), started)
    asking = asking_of(event)
    decision = _decision(settings, starts, harvest, asking)
    if decision.rule == UNCALLED and starts.memory.owed:
        asking = Asking(trigger=Trigger.SCHEDULE)
        decision = _decision(settings, starts, harvest, asking)
    if decision.what == START:
        return answer(decision, _start(settings, starts, harvest, asking, decision))
    starts.tell(asking, decision)
    if asking.trigger is Trigger.SCHEDULE:
        starts.owe(owed=decision.what == WAIT)
    return answer(decision)


def _meanwhile(event: dict[str, Any]) -> dict[str, Any]:
    """Answer while another decision is being made. What nobody would ask again comes back by itself."""
    if event.get("detail-type") == names.VERSION_CUT or event.get("trigger") == Trigger.SCHEDULE:
        raise NotReady("another decision about this model is just being made; try again in a minute")
    reason = "another decision about this model is just being made"
    return answer(Decision(what=WAIT, reason=reason, until=wiring.now() + MEANWHILE_SECONDS))


def _decision(settings: Retrain, starts: Starts, harvest: Harvest, asking: Asking) -> Decision:
    """Decide; labels are counted only when nothing else stands in the way, since counting reads the log."""
    rules, facts = wiring.packaged_spec().retraining, known(settings, starts.memory, asking)
    if not rules.learn_from_feedback:
        return decide(facts, rules)
    supposed = decide(replace(facts, fresh=rules.min_new_labels), rules)
    if supposed.what != START:
        return supposed
    return decide(replace(facts, fresh=harvest.count().rows), rules)


def _start(settings: Retrain, starts: Starts, harvest: Harvest, asking: Asking, decision: Decision) -> str | None:
    if not wiring.packaged_spec().retraining.learn_from_feedback:
        return starts.start(asking, decision)
    starts.expect(asking, decision, newest_version(settings))
    return _learn(settings, starts, harvest)


def _learn(settings: Retrain, starts: Starts, harvest: Harvest) -> str | None:
    """Upload what feedback taught; the version that is cut of it starts the run. Without any, start it: its name.

    A function that died may have uploaded it: then rows are in no version although nothing is left to upload, or they
    became one already, which uploads start a run on.
    """
    harvested, coming = harvest.upload(), starts.memory.pending
    became = coming is not None and newest_version(settings) != coming.version
    if harvested.keys or harvested.rows or (became and wiring.packaged_spec().retraining.on_upload):
        starts.uploaded()
        return None
    return starts.start_expected()


def answer(decision: Decision, execution: str | None = None) -> dict[str, Any]:
    """Return a decision as the function's answer."""
    until = None if decision.until is None else wiring.iso(decision.until)
    return {"decision": decision.what, "reason": decision.reason, "until": until, "execution": execution}
