"""API Gateway: which routes the stage's HTTP API has."""

from typing import Any

from cloud.faults import translated


class Gateway:
    """One HTTP API."""

    def __init__(self, gateway: Any, api_id: str) -> None:
        self._gateway = gateway
        self._api_id = api_id

    def route_keys(self) -> list[str]:
        """Return the keys of all routes, such as `GET /models/churn`, sorted."""
        with translated(f"list the routes of API {self._api_id}"):
            pages = list(self._gateway.get_paginator("get_routes").paginate(ApiId=self._api_id))
        return sorted(route["RouteKey"] for page in pages for route in page["Items"])
