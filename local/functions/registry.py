"""The functions and layers that exist, and how a name finds a release."""

import threading
import uuid
from collections.abc import Iterable, MutableMapping
from typing import Any

from local.api import ACCOUNT, ApiError, Caller, Operation, Operations
from local.clock import Clock
from local.functions.model import (
    LATEST,
    Alias,
    Function,
    Layer,
    Release,
    configuration_answer,
    invalid_value,
    split_name,
)
from local.functions.packages import Packages
from local.functions.routing import Draw, chosen, draw_at_random
from local.keeping import NOWHERE, Keep, kept

Parameters = dict[str, Any]


class Registry:
    """State of the control plane; hold `lock` while changing it."""

    def __init__(self, packages: Packages, clock: Clock, region: str, keep: Keep = NOWHERE) -> None:
        self.region = region
        self.draw: Draw = draw_at_random
        self.packages = packages
        self.clock = clock
        self.lock = threading.RLock()
        self.functions: MutableMapping[str, Function] = kept(keep, "functions")
        self.layers: MutableMapping[str, list[Layer]] = kept(keep, "layers")

    def keep_changes(self, operations: Operations) -> Operations:
        """Return the operations so that each change of a function or layer is kept before it is answered."""
        return {
            key: answer if key[1].startswith(("Get", "List")) else self._keeping(answer)
            for key, answer in operations.items()
        }

    def _keeping(self, operation: Operation) -> Operation:
        def answer(parameters: Parameters, caller: Caller) -> dict[str, Any]:
            answered = operation(parameters, caller)
            with self.lock:
                name = split_name(parameters.get("FunctionName", ""))[0]
                if name in self.functions:
                    self.functions[name] = self.functions[name]
                layer = self.arn("layer", parameters.get("LayerName", "").rsplit(":", 1)[-1])
                if layer in self.layers:
                    self.layers[layer] = self.layers[layer]
            return answered

        return answer

    def arn(self, kind: str, name: str) -> str:
        """Return the ARN of a function or a layer (`kind`)."""
        return f"arn:aws:lambda:{self.region}:{ACCOUNT}:{kind}:{name}"

    def function(self, name: str) -> Function:
        """Return a function. Raises ResourceNotFoundException."""
        found = self.functions.get(split_name(name)[0])
        if found is None:
            raise not_found(self.arn("function", split_name(name)[0]))
        return found

    def asked(self, parameters: Parameters) -> tuple[Function, str | None]:
        """Return the function and the qualifier that a request names, in its name, its ARN or beside it.

        Raises
        ------
        ApiError
            ResourceNotFoundException; InvalidParameterValueException when the two qualifiers differ.
        """
        name, inside = split_name(parameters["FunctionName"])
        beside = parameters.get("Qualifier")
        if inside and beside and inside != beside:
            raise invalid_value("The derived qualifier from the function name does not match the specified qualifier.")
        return self.function(name), inside or beside

    def release(self, function: Function, qualifier: str | None) -> Release:
        """Return the release behind a qualifier: a version, or an alias's version."""
        if qualifier in (None, LATEST):
            return function.latest
        assert qualifier is not None
        alias = function.aliases.get(qualifier)
        version = qualifier if alias is None else alias.version
        found = function.latest if version == LATEST else function.versions.get(version)
        if found is None:
            raise not_found(function.arn(qualifier))
        return found

    def invoked(self, function: Function, qualifier: str | None) -> Release:
        """Return the release that answers one call: of an alias with weights, one of its versions by chance."""
        alias = function.aliases.get(qualifier or "")
        return self.release(function, qualifier if alias is None else chosen(alias, self.draw))

    def current(self, key: tuple[str, str, str]) -> bool:
        """Return whether a function still has this version at this revision, and no alias has left it for good."""
        with self.lock:
            function = self.functions.get(key[0])
            release = function and (function.latest if key[1] == LATEST else function.versions.get(key[1]))
            return bool(function and release and release.revision == key[2] and key[1] not in function.left)

    def alias(self, function: Function, name: str) -> Alias:
        """Return an alias. Raises ResourceNotFoundException."""
        if name not in function.aliases:
            raise ApiError("ResourceNotFoundException", f"Cannot find alias arn: {function.arn(name)}", 404)
        return function.aliases[name]

    def layer(self, arn: str) -> Layer:
        """Return a layer version by its ARN. Raises InvalidParameterValueException, as CreateFunction does."""
        for layer in self.layers.get(arn.rsplit(":", 1)[0], ()):
            if layer.arn == arn:
                return layer
        raise invalid_value(f"Layer version {arn} does not exist.")

    def answer(self, release: Release) -> dict[str, Any]:
        """Return a release as the API answers it."""
        layers = [{"Arn": arn, "CodeSize": self.layer(arn).code.size} for arn in release.configuration.layers]
        return configuration_answer(release, self.clock.now(), layers)


def not_found(arn: str) -> ApiError:
    """Return Lambda's error for a function that does not exist."""
    return ApiError("ResourceNotFoundException", f"Function not found: {arn}", 404)


def new_revision() -> str:
    """Return a revision id."""
    return str(uuid.uuid4())


def check_revision(parameters: Parameters, revision: str) -> None:
    """Raise PreconditionFailedException when a request names another revision than the current one."""
    if parameters.get("RevisionId") not in (None, revision):
        raise ApiError(
            "PreconditionFailedException",
            "The RevisionId provided does not match the latest RevisionId. Call the GetFunction/GetAlias API to "
            "retrieve the latest RevisionId for your resource.",
            412,
        )


def refuse_unknown(operation: str, parameters: Parameters, known: Iterable[str]) -> None:
    """Raise when a request has a parameter that the engine would have to ignore."""
    if unknown := sorted(set(parameters) - set(known)):
        raise invalid_value(
            f"The laptop engine's Lambda {operation} does not know {', '.join(unknown)}; it knows "
            f"{', '.join(sorted(known))}."
        )
