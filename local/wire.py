"""An AWS request as bytes <-> a service, an operation and its parameters, for the operations that the engine answers.

botocore has no server side; the parsers and serialisers are the ones that moto brings for its own services.
"""

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import parse_qs, parse_qsl, unquote
from xml.sax.saxutils import escape

from moto.core.parse import PROTOCOL_PARSERS
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.datastructures import Headers, MultiDict

from local.api import ApiError

SIGNING_NAMES = {"apigateway": "apigatewayv2"}
"""Names in a signature's scope that differ from the service's name here."""

RUNTIME = "runtime.sagemaker"
"""Where endpoints are asked; signed as sagemaker, known by its path."""

BOTOCORE_NAMES = {
    RUNTIME: "sagemaker-runtime",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
    "monitoring": "cloudwatch",
}
"""Services whose botocore name differs from the service's name here."""

_SCOPE = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/,\s]+)/([^/,\s]+)/aws4_request")


@dataclass(frozen=True, slots=True)
class HttpCall:
    """One HTTP request; `path` and `query` as they came (percent-encoded), header names in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """One HTTP response."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Scope:
    """What a SigV4 signature says about a call; `service` is the name that operations are registered under."""

    access_key: str
    region: str
    service: str


def scope_of(call: HttpCall) -> Scope | None:
    """Return the signature's scope, None when unsigned."""
    match = _SCOPE.search(call.headers.get("authorization", ""))
    if match is None:
        return None
    access_key, region, service = match.groups()
    if service == "sagemaker" and call.path.startswith("/endpoints/"):
        service = RUNTIME
    return Scope(access_key, region, SIGNING_NAMES.get(service, service))


def operation_of(call: HttpCall, service: str) -> str | None:
    """Return the name of the operation asked for, None for unknown paths."""
    if target := call.headers.get("x-amz-target"):
        return target.rpartition(".")[2]
    protocol = _model(service).protocol
    if protocol == "query":
        values = parse_qs(call.body.decode(errors="replace") or call.query)
        return values.get("Action", [None])[0]
    match = _route(service, call)
    return match[0] if match else None


def parameters_of(call: HttpCall, service: str, operation: str) -> dict[str, Any]:
    """Return the parameters of the call by botocore's member names.

    Raises
    ------
    ApiError
        SerializationException when the body is not what the protocol says.
    """
    model = _model(service).operation_model(operation)
    protocol = _protocol(call, service)
    route = _route(service, call) if protocol.startswith("rest-") else None
    values: MultiDict[str, str] = MultiDict(_pairs(call.query))
    try:
        if protocol == "json":
            json.loads(call.body or b"{}")  # moto's parser takes what is no JSON for an empty request
        elif protocol == "query":
            values.update(_pairs(call.body.decode()))
        parsed: dict[str, Any] = PROTOCOL_PARSERS[protocol](model).parse(
            {
                "method": call.method,
                "values": values,
                "headers": Headers(list(call.headers.items())),
                "body": call.body,
                "url_path": call.path,
                "url_params": route[1] if route else {},
            }
        )
    except (ValueError, TypeError, KeyError, AttributeError) as fault:
        raise ApiError("SerializationException", f"The body is not valid for {operation}: {fault}") from fault
    return {name: value for name, value in parsed.items() if value is not None}


def answer_of(call: HttpCall, service: str, operation: str, members: Mapping[str, Any]) -> HttpAnswer:
    """Serialise the response members of an operation as its protocol wants them."""
    model = _model(service).operation_model(operation)
    serializer = get_serializer_class(BOTOCORE_NAMES.get(service, service), _protocol(call, service))(model)
    response = serializer.serialize(dict(members))
    status = response["status_code"]
    for name, shape in model.output_shape.members.items() if model.output_shape else ():
        if shape.serialization.get("location") == "statusCode" and name in members:
            status = int(members[name])
    body = response["body"]
    return HttpAnswer(status, dict(response["headers"]), body.encode() if isinstance(body, str) else bytes(body))


def error_of(call: HttpCall, service: str | None, error: ApiError) -> HttpAnswer:
    """Serialise an error in the shape of the service's protocol."""
    form = call.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    protocol = _protocol(call, service) if service else "query" if form else "json"
    if protocol in ("query", "rest-xml"):
        inner = f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
        if protocol == "rest-xml":
            text = f"<Error>{inner}</Error>"
        else:
            kind = "Sender" if error.status < 500 else "Receiver"
            text = f"<ErrorResponse><Error><Type>{kind}</Type>{inner}</Error></ErrorResponse>"
        return HttpAnswer(error.status, {"Content-Type": "text/xml"}, text.encode())
    body = json.dumps({"__type": error.code, "message": error.message, "Message": error.message, **error.members})
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": error.code}
    return HttpAnswer(error.status, headers, body.encode())


def _pairs(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)


def _model(service: str) -> Any:
    return _service_model(BOTOCORE_NAMES.get(service, service))


@functools.cache
def _service_model(name: str) -> Any:
    return get_service_model(name)


def _protocol(call: HttpCall, service: str) -> str:
    if call.headers.get("x-amz-target"):
        return "json"
    return str(_model(service).protocol)


class _Route(NamedTuple):
    """How an operation of a REST service is asked for, and what must come besides the path."""

    operation: str
    method: str
    path: re.Pattern[str]
    needs: frozenset[tuple[str, ...]]


@functools.cache
def _routes(service: str) -> list[_Route]:
    """Return the routes of a service, the most literal paths and the ones that need most first."""
    model = _model(service)
    found = []
    for name in model.operation_names:
        operation = model.operation_model(name)
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
    fixed = {("query", name, value) if value else ("query", name) for name, value in _pairs(query)}
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


def _route(service: str, call: HttpCall) -> tuple[str, dict[str, str]] | None:
    pairs = _pairs(call.query)
    brought = {("query", *pair) for pair in pairs} | {("query", name) for name, _ in pairs}
    brought |= {("header", name) for name in call.headers}
    for route in _routes(service):
        match = route.path.fullmatch(call.path) if route.method == call.method and route.needs <= brought else None
        if match:
            return route.operation, {key: unquote(value) for key, value in match.groupdict().items()}
    return None
