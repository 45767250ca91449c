"""An approval, an update of the stack, or a person's word -> what this execution deploys, if anything."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from lambdas import wiring
from lambdas.deployment_record import facts, record
from lambdas.ending import DeploymentCloser
from lambdas.observability import note
from lambdas.standing import alias_of, plan, said_by, wanted_code
from lifecycle import claims, ledger, names
from lifecycle.claims import DEPLOY_LEASE_SECONDS, Claim, Refused, Taking
from lifecycle.deployment import OPTIONAL, PROPERTIES, Plan, number_of
from lifecycle.errors import PromotionRejected
from lifecycle.settings import Deploy


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Decide from the state as it is; take the claims of a deployment that goes."""
    settings = wiring.settings(Deploy)
    execution, asked = event["execution"], event["detail"]
    held = _take(settings, execution, {})
    if isinstance(held, Refused):
        return _stopped(f"{held.current.owner} deploys now and looks again when it is done")
    decided = _asked_for(settings, asked) if asked.get("by") else plan(settings)[0]
    if decided.package_arn is None:
        wiring.claims(settings.claims_table).release(held.claim, execution)
        return _stopped(decided.reason)
    planned = _planned(settings, decided.package_arn, decided.reason, asked)
    package = claims.package(decided.package_arn, wanted_code(settings))
    _take(settings, execution, {"package": package, "package_arn": decided.package_arn})
    wanted = Taking(claim=package, owner=execution, lease_seconds=DEPLOY_LEASE_SECONDS, again=True)
    wiring.claims(settings.claims_table).take(wanted, wiring.now())
    detail = {**facts(planned), "reason": planned["reason"], "by": planned["by"], "previous": planned["previous"]}
    record(settings, ledger.DEPLOYMENT_STARTED, f"{execution}#started", detail)
    note("deployment planned", package=decided.package_arn, reason=decided.reason)
    return planned


def _planned(settings: Deploy, package_arn: str, reason: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    alias = alias_of(settings)
    said = said_by(alias)
    rollout = wiring.packaged_spec().serving.rollout
    return {
        "go": True,
        # the first model of a function has nobody to be compared with
        "gradual": said is not None and bool(rollout.steps),
        "reason": reason,
        "by": asked.get("by") or "",
        "package_arn": package_arn,
        "model_version": str(number_of(package_arn)),
        "previous": alias.version,
        "rollout": asdict(rollout),
        "alias": {"version": alias.version, "description": alias.description, "weights": dict(alias.weights)},
        **_properties(settings, package_arn),
    }


def _asked_for(settings: Deploy, asked: Mapping[str, Any]) -> Plan:
    """A person names a package: it is deployed, older than the live one or rolled back from or not."""
    package = wiring.packages(settings.package_group).describe(asked["package_arn"])
    if package.approval != "Approved":
        raise PromotionRejected(
            f"{package.arn} is {package.approval}. Approve it first: "
            f"{names.PRODUCT} approve {settings.model} {package.number}"
        )
    return Plan(package_arn=package.arn, reason=str(asked.get("reason") or "asked for by a person"))


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
    return {name: found[name] for name in (*PROPERTIES, *OPTIONAL) if name in found}


def _stopped(reason: str) -> dict[str, Any]:
    note("nothing to deploy", reason=reason)
    return {"go": False, "reason": reason}
