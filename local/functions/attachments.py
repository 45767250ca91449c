"""What hangs on functions: layers and resource policies."""

import json
from typing import Any

from local.api import ApiError, Caller, Operations
from local.functions.control import Fetch
from local.functions.model import Layer, iso, split_name
from local.functions.registry import Parameters, Registry, new_revision


class Attachments:
    """The operations on layers and permissions."""

    def __init__(self, registry: Registry, fetch: Fetch) -> None:
        self._registry = registry
        self._fetch = fetch

    def operations(self) -> Operations:
        """Return the intercepts."""
        return {
            ("lambda", "PublishLayerVersion"): self._publish_layer,
            ("lambda", "GetLayerVersion"): self._get_layer,
            ("lambda", "DeleteLayerVersion"): self._delete_layer,
            ("lambda", "AddPermission"): self._add_permission,
            ("lambda", "RemovePermission"): self._remove_permission,
            ("lambda", "GetPolicy"): self._get_policy,
        }

    def policy(self, arn: str) -> list[dict[str, Any]]:
        """Return the statements of the resource policy of a function, version or alias; none if it is not there."""
        name, qualifier = split_name(arn)
        with self._registry.lock:
            found = self._registry.functions.get(name)
            return [] if found is None else list(found.policies.get(qualifier or "", {}).values())

    def _publish_layer(self, parameters: Parameters, _: Caller) -> dict[str, Any]:
        code = self._registry.packages.store(self._fetch(parameters["Content"]))
        base = self._registry.arn("layer", parameters["LayerName"])
        described: dict[str, Any] = {
            name: parameters[name]
            for name in ("Description", "CompatibleRuntimes", "CompatibleArchitectures")
            if name in parameters
        }
        with self._registry.lock:
            versions = self._registry.layers.setdefault(base, [])
            number = versions[-1].version + 1 if versions else 1
            described["CreatedDate"] = iso(self._registry.clock.now())
            layer = Layer(arn=f"{base}:{number}", version=number, code=code, described=described)
            versions.append(layer)
        return _layer_answer(layer)

    def _layer(self, parameters: Parameters) -> tuple[str, Layer]:
        name = parameters["LayerName"].rsplit(":", 1)[-1]
        base = self._registry.arn("layer", name)
        for layer in self._registry.layers.get(base, ()):
            if layer.version == int(parameters["VersionNumber"]):
                return base, layer
        raise ApiError(
            "ResourceNotFoundException", f"Layer version {base}:{parameters['VersionNumber']} does not exist.", 404
        )

    def _get_layer(self, parameters: Parameters, _: Caller) -> dict[str, Any]:
        with self._registry.lock:
            return _layer_answer(self._layer(parameters)[1])

    def _delete_layer(self, parameters: Parameters, _: Caller) -> dict[str, Any]:
        with self._registry.lock:
            base, layer = self._layer(parameters)
            used = [
                release.arn
                for function in self._registry.functions.values()
                for release in (function.latest, *function.versions.values())
                if layer.arn in release.configuration.layers
            ]
            if used:
                # Lambda lets a layer in use be deleted and keeps running it; here it would break new workers
                raise ApiError("ResourceConflictException", f"{layer.arn} is used by {', '.join(used)}", 409)
            self._registry.layers[base].remove(layer)
        return {}

    def _add_permission(self, parameters: Parameters, _: Caller) -> dict[str, Any]:
        with self._registry.lock:
            function, qualifier = self._registry.asked(parameters)
            self._registry.release(function, qualifier)
            statements = function.policies.setdefault(qualifier or "", {})
            sid = parameters["StatementId"]
            if sid in statements:
                raise ApiError("ResourceConflictException", f"The statement id ({sid}) provided already exists.", 409)
            principal = parameters["Principal"]
            condition: dict[str, Any] = {}
            if "SourceArn" in parameters:
                condition["ArnLike"] = {"AWS:SourceArn": parameters["SourceArn"]}
            statement: dict[str, Any] = {
                "Sid": sid,
                "Effect": "Allow",
                "Principal": {"Service": principal} if principal.endswith(".amazonaws.com") else {"AWS": principal},
                "Action": parameters["Action"],
                "Resource": function.arn(qualifier),
            }
            statements[sid] = statement | ({"Condition": condition} if condition else {})
            return {"Statement": json.dumps(statements[sid])}

    def _remove_permission(self, parameters: Parameters, _: Caller) -> dict[str, Any]:
        with self._registry.lock:
            function, qualifier = self._registry.asked(parameters)
            if function.policies.get(qualifier or "", {}).pop(parameters["StatementId"], None) is None:
                raise ApiError(
                    "ResourceNotFoundException",
                    f"Statement {parameters['StatementId']} is not found in resource policy.",
                    404,
                )
        return {}

    def _get_policy(self, parameters: Parameters, _: Caller) -> dict[str, Any]:
        with self._registry.lock:
            function, qualifier = self._registry.asked(parameters)
            statements = function.policies.get(qualifier or "")
            if not statements:
                raise ApiError("ResourceNotFoundException", "The resource you requested does not exist.", 404)
            policy = {"Version": "2012-10-17", "Id": "default", "Statement": list(statements.values())}
            return {"Policy": json.dumps(policy), "RevisionId": new_revision()}


def _layer_answer(layer: Layer) -> dict[str, Any]:
    content = {
        "Location": layer.code.zip.as_uri(),
        "CodeSha256": layer.code.sha256,
        "CodeSize": layer.code.size,
    }
    return {
        "Content": content,
        "LayerArn": layer.arn.rsplit(":", 1)[0],
        "LayerVersionArn": layer.arn,
        "Version": layer.version,
        **layer.described,
    }
