"""Registry, alias and function as they stand -> what to deploy, if anything; and what may be deleted.

An event only says "look": approvals come twice, late and out of order, so what is deployed follows from the state
alone: the newest approved package, with the handler and configuration that the stack asks for.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from lifecycle import canonical
from lifecycle.live import Live

FROZEN: Final = ("Role", "Handler", "Runtime", "MemorySize", "Timeout", "Architectures", "TracingConfig", "KMSKeyArn")
PROPERTIES: Final = ("run_id", "data_version", "contract_id", "compiled", "compiled_sha256")
OPTIONAL: Final = ("features_sha256", "endpoint", "endpoint_sha256")


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How things stand: the newest approved package, what the alias says is live, and the code that is asked for.

    `approved` is None, and `live_version` "", where there is none. `code` is `code_id` of handler and configuration as
    the stack wants them now.
    """

    approved: str | None
    live: Live | None
    live_version: str
    code: str

    @property
    def changed(self) -> bool:
        """Whether the live version has another handler or configuration than the stack asks for."""
        return self.live is not None and self.live.code != self.code


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

    A package older than the live one is never deployed this way: going back is a decision of its own. Nor is what was
    rolled back from: a package must be newer than all of those, code and configuration must be others.
    """
    approved, live = standing.approved, standing.live
    if approved is not None and number_of(approved) > (max(live.number, live.above or 0) if live else 0):
        return Plan(package_arn=approved, reason="a newer model is approved")
    if live is None:
        return Plan(package_arn=None, reason="no model is approved")
    if standing.changed and standing.code != live.not_code:
        return Plan(package_arn=live.package_arn, reason="the function's code or configuration changed")
    if standing.changed or (approved is not None and number_of(approved) > live.number):
        return Plan(package_arn=None, reason="what is newer was rolled back from; only a person deploys it again")
    return Plan(package_arn=None, reason="the newest approved model is live with this code and configuration")


def code_id(asset_key: str, configuration: Mapping[str, Any]) -> str:
    """Return 8 hex digits that identify a version's handler and configuration, whatever model it holds."""
    return canonical.digest([asset_key, fingerprint(configuration)])[:8]


def gone_live(planned: str, run_id: str, code: str, before: Live | None, place: tuple[str, int]) -> Live:
    """Return what the alias says once package `planned` is promoted; `place` is (version before, epoch seconds).

    Promoting an older package than the live one is a person's word: the newer one does not come back by itself.
    """
    version, since = place
    number = number_of(planned)
    highest = max(before.above or 0, before.number) if before else 0
    refused = before.not_code if before else None
    return Live(
        package_arn=planned,
        run_id=run_id,
        since=since,
        back=version if before else None,
        code=code,
        above=highest if highest > number else None,
        not_code=refused if refused != code else None,
    )


def withdrawn(live: Live, package_arn: str, code: str) -> Live:
    """Return what the alias says once a version that was to go live is given up: it does not come back by itself."""
    if package_arn == live.package_arn:
        return replace(live, not_code=code)
    return replace(live, above=max(live.above or 0, number_of(package_arn)))


def rolled_back(live: Live, target: Live, wanted_code: str, candidate: str | None) -> Live:
    """Return what the alias says once an order brought `target` back (its package, run, code, time and order).

    Neither the packages that were newer (`candidate` is one that had part of the traffic), nor the code and
    configuration that the stack asks for now, if they differ, come back by themselves.
    """
    numbers = [live.number, live.above or 0, number_of(candidate) if candidate else 0]
    highest = max(numbers)
    return replace(
        target,
        above=highest if highest > target.number else None,
        not_code=wanted_code if wanted_code != target.code else None,
    )


def fingerprint(configuration: Mapping[str, Any]) -> str:
    """Return a hash of what a published version freezes besides its code (GetFunctionConfiguration's answer)."""
    kept = {name: configuration.get(name) for name in FROZEN}
    kept["Environment"] = (configuration.get("Environment") or {}).get("Variables")
    kept["Layers"] = [layer["Arn"] for layer in configuration.get("Layers") or ()]
    kept["EphemeralStorage"] = (configuration.get("EphemeralStorage") or {}).get("Size")
    return canonical.digest(kept)


def release(
    package_arn: str, properties: Mapping[str, str], asset_key: str, endpoint: str | None = None
) -> dict[str, str]:
    """Return `release.json`, model name aside: which model a published version holds, and the endpoint it asks."""
    return {
        "model_version": str(number_of(package_arn)),
        "package_arn": package_arn,
        "run_id": properties["run_id"],
        "data_version": properties["data_version"],
        "contract_id": properties["contract_id"],
        "compiled_sha256": properties["compiled_sha256"],
        "asset_key": asset_key,
        **({"endpoint": endpoint} if endpoint else {}),
    }


def to_prune(versions: Sequence[int], keep: int, needed: Collection[str]) -> list[str]:
    """Return the published versions to delete: all but the newest `keep`, and never one of `needed`.

    >>> to_prune([1, 2, 3, 4, 5], 2, {"1"})
    ['2', '3']
    """
    old = sorted(versions)[: max(0, len(versions) - max(keep, 1))]
    return [str(number) for number in old if str(number) not in needed]
