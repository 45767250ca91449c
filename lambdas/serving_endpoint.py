"""The endpoint of a planned model -> in service, before a version that names it is published; and away, when unused."""

from collections.abc import Mapping
from typing import Any

from cloud.endpoints import Wanted
from lambdas import wiring
from lambdas.asking import ask
from lambdas.observability import note
from lambdas.standing import alias_of, said_by
from lifecycle import canonical, names
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
    for number in {alias.version, *alias.weights, *([said.back] if said and said.back else [])}:
        described, refused = ask(settings, number)
        if refused:
            note("endpoints kept", version=number, reason=refused)  # it cannot say which one is its own
            return
        needed.add(described.get("endpoint"))
    for name in there:
        if name not in needed:
            wiring.endpoints().delete(name)
            note("endpoint deleted", endpoint=name)
