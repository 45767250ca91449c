"""A step of a rollout -> its share of the live alias's traffic goes to the new version."""

from typing import Any

from cloud.functions import Alias
from lambdas import wiring
from lambdas.alias_moves import left, move
from lambdas.deployment_record import facts, record
from lambdas.observability import note
from lifecycle import ledger
from lifecycle.rollout import Rollout
from lifecycle.settings import Deploy


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Set the alias's weights; say how long to wait before the step is judged."""
    settings = wiring.settings(Deploy)
    planned, number, state = event["plan"], event["published"]["version"], event["rollout"]
    policy, before = Rollout(**planned["rollout"]), left(planned, state["weights"])
    weights = {number: policy.weight(state["step"])}
    wanted = Alias(version=before.version, description=before.description, revision="", weights=weights)
    move(settings, before, wanted)
    since = state["since"] or int(wiring.now())
    if not state["held"]:
        detail = {**facts(planned), "version": number, "weight": weights[number], "step": state["step"]}
        record(settings, ledger.TRAFFIC_SHIFTED, f"{event['execution']}#shifted#{state['step']}", detail)
    note("traffic shifted", version=number, weight=weights[number], held=state["held"])
    return {**state, "weights": weights, "since": since, "wait_seconds": policy.step_minutes * 60}
