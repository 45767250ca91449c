"""Model monitored -> is the live model worse than the one before it on the rows whose labels are known? If so, go back.

Once a tenure: a model that was gone back to has no version before it (lifecycle.live), so nothing goes to and fro. What
was decided is in a claim before anything moves, so that a function that dies on the way is finished by the next one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import batched
from typing import Any, Final

from lambdas import wiring
from lambdas.deployment_record import record
from lambdas.labelled_log import DAY_HOURS, HOUR, LabelledLog
from lambdas.model_before import Before, before_of, why_waiting
from lambdas.observability import note
from lambdas.rolling_back import Order, roll_back
from lifecycle import claims, ledger
from lifecycle.claims import JUDGING_LEASE_SECONDS, Refused, State, Taking
from lifecycle.errors import Overtaken, PromotionRejected
from lifecycle.feedback_label import Value
from lifecycle.settings import JudgeLive
from lifecycle.tenure_quality import Comparison, Verdict

ROWS: Final = 20_000  # the newest; scoring them takes a few seconds
AT_ONCE: Final = 16  # hours of labels that are asked for together
SECONDS: Final = 240.0  # for reading and scoring; what was compared by then is judged
BY: Final = "monitoring"
KEPT: Final = "not judged"


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Judge; `event` is "Model Monitored". Returns `rolled_back`, `judged` and the reason.

    Raises Unavailable when AWS does not answer; the event comes again, or the next one does.
    """
    settings, owner = wiring.settings(JudgeLive), str(event["id"])
    name, table = claims.judging(settings.model), wiring.claims(settings.claims_table)
    before = table.read(name)
    pending = before.value if before is not None and before.state is State.HELD else {}
    wish = Taking(claim=name, owner=owner, lease_seconds=JUDGING_LEASE_SECONDS, value=pending)
    if isinstance(table.take(wish, wiring.now()), Refused):
        return _kept("somebody else judges the live model now")
    found = _finish(settings, pending) if pending else _judge(settings, owner)
    table.release(name, owner)
    return found


def _judge(settings: JudgeLive, owner: str) -> dict[str, Any]:
    found = why_waiting(settings) or before_of(settings)
    if isinstance(found, str):
        return _kept(found)
    if found.shadow is None:
        return _lasting(settings, found, found.reason)
    verdict, window = _compared(settings, found)
    note("live model judged", judged=verdict.judged, worse=verdict.worse, reason=verdict.reason, **window)
    if verdict.lasting:
        return _lasting(settings, found, verdict.reason)
    if not verdict.worse:
        return {"rolled_back": False, "judged": verdict.judged, "reason": verdict.reason}
    order = Order(identity=found.tenure, by=BY, reason=_told(verdict, window), to=found.back, leaving=found.version)
    evidence = {**found.facts, **verdict.figures, **window, "reason": verdict.reason, "action": "roll back"}
    wish = Taking(
        claim=claims.judging(settings.model),
        owner=owner,
        lease_seconds=JUDGING_LEASE_SECONDS,
        value={"order": asdict(order), "evidence": evidence},
    )
    wiring.claims(settings.claims_table).hold(wish, wiring.now())
    return _finish(settings, wish.value)


def _finish(settings: JudgeLive, decided: Mapping[str, Any]) -> dict[str, Any]:
    """Go back as decided, now or by a function that died since: entries and notice are told once, or again."""
    order = Order(**decided["order"])
    record(settings, ledger.LIVE_JUDGED, f"{order.identity}#worse", decided["evidence"])
    try:
        moved = roll_back(settings, order)
    except (Overtaken, PromotionRejected) as error:
        note("nothing was rolled back", reason=str(error))
        record(settings, ledger.LIVE_JUDGED, f"{order.identity}#kept", {"action": "none", "reason": str(error)})
        return _kept(str(error))
    return {"judged": True, "rolled_back": True, **moved}


def _compared(settings: JudgeLive, found: Before) -> tuple[Verdict, dict[str, Any]]:
    """Compare on the newest labelled rows of the tenure; also tell from when to when they are."""
    spec = wiring.packaged_spec()
    assert found.shadow is not None
    comparison = Comparison(objective=spec.objective, contract=spec.contract)
    first = last = None
    for logged, label in _rows(settings, found, wiring.now() + SECONDS):
        comparison.add(logged, label, found.shadow.answer(logged["row"]))
        at = logged["time"] / 1000
        first, last = min(first or at, at), max(last or at, at)
        if comparison.rows >= ROWS:
            break
    window = {name: None if at is None else wiring.iso(at) for name, at in (("since", first), ("until", last))}
    return comparison.verdict(spec.monitoring.min_labels), window


def _rows(settings: JudgeLive, found: Before, deadline: float) -> Iterator[tuple[Mapping[str, Any], Value]]:
    """Labelled predictions of the live model in its tenure, hour by hour, the newest hours first."""
    log = LabelledLog(
        model=settings.model,
        data=wiring.bucket(settings.data_bucket),
        labels=wiring.labels(settings.labels_table, settings.model),
    )
    oldest = max(found.since, wiring.now() - wiring.packaged_spec().serving.feedback_days * DAY_HOURS * HOUR)
    first_day, today = (int(at // (DAY_HOURS * HOUR)) for at in (oldest, wiring.now()))
    for hours in batched(reversed(log.hours(first_day, today)), AT_ONCE):
        log.load(hours)
        for hour in hours:
            if wiring.now() > deadline:
                return
            yield from _of_tenure(log.labelled(hour, log.labels_of(hour)), found)
        log.forget(hours)


def _of_tenure(
    labelled: Iterator[tuple[dict[str, Any], Value]], found: Before
) -> Iterator[tuple[Mapping[str, Any], Value]]:
    for logged, label in labelled:
        mine = str(logged.get("model_version")) == found.model_version and logged["time"] >= found.since * 1000
        if mine and isinstance(logged.get("row"), dict):
            yield logged, label


def _told(verdict: Verdict, window: Mapping[str, Any]) -> str:
    return f"{verdict.reason}. Predictions of {window['since']} to {window['until']}."


def _lasting(settings: JudgeLive, found: Before, reason: str) -> dict[str, Any]:
    """Say once in a tenure why nobody can tell."""
    detail = {**found.facts, "action": "none", "reason": f"{KEPT}: {reason}"}
    record(settings, ledger.LIVE_JUDGED, f"{found.tenure}#{KEPT}", detail)
    return _kept(reason)


def _kept(reason: str) -> dict[str, Any]:
    note("live model is not judged", reason=reason)
    return {"rolled_back": False, "judged": False, "reason": reason}
