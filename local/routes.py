"""The routes of an HTTP API as data: what is deployed, and which route a request meets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

DEFAULT = "$default"
AUTHORIZATIONS = ("NONE", "AWS_IAM", "JWT")


class RouteError(Exception):
    """Something in the API that the laptop engine does not run; the message names it."""


@dataclass(frozen=True, slots=True)
class Route:
    """`method` and `segments` of a route key (no segments for `$default`), and where it leads."""

    key: str
    method: str
    segments: tuple[str, ...]
    authorization: str
    function_arn: str
    seconds: float
    authorizer_id: str = ""
    scopes: tuple[str, ...] = ()


def routes_of(routes: Iterable[Mapping[str, Any]], integrations: Iterable[Mapping[str, Any]]) -> tuple[Route, ...]:
    """Return the routes from what `GetRoutes` and `GetIntegrations` answer.

    Raises
    ------
    RouteError
        for an authorization, integration or path variable that the engine does not have.
    """
    targets = {entry["IntegrationId"]: entry for entry in integrations}
    return tuple(_route(entry, targets) for entry in routes)


def _route(entry: Mapping[str, Any], targets: Mapping[str, Mapping[str, Any]]) -> Route:
    key = entry["RouteKey"]
    target = targets[str(entry.get("Target", "")).removeprefix("integrations/")]
    authorization = entry.get("AuthorizationType") or "NONE"
    kind = (target["IntegrationType"], target.get("PayloadFormatVersion"))
    method, _, path = key.partition(" ")
    if authorization not in AUTHORIZATIONS:
        raise RouteError(f"route {key}: authorization {authorization}; there are {', '.join(AUTHORIZATIONS)}")
    if kind != ("AWS_PROXY", "2.0"):
        raise RouteError(f"route {key}: integration {kind}; there is ('AWS_PROXY', '2.0')")
    if "+}" in path:
        raise RouteError(f"route {key}: greedy path variables; there are {{name}} and $default")
    seconds = (target.get("TimeoutInMillis") or 30_000) / 1000
    return Route(
        key=key,
        method=method,
        segments=tuple(path.split("/")[1:]),
        authorization=authorization,
        function_arn=target["IntegrationUri"],
        seconds=seconds,
        authorizer_id=entry.get("AuthorizerId") or "",
        scopes=tuple(entry.get("AuthorizationScopes") or ()),
    )


def match(routes: Iterable[Route], method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """Return the most specific route for a raw path, with its path parameters; `$default` when no other fits.

    A literal segment beats a variable one, from left to right, and a named method beats ANY (API Gateway developer
    guide, "Routing API requests").
    """
    segments = [unquote(segment) for segment in path.split("/")[1:]]
    fitting = [route for route in routes if route.method in (method, "ANY") and _fits(route.segments, segments)]
    fitting.sort(key=lambda route: ([_variable(s) for s in route.segments], route.method == "ANY"))
    if fitting:
        found = fitting[0]
        pairs = zip(found.segments, segments, strict=True)
        return found, {name[1:-1]: value for name, value in pairs if _variable(name)}
    default = next((route for route in routes if route.key == DEFAULT), None)
    return None if default is None else (default, {})


def _fits(pattern: tuple[str, ...], segments: list[str]) -> bool:
    return len(pattern) == len(segments) and all(
        (_variable(expected) and bool(got)) or expected == got for expected, got in zip(pattern, segments, strict=True)
    )


def _variable(segment: str) -> bool:
    return segment.startswith("{") and segment.endswith("}")
