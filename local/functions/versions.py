"""Published versions and aliases."""

from dataclasses import replace
from typing import Any

from local.api import ApiError, Caller, Operations
from local.functions.model import LATEST, Alias, Function, Release, invalid_value
from local.functions.registry import Parameters, Registry, check_revision, new_revision, not_found, refuse_unknown
from local.functions.routing import asked_weights, check

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
                revision=new_revision(),
                weights=asked_weights(parameters, {}),
            )
            _check(function, alias)
            function.assign(alias)
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
            alias = Alias(
                name=old.name,
                version=parameters.get("FunctionVersion", old.version),
                description=parameters.get("Description", old.description),
                revision=new_revision(),
                weights=asked_weights(parameters, old.weights),
            )
            _check(function, alias)
            function.assign(alias)
            return _answer(function, alias)

    def _delete_alias(self, parameters: Parameters, _: Caller) -> dict[str, Any]:
        with self._registry.lock:
            self._registry.function(parameters["FunctionName"]).aliases.pop(parameters["Name"], None)
        return {}


def _check(function: Function, alias: Alias) -> None:
    """Refuse what Lambda refuses."""
    for version in (alias.version, *alias.weights):
        if version.isdecimal() and version not in function.versions:
            raise not_found(function.arn(version))
    if alias.version != LATEST and alias.version not in function.versions:
        raise not_found(function.arn(alias.version))
    if len(alias.description) > 256:
        raise invalid_value("Description must have length less than or equal to 256")
    check(function, alias)


def _answer(function: Function, alias: Alias) -> dict[str, Any]:
    routing = {"RoutingConfig": {"AdditionalVersionWeights": dict(alias.weights)}} if alias.weights else {}
    return routing | {
        "AliasArn": function.arn(alias.name),
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RevisionId": alias.revision,
    }
