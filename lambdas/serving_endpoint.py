"""The endpoint of a planned model -> in service, before a version that names it is published; and away, when unused."""

from collections.abc import Mapping
from typing import Any

from cloud.endpoints import Wanted
from lambdas import wiring
from lambdas.asking import ask
from lambdas.observability import note
from lambdas.standing import alias_of, said_by
from lifecycle import canonical, names
from lifecycle.errors import NotReady, PromotionRejected
from lifecycle.settings import Deploy, PublishModel


def need(settings: PublishModel, planned: Mapping[str, Any]) -> str | None:
    """Return the name of the model's endpoint, in service; None when Lambda scores it. Raises NotReady until it is."""
    if not planned.get("endpoint"):
        return None
    size = wiring.packaged_spec().serving.serverless
    number = planned["model_version"]
    made_of = canonical.digest([planned["endpoint_sha256"], size.memory_mb, size.max_concurrency])
    name = f"{names.endpoints(settings.stage, settings.model)}{number}-{made_of[:8]}"
    wiring.endpoints().need(
        Wanted(
            name=name,
            image=settings.image,
            archive=wiring.bucket(settings.artifact_bucket).uri(planned["endpoint"]),
            role_arn=settings.endpoint_role,
            size={"MemorySizeInMB": size.memory_mb, "MaxConcurrency": size.max_concurrency},
            tags=[
                {"Key": names.TAG_STAGE, "Value": settings.stage},
                {"Key": names.TAG_MODEL, "Value": settings.model},
            ],
        )
    )
    return name


def prune(settings: Deploy) -> None:
    """Delete endpoints that neither the live version nor the way back names."""
    there = wiring.endpoints().names(names.endpoints(settings.stage, settings.model))
    if not there:
        return
    alias = alias_of(settings)
    said = said_by(alias)
    needed = set()
    # before the first model the live version holds none, so that none of the endpoints is its own
    numbers = {alias.version, *alias.weights, *([said.back] if said.back else [])} if said else set()
    for number in numbers:
        described, refused = ask(settings, number)
        if refused:
            note("endpoints kept", version=number, reason=refused)  # it cannot say which one is its own
            return
        needed.add(described.get("endpoint"))
    for name in there:
        if name not in needed:
            _delete(name)


def require(described: Mapping[str, Any]) -> None:
    """Raise PromotionRejected when a version, described by itself, names an endpoint that is not in service."""
    name = described.get("endpoint")
    if name is None:
        return
    status, _ = wiring.endpoints().status(name)
    if status != "InService":
        raise PromotionRejected(
            f"model version {described['model_version']} is served by endpoint {name}, which is {status or 'deleted'}. "
            f"To have it made again: {names.PRODUCT} deploy {described['model']} --package {described['model_version']}"
        )


def _delete(name: str) -> None:
    try:
        wiring.endpoints().delete(name)
    except NotReady as error:
        note("endpoint kept", endpoint=name, reason=str(error))  # the next deployment finds it again
    else:
        note("endpoint deleted", endpoint=name)
