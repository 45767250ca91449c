"""boto3 clients of the engine by role: what runs under a role calls AWS with that role's keys."""

import threading
from typing import Any

from local.clients import Clients, Dispatch
from local.identity import OPERATOR, Identity


class RoleClients:
    """Gives the client of a service for a role; fulfils `local.api.Clients`."""

    def __init__(self, dispatch: Dispatch, region: str, identity: Identity) -> None:
        self._dispatch = dispatch
        self._region = region
        self._identity = identity
        self._lock = threading.Lock()
        self._clients: dict[str | None, Clients] = {}

    def __call__(self, service: str, role_arn: str | None = None) -> Any:
        """Return the client of `service` that calls as `role_arn` (None: as the operator)."""
        with self._lock:
            if role_arn not in self._clients:
                keys = OPERATOR if role_arn is None else self._identity.issue(role_arn)
                self._clients[role_arn] = Clients(self._dispatch, self._region, keys)
            return self._clients[role_arn].client(service)
