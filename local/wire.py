"""An AWS request as bytes <-> a service, an operation and its parameters, for the operations that the engine answers.

botocore has no server side; the parsers and serialisers are the ones that moto brings for its own services.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from moto.core.parse import PROTOCOL_PARSERS, RequestParserError
from moto.core.serialize import get_serializer_class
from werkzeug.datastructures import MultiDict

from local.api import ApiError
from local.request_shapes import read
from local.service_models import BOTOCORE_NAMES, RUNTIME, input_shape, model_of, operation_names, pairs, route_of
from local.xml_shapes import body_shape, strangers

SIGNING_NAMES = {"apigateway": "apigatewayv2"}
"""Names in a signature's scope that differ from the service's name here."""

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
    """Return the name of the operation asked for, None for unknown paths and names."""
    if target := call.headers.get("x-amz-target"):
        name = target.rpartition(".")[2]
    elif model_of(service).protocol == "query":
        name = parse_qs(call.body.decode(errors="replace") or call.query).get("Action", [""])[0]
    else:
        match = route_of(service, call.method, call.path, call.query, call.headers)
        return match[0] if match else None
    return name if name in operation_names(service) else None


def parameters_of(call: HttpCall, service: str, operation: str) -> dict[str, Any]:
    """Return the parameters of the call by botocore's member names, checked against the service's model.

    Raises
    ------
    ApiError
        SerializationException (MalformedXML) when the body is not what the protocol says; the service's own code for
        parameters that it does not know or allow.
    """
    shape, protocol = input_shape(service, operation), _protocol(call, service)
    if shape is None:
        return {}
    try:
        in_json = protocol == "json" or (protocol == "rest-json" and "payload" not in shape.serialization)
        body = json.loads(call.body or b"{}") if in_json else None
        if protocol == "json":
            return read(service, shape, body, json=True)
        parsed = _parsed(call, service, operation, with_body=body is None)
    except RequestParserError as fault:
        raise ApiError("MalformedXML", f"The body is not valid for {operation}: {fault}") from fault
    except (ValueError, TypeError, KeyError, AttributeError) as fault:
        raise ApiError("SerializationException", f"The body is not valid for {operation}: {fault}") from fault
    found = {name: value for name, value in parsed.items() if value is not None}
    if body is None:
        return read(service, shape, found | _unknown(call, shape, protocol), json=False)
    placed = {shape.members[name].serialization.get("name", name): value for name, value in found.items()}
    return read(service, shape, body | placed if isinstance(body, dict) else body, json=True)


def _unknown(call: HttpCall, shape: Any, protocol: str) -> dict[str, str]:
    """Return the parameters of a query that the model does not have; S3 looks at no others than those it knows.

    Raises
    ------
    ApiError
        MalformedXML for elements that the model does not have.
    """
    if protocol == "query":
        known = {member.serialization.get("name", name) for name, member in shape.members.items()}
        asked = (*pairs(call.query), *pairs(call.body.decode()))
        return {name: value for name, value in asked if name.partition(".")[0] not in {"Action", "Version", *known}}
    if call.body and body_shape(shape).type_name == "structure" and "payload" in shape.serialization:
        for stranger in strangers(body_shape(shape), ElementTree.fromstring(call.body)):
            raise ApiError("MalformedXML", f"The XML you provided did not validate against our schema: {stranger}")
    return {}


class _Headers(dict[str, str]):
    """Header names in lower case, asked for in any; werkzeug's own look at each header for each question."""

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).lower())

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())


def _parsed(call: HttpCall, service: str, operation: str, *, with_body: bool) -> dict[str, Any]:
    """Return what moto's parser finds in path, query and headers, and in the body too."""
    protocol = _protocol(call, service)
    route = (
        route_of(service, call.method, call.path, call.query, call.headers) if protocol.startswith("rest-") else None
    )
    values: MultiDict[str, str] = MultiDict(pairs(call.query))
    if protocol == "query":
        values.update(pairs(call.body.decode()))
    model = model_of(service).operation_model(operation)
    request: Any = {
        "method": call.method,
        "values": values,
        "headers": _Headers(call.headers),
        "body": call.body if with_body else b"",
        "url_path": call.path,
        "url_params": route[1] if route else {},
    }
    parsed: dict[str, Any] = PROTOCOL_PARSERS[protocol](model).parse(request)
    return parsed


def answer_of(call: HttpCall, service: str, operation: str, members: Mapping[str, Any]) -> HttpAnswer:
    """Serialise the response members of an operation as its protocol wants them."""
    model = model_of(service).operation_model(operation)
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


def _protocol(call: HttpCall, service: str) -> str:
    if call.headers.get("x-amz-target"):
        return "json"
    return str(model_of(service).protocol)
