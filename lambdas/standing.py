"""What is approved, what is live and what the stack asks for: the state that a deployment follows from."""

from cloud.functions import Alias
from lambdas import wiring
from lifecycle import live, names
from lifecycle.deployment import Plan, Standing, code_id, decide
from lifecycle.errors import PromotionRejected
from lifecycle.live import Live
from lifecycle.settings import Deploy


def plan(settings: Deploy) -> tuple[Plan, Standing]:
    """Return what to deploy, and the state it follows from."""
    approved = wiring.packages(settings.package_group).newest_approved()
    alias = wiring.functions().alias(settings.predict_function, names.LIVE)
    standing = Standing(
        approved=approved.arn if approved else None,
        live=said_by(alias) if alias else None,
        live_version=alias.version if alias else "",
        code=wanted_code(settings),
    )
    return decide(standing), standing


def wanted_code(settings: Deploy) -> str:
    """Return the id of the handler and configuration that the stack asks for now."""
    latest = wiring.functions().version(settings.predict_function)
    return code_id(settings.asset_key, latest.configuration)


def alias_of(settings: Deploy) -> Alias:
    """Return the alias `live`. Raises PromotionRejected when there is none."""
    found = wiring.functions().alias(settings.predict_function, names.LIVE)
    if found is None:
        raise PromotionRejected(
            f"{settings.predict_function} has no alias {names.LIVE}. Deploy the serving stack again."
        )
    return found


def said_by(alias: Alias) -> Live | None:
    """Return what an alias says is live; None before the first model."""
    return live.parse(alias.description)
