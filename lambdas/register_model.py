"""A scorecard -> a model package with the gate's verdict and its reasons; approved at once where the stage says so."""

from datetime import datetime
from typing import Any

from lambdas import wiring
from lambdas.observability import note
from lifecycle import gate, keys, ledger, registration, replay
from lifecycle.ledger import Entry
from lifecycle.registration import Approval, Registration
from lifecycle.runs import UPLOAD
from lifecycle.settings import RegisterModel


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Register the winner of a run, once."""
    settings = wiring.settings(RegisterModel)
    spec = wiring.spec(settings.spec_id)
    artifacts = wiring.bucket(settings.artifact_bucket)
    run_id = event["run_id"]
    scorecard = artifacts.need_json(keys.run(settings.model, run_id, "evaluation", "scorecard.json"))
    record = artifacts.need_json(keys.run_record(settings.model, run_id))
    verdict = gate.decide(scorecard, spec.gates, must_improve=record.get("trigger", UPLOAD) != UPLOAD)
    if spec.gates.replay is not None:
        seen = artifacts.need_json(keys.run(settings.model, run_id, "evaluation", "replay.json"))
        verdict = gate.together(verdict, replay.judge(seen, spec.gates.replay))
    decided = registration.decide(verdict.approved, verdict.reasons, settings.approval)
    parts = {
        "image": settings.image,
        "artifacts": artifacts.uri(""),
        "version": event["version"],
        "scorecard": scorecard,
        "registration": decided,
    }
    arn, status = _register(settings, registration.request(spec, run_id, parts), decided, record)
    found = {"package": arn, "status": status, "reasons": list(verdict.reasons)}
    record["registration"] = {**found, "passed": verdict.approved}
    artifacts.write_json(keys.run_record(settings.model, run_id), record)
    _record(settings, event, {**found, "passed": verdict.approved})
    note("model registered", run_id=run_id, package=arn, status=status)
    return found


def _register(
    settings: RegisterModel, request: dict[str, Any], decided: Registration, record: dict[str, Any]
) -> tuple[str, str]:
    """Create the package unless an earlier try did, then approve it if that is decided and nobody decided before."""
    packages = wiring.packages(settings.package_group)
    since = datetime.fromisoformat(record["started_at"]).timestamp()
    found = packages.of_run(record["run_id"], since)
    arn = found.arn if found else packages.create(request, registration.client_token(record["run_id"]))
    status = found.approval if found else str(decided.first)
    if decided.then is Approval.APPROVED and status == Approval.PENDING:
        packages.decide(arn, str(decided.then), decided.reason)
        status = str(decided.then)
    return arn, status


def _record(settings: RegisterModel, event: dict[str, Any], found: dict[str, Any]) -> None:
    entry = Entry(
        subject=ledger.model(settings.model),
        kind=ledger.CANDIDATE_REGISTERED,
        id=f"{event['run_id']}#registered",
        at=wiring.iso(wiring.now()),
        detail={"run_id": event["run_id"], "version": event["version"], **found},
    )
    wiring.ledger(settings.ledger_writer).record(entry)
