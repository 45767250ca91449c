"""The laptop engine's state -> the environment in which any AWS client talks to it."""

import shlex
from collections.abc import Mapping
from typing import Any, Final

OTHERS: Final = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN")
"""What may be set for AWS itself, and would be preferred to the engine's keys or sent along with them."""


def environment_of(engine: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables; the region under both names, because half of the SDKs read one and half the other."""
    return {
        "AWS_ENDPOINT_URL": str(engine["endpoint"]),
        "AWS_REGION": str(engine["region"]),
        "AWS_DEFAULT_REGION": str(engine["region"]),
        "AWS_ACCESS_KEY_ID": str(engine["access_key"]),
        "AWS_SECRET_ACCESS_KEY": str(engine["secret_key"]),
    }


def lines_of(engine: Mapping[str, Any]) -> str:
    """Return the same as lines for a shell."""
    exports = [f"export {name}={shlex.quote(value)}" for name, value in environment_of(engine).items()]
    return "\n".join([f"unset {' '.join(OTHERS)}", *exports])
