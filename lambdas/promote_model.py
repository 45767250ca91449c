"""A published version -> the live one: the alias moves, the ledger and the bus learn of it, old versions go."""

from typing import Any

from cloud.functions import Alias
from lambdas import wiring
from lambdas.observability import note
from lifecycle import deployment, ledger, names
from lifecycle.errors import NotReady, PromotionRejected
from lifecycle.ledger import Entry
from lifecycle.live import Live
from lifecycle.settings import Deploy


def handler(event: dict[str, Any], _context: Any) -> dict[str, str]:
    """Move the alias once the version is active. Raises NotReady until then, so that the machine tries again."""
    settings = wiring.settings(Deploy)
    planned, number = event["plan"], event["published"]["version"]
    _require_active(settings, number)
    _move(settings, planned, number)
    detail = {
        "package_arn": planned["package_arn"],
        "model_version": planned["model_version"],
        "run_id": planned["run_id"],
        "version": number,
        "previous": planned["previous"],
        "reason": planned["reason"],
    }
    _record(settings, detail, event["execution"])
    announced = {"stage": settings.stage, "model": settings.model, **detail}
    wiring.events().announce(names.MODEL_LIVE, announced)
    _prune(settings, {number, planned["previous"]})
    note("model live", package=planned["package_arn"], version=number, previous=planned["previous"])
    return {"previous": planned["previous"], "live": number}


def _require_active(settings: Deploy, number: str) -> None:
    version = wiring.functions().version(settings.predict_function, number)
    name = f"{settings.predict_function}:{number}"
    if version.state == "Failed":
        raise PromotionRejected(
            f"{name} failed to start: {version.configuration.get('StateReason', 'no reason given')}"
        )
    if version.state not in ("", "Active"):
        raise NotReady(f"{name} is {version.state}; try again when it is Active")


def _move(settings: Deploy, planned: dict[str, Any], number: str) -> None:
    functions = wiring.functions()
    alias = functions.alias(settings.predict_function, names.LIVE)
    if alias is None:
        raise PromotionRejected(
            f"{settings.predict_function} has no alias {names.LIVE}. Deploy the serving stack again."
        )
    if alias.version not in (planned["previous"], number):
        raise PromotionRejected(
            f"the alias {names.LIVE} went from version {planned['previous']} to {alias.version} since this deployment "
            "was planned. Nothing was changed; look why, then approve or deploy again."
        )
    description = Live(package_arn=planned["package_arn"], run_id=planned["run_id"]).to_description()
    wanted = Alias(version=number, description=description, revision=alias.revision, weights={})
    if alias != wanted:
        functions.point(settings.predict_function, names.LIVE, wanted)


def _record(settings: Deploy, detail: dict[str, Any], execution: str) -> None:
    package = wiring.packages(settings.package_group).describe(detail["package_arn"])
    approval = {"approved_by": package.by, "approval": package.description}
    entry = Entry(
        subject=ledger.model(settings.model),
        kind=ledger.MODEL_LIVE,
        id=f"{execution}#live",
        at=wiring.iso(wiring.now()),
        detail={**detail, **approval},
    )
    wiring.ledger(settings.ledger_writer).record(entry)


def _prune(settings: Deploy, needed: set[str]) -> None:
    functions = wiring.functions()
    versions = [int(version.number) for version in functions.versions(settings.predict_function)]
    keep = wiring.packaged_spec().serving.keep_versions
    for number in deployment.to_prune(versions, keep, needed):
        functions.delete(settings.predict_function, number)
