"""HTTP request -> Lambda event of payload format 2.0, and a function's answer -> HTTP response.

Source: API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs".
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from local.api import ACCOUNT

Response = tuple[int, dict[str, str], bytes]

_TEXT = frozenset({"application/json", "application/javascript", "application/xml"})


class AnswerError(Exception):
    """A function's answer that API Gateway cannot turn into a response."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A request to an API. `path` is raw, without the prefix under which the laptop serves the API."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """What the gateway knows about a request; `authorizer` is empty on an open route."""

    api_id: str
    domain: str
    route_key: str
    parameters: Mapping[str, str]
    authorizer: Mapping[str, Any]
    request_id: str
    at: float


def event_of(request: HttpRequest, matched: Matched) -> dict[str, Any]:
    """Return the event."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    cookies = headers.pop("cookie", None)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": matched.route_key,
        "rawPath": unquote(request.path),
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": _context(request, matched),
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = [cookie.strip() for cookie in cookies.split(";")]
    if request.query:
        values: dict[str, list[str]] = {}
        for name, value in parse_qsl(request.query, keep_blank_values=True):
            values.setdefault(name, []).append(value)
        event["queryStringParameters"] = {name: ",".join(found) for name, found in values.items()}
    if matched.parameters:
        event["pathParameters"] = dict(matched.parameters)
    if request.body:
        text = _text_of(headers, request.body)
        event["isBase64Encoded"] = text is None
        event["body"] = base64.b64encode(request.body).decode() if text is None else text
    return event


def _context(request: HttpRequest, matched: Matched) -> dict[str, Any]:
    at = datetime.fromtimestamp(matched.at, UTC)
    context: dict[str, Any] = {
        "accountId": ACCOUNT,
        "apiId": matched.api_id,
        "domainName": matched.domain,
        "domainPrefix": matched.domain.partition(".")[0],
        "http": {
            "method": request.method,
            "path": unquote(request.path),
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": request.headers.get("user-agent", ""),
        },
        "requestId": matched.request_id,
        "routeKey": matched.route_key,
        "stage": "$default",
        "time": at.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(matched.at * 1000),
    }
    return context | ({"authorizer": dict(matched.authorizer)} if matched.authorizer else {})


def _text_of(headers: Mapping[str, str], body: bytes) -> str | None:
    """Return the body as text; None when it travels as base64."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if headers.get("content-encoding") or not (kind.startswith("text/") or kind in _TEXT or kind.endswith("+json")):
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def response_of(payload: bytes) -> Response:
    """Return the response that a function's answer means; without `statusCode` the answer itself is the body.

    Raises
    ------
    AnswerError
        when status, headers or body are not of the documented types, or the answer sets cookies (not supported here).
    """
    answer = json.loads(payload)
    if not isinstance(answer, dict) or "statusCode" not in answer:
        body = answer.encode() if isinstance(answer, str) else payload
        return 200, {"content-type": "application/json"}, body
    if answer.get("cookies"):
        raise AnswerError("the laptop engine's HTTP API does not set cookies")
    try:
        status = int(answer["statusCode"])
        headers = {str(name).lower(): _header(value) for name, value in (answer.get("headers") or {}).items()}
        body = _body(answer)
    except (TypeError, ValueError, AttributeError, binascii.Error) as error:
        raise AnswerError(str(error)) from error
    if not 100 <= status <= 599:
        raise AnswerError(f"statusCode {status}")
    return status, {"content-type": "text/plain;charset=UTF-8", **headers}, body


def _header(value: Any) -> str:
    if not isinstance(value, str | int | float | bool):
        raise TypeError(f"a header must be a string, got {type(value).__name__}")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _body(answer: Mapping[str, Any]) -> bytes:
    body = answer.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise TypeError(f"body must be a string, got {type(body).__name__}")
    return base64.b64decode(body, validate=True) if answer.get("isBase64Encoded") else body.encode()
