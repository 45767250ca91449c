"""Moves of the alias `live` by a deployment: only from where it left the alias, each in one UpdateAlias call.

Everything that a step needs to know of the alias travels in the machine's state, so a step that died after its call
finds its own work done, and one that finds anything else gives way to whoever did it.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from cloud.functions import Alias
from lambdas import wiring
from lambdas.standing import alias_of
from lifecycle import names
from lifecycle.errors import Overtaken
from lifecycle.settings import Deploy


def left(planned: Mapping[str, Any], weights: Mapping[str, float]) -> Alias:
    """Return the alias as the deployment left it: the planned version and description, and these weights."""
    return Alias(
        version=planned["alias"]["version"], description=planned["alias"]["description"], revision="", weights=weights
    )


def is_same(one: Alias, other: Alias) -> bool:
    """Whether two aliases say and do the same, whatever their revisions."""
    return replace(one, revision="") == replace(other, revision="")


def require(settings: Deploy, expected: Alias) -> Alias:
    """Return the alias. Raises Overtaken when it is not as expected: somebody else moved it."""
    found = alias_of(settings)
    if not is_same(found, expected):
        raise Overtaken(
            f"the alias {names.LIVE} of {settings.predict_function} is at version {found.version} with weights "
            f"{dict(found.weights)}; this deployment left it at {expected.version} with {dict(expected.weights)}. "
            "Somebody else moved it since, so this deployment ends and changes nothing."
        )
    return found


def move(settings: Deploy, expected: Alias, wanted: Alias, is_done: Callable[[Alias], bool] | None = None) -> bool:
    """Move the alias from `expected` to `wanted`; False when that was done before (`is_done`, default: it is equal).

    Raises
    ------
    Overtaken
        when the alias is neither.
    NotReady
        when somebody changes it at the same moment; the next try finds out what they did.
    """
    found = alias_of(settings)
    if is_done(found) if is_done else is_same(found, wanted):
        return False
    current = require(settings, expected)
    wiring.functions().point(settings.predict_function, names.LIVE, replace(wanted, revision=current.revision))
    return True
