"""Who signs calls: the operator's fixed keys, and temporary keys for each role that functions and jobs run under."""

import secrets
import threading
from dataclasses import dataclass, field

from local.api import ApiError, Caller


@dataclass(frozen=True, slots=True)
class Credentials:
    """Keys as the SDKs want them; the operator has no session token."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)

    def environment(self) -> dict[str, str]:
        """Return the variables by which every AWS SDK finds these keys."""
        variables = {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}
        if self.session_token is not None:
            variables["AWS_SESSION_TOKEN"] = self.session_token
        return variables


OPERATOR = Credentials("AKIAPERENNIALLOCAL00", "perennial-local-operator-secret-key-0000")
"""Fixed, so that a printed command line works again tomorrow; the gateway listens on the loopback address only."""


class Identity:
    """Issues keys for roles and knows whose keys a call carries."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._issued: dict[str, Credentials] = {}
        self._roles: dict[str, str] = {}

    def issue(self, role_arn: str) -> Credentials:
        """Return the keys of `role_arn`; the same ones for the engine's whole life."""
        with self._lock:
            if role_arn not in self._issued:
                keys = Credentials(
                    f"ASIA{secrets.token_hex(8).upper()}", secrets.token_urlsafe(30), secrets.token_hex(32)
                )
                self._issued[role_arn] = keys
                self._roles[keys.access_key] = role_arn
            return self._issued[role_arn]

    def keys(self, access_key: str) -> Credentials | None:
        """Return the keys that `access_key` belongs to, None when the engine never issued it."""
        if access_key == OPERATOR.access_key:
            return OPERATOR
        role = self._roles.get(access_key)
        return None if role is None else self._issued[role]

    def caller(self, access_key: str) -> Caller:
        """Return who owns `access_key`.

        Raises
        ------
        ApiError
            UnrecognizedClientException when the engine never issued it.
        """
        if access_key == OPERATOR.access_key:
            return Caller(access_key)
        if access_key not in self._roles:
            raise ApiError(
                "UnrecognizedClientException",
                f"The access key {access_key} is not one of this engine's; the operator's is {OPERATOR.access_key}.",
                403,
            )
        return Caller(access_key, self._roles[access_key])
