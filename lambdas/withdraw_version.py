"""A version that did not pass -> all traffic to the live one, in one call; what failed does not come back by itself."""

from typing import Any

from cloud.functions import Alias
from lambdas import serving_endpoint, wiring
from lambdas.alias_moves import left, move
from lambdas.deployment_record import facts, record
from lambdas.observability import note
from lambdas.standing import said_by
from lifecycle import deployment, ledger, names
from lifecycle.settings import Deploy


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Restore the alias, write why, and tell people."""
    settings = wiring.settings(Deploy)
    planned, published, state = event["plan"], event["published"], event["rollout"]
    before = left(planned, state["weights"])
    live = said_by(before)
    if live is not None:  # before the first model there is nothing to restore
        said = deployment.withdrawn(live, planned["package_arn"], published["code"]).to_description()
        move(settings, before, Alias(version=before.version, description=said, revision="", weights={}))
    detail = {**facts(planned), "version": published["version"], "live": before.version, "reasons": state["reasons"]}
    record(settings, ledger.VERSION_WITHDRAWN, f"{event['execution']}#withdrawn", detail)
    reasons = "\n".join(state["reasons"])
    stays = f"version {live.number} stays live" if live else "no model is live yet"
    again = f"{names.PRODUCT} deploy {settings.model} --package {planned['model_version']}"
    wiring.notices(settings.topic).tell(
        f"[{settings.stage}] {settings.model}: version {planned['model_version']} was rolled back",
        f"{stays}. Version {planned['model_version']} was given up:\n{reasons}\n"
        f"It is not deployed again by itself. To try again: {again}\nExecution: {event['execution']}",
    )
    serving_endpoint.prune(settings)
    note("version withdrawn", version=published["version"], package=planned["package_arn"])
    return {"live": before.version, "withdrawn": published["version"]}
