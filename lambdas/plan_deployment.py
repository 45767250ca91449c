"""An approval, or an update of the stack -> what this execution deploys, if anything."""

from typing import Any

from lambdas import wiring
from lambdas.ending import DeploymentCloser
from lambdas.observability import note
from lambdas.standing import plan
from lifecycle import claims, names
from lifecycle.claims import DEPLOY_LEASE_SECONDS, Claim, Refused, Taking
from lifecycle.deployment import PROPERTIES, number_of
from lifecycle.errors import PromotionRejected
from lifecycle.settings import Deploy


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Decide from the state as it is; take the claims of a deployment that goes."""
    settings = wiring.settings(Deploy)
    execution = event["execution"]
    held = _take(settings, execution, {})
    if isinstance(held, Refused):
        return _stopped(f"{held.current.owner} deploys now and looks again when it is done")
    decided, standing, _ = plan(settings)
    if decided.package_arn is None:
        wiring.claims(settings.claims_table).release(held.claim, execution)
        return _stopped(decided.reason)
    properties = _properties(settings, decided.package_arn)
    package = claims.package(decided.package_arn, settings.asset_key)
    _take(settings, execution, {"package": package, "package_arn": decided.package_arn})
    wanted = Taking(claim=package, owner=execution, lease_seconds=DEPLOY_LEASE_SECONDS, again=True)
    wiring.claims(settings.claims_table).take(wanted, wiring.now())
    note("deployment planned", package=decided.package_arn, reason=decided.reason)
    return {
        "go": True,
        "reason": decided.reason,
        "package_arn": decided.package_arn,
        "model_version": str(number_of(decided.package_arn)),
        "previous": standing.live_version,
        **properties,
    }


def _take(settings: Deploy, execution: str, value: dict[str, str]) -> Claim | Refused:
    """Take the model's deployment, from a holder whose execution is over as well."""
    table, executions = wiring.claims(settings.claims_table), wiring.executions()
    name = claims.deploy(settings.model)
    wanted = Taking(claim=name, owner=execution, lease_seconds=DEPLOY_LEASE_SECONDS, value=value)
    taken = table.take(wanted, wiring.now())
    if isinstance(taken, Claim):
        return taken
    outcome = executions.outcome(taken.current.owner)
    if outcome.is_over:
        # its own end was never told to us; it is in the ledger now, and people hear of what this deployment does
        closer = DeploymentCloser(settings=settings, tell=lambda subject, _: note("ended unseen", subject=subject))
        closer.close(taken.current.owner, outcome)
        return table.take(wanted, wiring.now())
    return taken


def _properties(settings: Deploy, package_arn: str) -> dict[str, str]:
    found = wiring.packages(settings.package_group).describe(package_arn).properties
    if missing := [name for name in PROPERTIES if not found.get(name)]:
        raise PromotionRejected(
            f"{package_arn} lacks {', '.join(missing)} in its customer metadata: {names.PRODUCT} did not register it"
        )
    return {name: found[name] for name in (*PROPERTIES, "features_sha256") if name in found}


def _stopped(reason: str) -> dict[str, Any]:
    note("nothing to deploy", reason=reason)
    return {"go": False, "reason": reason}
