"""What both versions did since the rollout began -> go on, wait, or roll back; every number goes into the ledger."""

from typing import Any

from lambdas import wiring
from lambdas.alias_moves import left, require
from lambdas.deployment_record import facts, record
from lambdas.observability import note
from lifecycle import ledger, names
from lifecycle.arms import Logged, by_version
from lifecycle.prediction_log import FAILURE, PREDICTION
from lifecycle.rollout import Action, Arm, Evidence, Rollout, judge
from lifecycle.settings import JudgeRollout
from lifecycle.spec import Task


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Judge the step; `bad` ends the rollout, `more` goes on with the next step or with this one again."""
    settings = wiring.settings(JudgeRollout)
    planned, number, state = event["plan"], event["published"]["version"], event["rollout"]
    require(settings, left(planned, state["weights"]))
    evidence = _evidence(settings, planned["previous"], number, state)
    policy = Rollout(**planned["rollout"])
    verdict = judge(policy, state["step"], state["held"], evidence)
    detail = {"version": number, "action": str(verdict.action), "reasons": list(verdict.reasons), **verdict.numbers}
    entry = f"{event['execution']}#judged#{state['step']}#{state['held']}"
    record(settings, ledger.ROLLOUT_JUDGED, entry, {**facts(planned), **detail})
    note("rollout judged", version=number, action=str(verdict.action), step=state["step"], held=state["held"])
    holds = verdict.action is Action.HOLD
    return {
        **state,
        "bad": verdict.action is Action.ROLL_BACK,
        "more": holds or verdict.action is Action.NEXT,
        "step": state["step"] + (verdict.action is Action.NEXT),
        "held": state["held"] + 1 if holds else 0,
        "reasons": list(verdict.reasons),
    }


def _evidence(settings: JudgeRollout, live: str, new: str, state: dict[str, Any]) -> Evidence:
    spec, until = wiring.packaged_spec(), wiring.now()
    logged = {live: Logged(), new: Logged()}
    if spec.monitoring.prediction_log:
        log = wiring.predictions(settings.data_bucket, settings.model)
        logged = by_version(log.records(state["since"], until, (PREDICTION, FAILURE)), (live, new))
    arms = {version: _arm(settings, version, found, (state["since"], until)) for version, found in logged.items()}
    return Evidence(
        new=arms[new],
        live=arms[live],
        logged=spec.monitoring.prediction_log,
        classes=spec.contract.task is Task.MULTICLASS,
    )


def _arm(settings: JudgeRollout, version: str, logged: Logged, span: tuple[float, float]) -> Arm:
    calls = wiring.metrics().calls(settings.predict_function, names.LIVE, version, *span)
    return Arm(
        version=version,
        invocations=calls.invocations,
        errors=calls.errors,
        duration_ms=calls.duration_ms,
        rows=logged.rows,
        requests=logged.requests,
        failures=logged.failures,
        scores=logged.scores,
    )
