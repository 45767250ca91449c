"""What is approved, what is live and whether the function changed: the state that a deployment follows from."""

from cloud.packages import Package
from lambdas import wiring
from lifecycle import live, names
from lifecycle.deployment import Plan, Standing, decide, fingerprint
from lifecycle.settings import Deploy


def plan(settings: Deploy) -> tuple[Plan, Standing, Package | None]:
    """Return what to deploy, the state it follows from, and the newest approved package."""
    functions = wiring.functions()
    approved = wiring.packages(settings.package_group).newest_approved()
    alias = functions.alias(settings.predict_function, names.LIVE)
    said = live.parse(alias.description) if alias else None
    changed = False
    if alias and said:
        latest = functions.version(settings.predict_function)
        running = functions.version(settings.predict_function, alias.version)
        differs = fingerprint(latest.configuration) != fingerprint(running.configuration)
        changed = differs or latest.code_sha256 != running.code_sha256
    standing = Standing(
        approved=approved.arn if approved else None,
        live=said.package_arn if said else None,
        live_version=alias.version if alias else "",
        changed=changed,
    )
    return decide(standing), standing, approved
