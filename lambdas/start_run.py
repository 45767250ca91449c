"""Execution input -> whether this execution is a run, and everything its steps need."""

from dataclasses import replace
from typing import Any

from lambdas import wiring
from lambdas.closing import RunCloser
from lambdas.inputs import write_inputs
from lambdas.observability import note
from lambdas.past_runs import past_runs
from lambdas.starting import RunStarter
from lifecycle import keys, runs
from lifecycle.retrain_memory import Memory
from lifecycle.runs import UPLOAD, Asked
from lifecycle.settings import StartRun
from lifecycle.versions import Current


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Decide; a run that goes gets its inputs and its record."""
    settings = wiring.settings(StartRun)
    asked = _with_reason(settings, Asked.from_plain(event["detail"]))
    starter = _starter(settings)
    raw = wiring.bucket(settings.data_bucket).read_json(keys.current(asked.dataset))
    if runs.is_superseded(asked, Current.from_plain(raw) if raw else None):
        starter.closer.unqueue(asked)
        return _stopped("superseded", asked)
    going = starter.start(event["execution"], asked)
    if going.decision != "start":
        return _stopped(going.decision, asked)
    inputs = write_inputs(settings, event, asked, going)
    starter.closer.end_if_closed(event["execution"], going.run_id)
    return inputs


def _with_reason(settings: StartRun, asked: Asked) -> Asked:
    """A version that comes of harvested feedback is run for the reason for which it was harvested."""
    raw = wiring.bucket(settings.artifact_bucket).read_json(keys.monitoring(settings.model, "retraining.json"))
    pending = Memory.from_plain(raw).pending
    if asked.trigger != UPLOAD or asked.rerun or pending is None or not pending.is_due(wiring.now()):
        return asked
    since = [run for run in past_runs(wiring.bucket(settings.artifact_bucket), settings.model) if pending.led_to(run)]
    if any(run.version != asked.version for run in since):
        return asked  # an earlier version was that one
    return replace(asked, reason=pending.reason, trigger=pending.trigger)


def _stopped(decision: str, asked: Asked) -> dict[str, Any]:
    note("run not started", decision=decision, version=asked.version)
    return {"go": False, "decision": decision, "version": asked.version, "dataset": asked.dataset}


def _starter(settings: StartRun) -> RunStarter:
    claims = wiring.claims(settings.claims_table)
    closer = RunCloser(
        stage=settings.stage,
        model=settings.model,
        spec_id=settings.spec_id,
        artifacts=wiring.bucket(settings.artifact_bucket),
        claims=claims,
        ledger=wiring.ledger(settings.ledger_writer),
        executions=wiring.executions(),
        tell=lambda subject, _text: note("run ended unseen", subject=subject),
        now=wiring.now,
    )
    return RunStarter(
        stage=settings.stage,
        model=settings.model,
        spec_id=settings.spec_id,
        claims=claims,
        executions=wiring.executions(),
        closer=closer,
        now=wiring.now,
    )
