"""The predict function behind a WSGI face, for tools that send HTTP requests without a network."""

import json
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from lambdas import refuse_route
from lambdas.live_model import LiveModel, Place
from lambdas.predict import answer
from local.proxy_event import HttpRequest, Matched, event_of, response_of


class Door:
    """Routes requests as the API of a stage with one model does: by method and path, else to the refusing function."""

    def __init__(self, live: LiveModel, place: Place) -> None:
        self._live = live
        self._place = place
        path = f"/models/{place.model}"
        self._routes = {("GET", path), ("GET", f"{path}/openapi.json"), ("POST", f"{path}/predictions")}

    def __call__(self, environ: dict[str, Any], start: Callable[[str, list[tuple[str, str]]], Any]) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
        names = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name[:5] == "HTTP_"}
        if environ.get("CONTENT_TYPE"):
            names["content-type"] = environ["CONTENT_TYPE"]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        request = HttpRequest(method=method, path=path, query=environ["QUERY_STRING"], headers=names, body=body)
        known = (method, path) in self._routes
        matched = Matched(
            api_id="api",
            domain="door",
            route_key=f"{method} {path}" if known else "$default",
            parameters={},
            authorizer={},
            request_id="request",
            at=0.0,
        )
        event = event_of(request, matched)
        given = answer(self._live, self._place, event) if known else refuse_route.handler(event, None)
        status, headers, content = response_of(json.dumps(given).encode())
        start(f"{status} {HTTPStatus(status).phrase}", list(headers.items()))
        return [content]
