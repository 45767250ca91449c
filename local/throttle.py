"""Token buckets of an HTTP API: one for each route, which all callers of the route share.

`DefaultRouteSettings` of a stage are the settings that every route starts with, not a sum over all of them (API Gateway
developer guide, "Throttling requests to your HTTP APIs").
"""

import threading
from collections.abc import Mapping
from typing import Any

from local.gateway_error import GatewayError


class Buckets:
    """The buckets of one API; times are engine time in seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, route_key: str, settings: Mapping[str, Any], now: float) -> None:
        """Take one token of a route. Raises GatewayError (429) when there is none."""
        rate, burst = settings.get("ThrottlingRateLimit"), settings.get("ThrottlingBurstLimit")
        if rate is None or burst is None:
            return
        with self._lock:
            left, at = self._left.get(route_key, (float(burst), now))
            left = min(float(burst), left + (now - at) * float(rate))
            self._left[route_key] = (max(left - 1, 0.0) if left >= 1 else left, now)
            if left < 1:
                raise GatewayError(429, "Too Many Requests", f"more than {rate} requests a second on {route_key}")
