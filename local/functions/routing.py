"""An alias -> the version that answers one call: weights, and what Lambda refuses about them.

An alias sends its calls to one version, or a share of them to one more. Rules and messages: AWS Lambda developer
guide, "Implement Lambda canary deployments using a weighted alias", and the API's own shapes.
"""

import random
import re
from collections.abc import Callable, Mapping
from typing import Any

from local.api import ApiError
from local.functions.model import LATEST, Alias, Function, invalid_value

Draw = Callable[[], float]
"""Returns a number from 0 up to 1, a new one for each call of a weighted alias."""

draw_at_random: Draw = random.Random().random


def chosen(alias: Alias, draw: Draw) -> str:
    """Return the version that answers a call of `alias`."""
    for version, weight in alias.weights.items():
        if draw() < weight:
            return version
    return alias.version


def asked_weights(parameters: Mapping[str, Any], old: Mapping[str, float]) -> Mapping[str, float]:
    """Return the weights after a request: without a word about them the old ones stay (docs/unverified.md)."""
    asked = parameters.get("RoutingConfig", {}).get("AdditionalVersionWeights")
    return old if asked is None else dict(asked)


def check(function: Function, alias: Alias) -> None:
    """Refuse what Lambda refuses of an alias with weights; versions that do not exist have been refused before.

    No function of the engine has a dead-letter setting, so two versions can differ in their roles only.
    """
    if len(alias.weights) > 1:
        raise invalid_value("Number of items in AdditionalVersionWeights cannot be greater than 1")
    for version, weight in alias.weights.items():
        at_fault = f"Value '{{{version}={weight}}}' at 'routingConfig.additionalVersionWeights' failed to satisfy"
        if not re.fullmatch(r"[0-9]+", version):
            rule = "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [0-9]+]"
            raise ApiError("ValidationException", f"1 validation error detected: {at_fault} constraint: {rule}")
        if not 0 <= weight <= 1:
            rule = "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, "
            rule += "Member must have value greater than or equal to 0.0]"
            raise ApiError("ValidationException", f"1 validation error detected: {at_fault} constraint: {rule}")
        if version == alias.version:
            raise invalid_value(
                f"Invalid function version {version}. Function version {version} is already included in routing "
                "configuration."
            )
        if alias.version == LATEST:
            raise invalid_value("$LATEST is not supported for an alias pointing to more than 1 version")
        roles = {function.versions[one].configuration.role for one in (alias.version, version)}
        if len(roles) > 1:
            raise invalid_value("Specified versions must be associated with the same execution role")
