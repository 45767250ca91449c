"""A version that passed -> the live one: the alias moves in one call, ledger and bus learn of it, old versions go."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cloud.functions import Alias
from lambdas import serving_endpoint, wiring
from lambdas.alias_moves import left, move
from lambdas.deployment_record import facts, record
from lambdas.observability import note
from lambdas.pruning import prune
from lambdas.standing import said_by
from lifecycle import deployment, ledger, names
from lifecycle.live import Live
from lifecycle.settings import Deploy


def handler(event: dict[str, Any], _context: Any) -> dict[str, str]:
    """Move the alias with all its traffic, and say what is live now."""
    settings = wiring.settings(Deploy)
    planned, number = event["plan"], event["published"]["version"]
    _move(settings, planned, event["published"], event["rollout"]["weights"])
    detail = {
        **facts(planned),
        "version": number,
        "previous": planned["previous"],
        "code": event["published"]["code"],
        "reason": planned["reason"],
        "by": planned["by"],
    }
    package = wiring.packages(settings.package_group).describe(planned["package_arn"])
    approval = {"approved_by": package.by, "approval": package.description}
    record(settings, ledger.MODEL_LIVE, f"{event['execution']}#live", {**detail, **approval})
    wiring.events().announce(names.MODEL_LIVE, {"stage": settings.stage, "model": settings.model, **detail})
    prune(settings)
    serving_endpoint.prune(settings)
    note("model live", package=planned["package_arn"], version=number, previous=planned["previous"])
    return {"previous": planned["previous"], "live": number}


def _move(
    settings: Deploy, planned: Mapping[str, Any], published: Mapping[str, str], weights: Mapping[str, float]
) -> None:
    before = left(planned, weights)
    said = _said(planned, published, before)
    wanted = Alias(version=published["version"], description=said.to_description(), revision="", weights={})

    def is_done(found: Alias) -> bool:
        there = said_by(found)
        if there is None or (found.version, found.weights) != (wanted.version, wanted.weights):
            return False
        then = replace(said, since=there.since)  # the move itself may be some seconds old
        return then.to_description() == found.description

    move(settings, before, wanted, is_done)


def _said(planned: Mapping[str, Any], published: Mapping[str, str], before: Alias) -> Live:
    there = said_by(before)
    if there is not None and published["version"] == before.version:
        return replace(there, code=published["code"], not_code=None)  # asked for again: it is live already
    place = (before.version, int(wiring.now()))
    return deployment.gone_live(planned["package_arn"], planned["run_id"], published["code"], there, place)
