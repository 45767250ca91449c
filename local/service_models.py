"""botocore's models of the services: operations by name, and by the path that a REST service is asked at."""

import functools
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from moto.core.utils import get_service_model

RUNTIME = "runtime.sagemaker"
"""Where endpoints are asked; signed as sagemaker, known by its path."""

BOTOCORE_NAMES = {
    RUNTIME: "sagemaker-runtime",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
    "monitoring": "cloudwatch",
}
"""Services whose botocore name differs from the service's name here."""


def model_of(service: str) -> Any:
    """Return botocore's model of a service, by its name here."""
    return _service_model(BOTOCORE_NAMES.get(service, service))


@functools.cache
def _service_model(name: str) -> Any:
    return get_service_model(name)


def input_shape(service: str, operation: str) -> Any:
    """Return botocore's shape of an operation's parameters, None when it has none."""
    return model_of(service).operation_model(operation).input_shape


@functools.cache
def operation_names(service: str) -> frozenset[str]:
    """Return the names of a service's operations."""
    return frozenset(model_of(service).operation_names)


def pairs(query: str) -> list[tuple[str, str]]:
    """Return names and values of a query string, decoded."""
    return parse_qsl(query, keep_blank_values=True)


class _Route(NamedTuple):
    """How an operation of a REST service is asked for, and what must come besides the path."""

    operation: str
    method: str
    path: re.Pattern[str]
    needs: frozenset[tuple[str, ...]]


@functools.cache
def _routes(service: str) -> list[_Route]:
    """Return the routes of a service, the most literal paths and the ones that need most first."""
    model = model_of(service)
    found = []
    for name in model.operation_names:
        operation = model.operation_model(name)
        if operation.deprecated:  # S3 has such beside their successors, on the same paths
            continue
        path, _, query = operation.http["requestUri"].partition("?")
        pattern = re.sub(r"\{(\w+)\+\}", r"(?P<\1>.+)", path)
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)
        route = _Route(
            name, operation.http["method"], re.compile(pattern.rstrip("/") + "/?"), _needs(operation.input_shape, query)
        )
        found.append((len(re.sub(r"\{[^}]*\}", "", path)), len(route.needs), route))
    return [route for _, _, route in sorted(found, key=lambda item: item[:2], reverse=True)]


def _needs(shape: Any, query: str) -> frozenset[tuple[str, ...]]:
    """Return the query's fixed parts, and the names of members that must be in query or headers."""
    fixed = {("query", name, value) if value else ("query", name) for name, value in pairs(query)}
    required = [shape.members[name].serialization for name in shape.required_members] if shape else []
    places = {"querystring": "query", "header": "header"}
    return frozenset(
        fixed
        | {
            (places[s["location"]], s["name"].lower() if s["location"] == "header" else s["name"])
            for s in required
            if s.get("location") in places
        }
    )


def route_of(
    service: str, method: str, path: str, query: str, headers: Mapping[str, str]
) -> tuple[str, dict[str, str]] | None:
    """Return the operation that a request to a REST service asks for and the parameters in its path, None if none."""
    given = pairs(query)
    brought = {("query", *pair) for pair in given} | {("query", name) for name, _ in given}
    brought |= {("header", name) for name in headers}
    for route in _routes(service):
        match = route.path.fullmatch(path) if route.method == method and route.needs <= brought else None
        if match:
            return route.operation, {key: unquote(value) for key, value in match.groupdict().items()}
    return None
