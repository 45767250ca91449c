"""Published versions and aliases."""

from dataclasses import replace
from typing import Any

from local.api import ApiError, Caller, Operations
from local.functions.model import LATEST, Alias, Function, Release
from local.functions.registry import Parameters, Registry, check_revision, new_revision, refuse_unknown

PENDING_SECONDS = 0.3
"""Engine time until a published version is Active. On AWS it takes about as long as it takes to fetch the code."""


def publish(registry: Registry, function: Function) -> Release:
    """Publish $LATEST and return the version; the newest one when nothing has changed since (as Lambda does)."""
    newest = function.versions.get(str(function.last_version))
    latest = function.latest
    if newest and (newest.code, newest.configuration) == (latest.code, latest.configuration):
        return newest
    function.last_version += 1
    now = registry.clock.now()
    version = replace(
        latest,
        version=str(function.last_version),
        revision=new_revision(),
        modified_at=now,
        ready_at=now + PENDING_SECONDS,
    )
    function.versions[version.version] = version
    return version


class Versions:
    """The operations on versions and aliases."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def operations(self) -> Operations:
        """Return the intercepts."""
        return {
            ("lambda", "PublishVersion"): self._publish,
            ("lambda", "ListVersionsByFunction"): self._list,
            ("lambda", "CreateAlias"): self._create_alias,
            ("lambda", "GetAlias"): self._get_alias,
            ("lambda", "UpdateAlias"): self._update_alias,
            ("lambda", "DeleteAlias"): self._delete_alias,
        }

    def _publish(self, parameters: Parameters, _: Caller) -> dict[str, Any]:
        with self._registry.lock:
            function = self._registry.function(parameters["FunctionName"])
            refuse_unknown("PublishVersion", parameters, ("FunctionName",))
            return self._registry.answer(publish(self._registry, function))

    def _list(self, parameters: Parameters, _: Caller) -> dict[str, Any]:
        with self._registry.lock:
            function = self._registry.function(parameters["FunctionName"])
            releases = [function.latest, *function.versions.values()]
            return {"Versions": [self._registry.answer(release) for release in releases]}

    def _create_alias(self, parameters: Parameters, _: Caller) -> dict[str, Any]:
        with self._registry.lock:
            function = self._registry.function(parameters["FunctionName"])
            name = parameters["Name"]
            if name in function.aliases:
                raise ApiError("ResourceConflictException", f"Alias already exists: {function.arn(name)}", 409)
            alias = Alias(
                name=name,
                version=parameters["FunctionVersion"],
                description=parameters.get("Description", ""),
                weights=_weights(parameters) or {},
                revision=new_revision(),
            )
            self._check(function, alias)
            function.aliases[name] = alias
            return _answer(function, alias)

    def _get_alias(self, parameters: Parameters, _: Caller) -> dict[str, Any]:
        with self._registry.lock:
            function = self._registry.function(parameters["FunctionName"])
            return _answer(function, self._registry.alias(function, parameters["Name"]))

    def _update_alias(self, parameters: Parameters, _: Caller) -> dict[str, Any]:
        with self._registry.lock:
            function = self._registry.function(parameters["FunctionName"])
            old = self._registry.alias(function, parameters["Name"])
            check_revision(parameters, old.revision)
            weights = _weights(parameters)
            alias = Alias(
                name=old.name,
                version=parameters.get("FunctionVersion", old.version),
                description=parameters.get("Description", old.description),
                # an update without RoutingConfig keeps the old weights
                weights=old.weights if weights is None else weights,
                revision=new_revision(),
            )
            self._check(function, alias)
            function.aliases[old.name] = alias
            return _answer(function, alias)

    def _check(self, function: Function, alias: Alias) -> None:
        """Refuse versions that do not exist and routing that Lambda does not allow."""
        for version in (alias.version, *alias.weights):
            if version != LATEST and version not in function.versions:
                raise ApiError("ResourceNotFoundException", f"Function not found: {function.arn(version)}", 404)
        wrong = None
        if len(alias.description) > 256:
            wrong = "Description must have length less than or equal to 256"
        elif len(alias.weights) > 1:
            wrong = "Number of items in AdditionalVersionWeights cannot be greater than 1"
        elif alias.weights and (alias.version == LATEST or LATEST in alias.weights):
            wrong = "$LATEST is not supported for an alias pointing to more than 1 version"
        elif alias.version in alias.weights:
            wrong = f"Invalid function version {alias.version}. Function version {alias.version} is already included."
        elif any(not 0 <= weight <= 1 for weight in alias.weights.values()):
            wrong = "A weight in AdditionalVersionWeights must be between 0 and 1"
        elif len({self._registry.release(function, v).configuration.role for v in (alias.version, *alias.weights)}) > 1:
            wrong = "The two versions of an alias must have the same execution role"
        if wrong:
            raise ApiError("InvalidParameterValueException", wrong)

    def _delete_alias(self, parameters: Parameters, _: Caller) -> dict[str, Any]:
        with self._registry.lock:
            self._registry.function(parameters["FunctionName"]).aliases.pop(parameters["Name"], None)
        return {}


def _weights(parameters: Parameters) -> dict[str, float] | None:
    routing = parameters.get("RoutingConfig")
    return None if routing is None else dict(routing.get("AdditionalVersionWeights") or {})


def _answer(function: Function, alias: Alias) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "AliasArn": function.arn(alias.name),
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RevisionId": alias.revision,
    }
    return answer | ({"RoutingConfig": {"AdditionalVersionWeights": dict(alias.weights)}} if alias.weights else {})
