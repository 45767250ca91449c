"""A plan -> a published version of the predict function that holds handler and model."""

from typing import Any

from cloud.functions import Version, code_sha256
from lambdas import serving_endpoint, wiring
from lambdas.alias_moves import left, require
from lambdas.observability import note
from lifecycle import deployment, packaging
from lifecycle.errors import NotReady
from lifecycle.settings import Deploy, PublishModel


def handler(event: dict[str, Any], _context: Any) -> dict[str, str]:
    """Build the package and publish it, unless a version holds exactly that already."""
    settings = wiring.settings(PublishModel)
    planned = event["plan"]
    require(settings, left(planned, planned["alias"]["weights"]))
    package = _package(settings, planned, serving_endpoint.need(settings, planned))
    latest = wiring.functions().version(settings.predict_function)
    if latest.update == "InProgress" or latest.state == "Pending":
        raise NotReady(f"{settings.predict_function} is being updated; try again when that is done")
    found = _published(settings, latest, code_sha256(package))
    if found is None:
        found = wiring.functions().publish(settings.predict_function, package, latest.revision)
        note("model published", package=planned["package_arn"], version=found.number, bytes=len(package))
    return {"version": found.number, "code": deployment.code_id(settings.asset_key, found.configuration)}


def _package(settings: Deploy, planned: dict[str, Any], endpoint: str | None = None) -> bytes:
    asset = wiring.bucket(settings.asset_bucket).need(settings.asset_key)
    compiled = wiring.bucket(settings.artifact_bucket).need(planned["compiled"])
    packaging.require_fit(asset, compiled, planned)
    release = deployment.release(planned["package_arn"], planned, settings.asset_key, endpoint)
    return packaging.build(asset, compiled, {"model": settings.model, **release})


def _published(settings: Deploy, latest: Version, wanted: str) -> Version | None:
    configuration = deployment.fingerprint(latest.configuration)
    same = [
        version
        for version in wiring.functions().versions(settings.predict_function)
        if version.code_sha256 == wanted and deployment.fingerprint(version.configuration) == configuration
    ]
    return same[-1] if same else None
