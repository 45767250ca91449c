"""Registry, alias and function as they stand -> what to deploy, if anything; and what may be deleted.

An event only says "look": approvals come twice, late and out of order, so what is deployed follows from the state
alone: the newest approved package, with the handler and configuration that the stack asks for.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lifecycle import canonical

FROZEN: Final = ("Role", "Handler", "Runtime", "MemorySize", "Timeout", "Architectures", "TracingConfig", "KMSKeyArn")
PROPERTIES: Final = ("run_id", "data_version", "contract_id", "compiled", "compiled_sha256")


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How things stand: newest approved package, live package and version, whether `$LATEST` differs from live.

    ARNs are None, and `live_version` "", where there is none.
    """

    approved: str | None
    live: str | None
    live_version: str
    changed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What to deploy (None: nothing) and why."""

    package_arn: str | None
    reason: str


def number_of(package_arn: str) -> int:
    """Return a package's version number.

    >>> number_of("arn:aws:sagemaker:us-east-1:123456789012:model-package/perennial-dev-flights/7")
    7
    """
    return int(package_arn.rsplit("/", 1)[1])


def decide(standing: Standing) -> Plan:
    """Return what to deploy: a newer approved package, or the live one again when its code or configuration changed.

    A package older than the live one is never deployed this way: going back is a decision of its own.
    """
    approved, live = standing.approved, standing.live
    if approved is not None and (live is None or number_of(approved) > number_of(live)):
        return Plan(package_arn=approved, reason="a newer model is approved")
    if live is None:
        return Plan(package_arn=None, reason="no model is approved")
    if standing.changed:
        return Plan(package_arn=live, reason="the function's code or configuration changed")
    return Plan(package_arn=None, reason="the newest approved model is live with this code and configuration")


def fingerprint(configuration: Mapping[str, Any]) -> str:
    """Return a hash of what a published version freezes besides its code (GetFunctionConfiguration's answer)."""
    kept = {name: configuration.get(name) for name in FROZEN}
    kept["Environment"] = (configuration.get("Environment") or {}).get("Variables")
    kept["Layers"] = [layer["Arn"] for layer in configuration.get("Layers") or ()]
    kept["EphemeralStorage"] = (configuration.get("EphemeralStorage") or {}).get("Size")
    return canonical.digest(kept)


def release(package_arn: str, properties: Mapping[str, str], asset_key: str) -> dict[str, str]:
    """Return `release.json`, model name aside: which model a published version holds."""
    return {
        "model_version": str(number_of(package_arn)),
        "package_arn": package_arn,
        "run_id": properties["run_id"],
        "data_version": properties["data_version"],
        "contract_id": properties["contract_id"],
        "compiled_sha256": properties["compiled_sha256"],
        "asset_key": asset_key,
    }


def to_prune(versions: Sequence[int], keep: int, needed: Collection[str]) -> list[str]:
    """Return the published versions to delete: all but the newest `keep`, and never one of `needed`.

    >>> to_prune([1, 2, 3, 4, 5], 2, {"1"})
    ['2', '3']
    """
    old = sorted(versions)[: max(0, len(versions) - max(keep, 1))]
    return [str(number) for number in old if str(number) not in needed]
