"""The engine's one loopback port: AWS requests, the HTTP API (execute-api) and the engine's own `/_engine/` paths.

Only requests addressed to this machine are answered, and none that a page of another site sent: a browser tab must not
be able to read or change what runs here.
"""

import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from local.clients import Dispatch
from local.clock import Clock
from local.wire import HttpCall

MAX_AWS_BYTES = 1 << 30  # an upload of the largest object that the product takes, with room
MAX_API_BYTES = 10_485_760  # HTTP API quota: payload size
_API_HOST = re.compile(r"([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.localhost")
_API_PATH = re.compile(r"/_api/([A-Za-z0-9]+)(/.*)?")


class ApiHandler(Protocol):
    """The data plane of the HTTP APIs."""

    def handle(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Answer one request."""


@dataclass(frozen=True, slots=True)
class Doors:
    """Where the gateway's three kinds of requests go; `api` finds the handler of an API by its id."""

    dispatch: Dispatch
    api: Callable[[str], ApiHandler | None]
    clock: Clock
    ready: Callable[[], bool]


class Gateway:
    """A threaded HTTP/1.1 server on 127.0.0.1."""

    def __init__(self, doors: Doors, port: int = 0) -> None:
        self._doors = doors
        self._server: BaseWSGIServer = make_server("127.0.0.1", port, self._serve, True, request_handler=_Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="gateway", daemon=True)

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._server.port)

    @property
    def endpoint(self) -> str:
        """What AWS_ENDPOINT_URL is set to."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more requests; the ones being answered end first."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def _serve(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if refusal := foreign(request.headers.get("Host", ""), request.headers.get("Origin")):
            return _json(403, {"message": refusal})
        raw = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or request.path
        path = urlsplit(raw).path if "://" in raw else raw.partition("?")[0]
        if path.startswith("/_engine/"):
            return self._own(request, path)
        host = request.host.partition(":")[0]
        if found := _API_HOST.fullmatch(host):
            return self._api(request, found[1], path)
        if found := _API_PATH.fullmatch(path):
            return self._api(request, found[1], found[2] or "/")
        if (body := _body(request, MAX_AWS_BYTES)) is None:
            return _closing(413, {"message": f"The laptop engine takes at most {MAX_AWS_BYTES} bytes."})
        answer = self._doors.dispatch(HttpCall(request.method, path, _query(request), _headers(request), body))
        return _response(answer.status, answer.headers, answer.body, request.method)

    def _api(self, request: Request, api_id: str, path: str) -> Response:
        handler = self._doors.api(api_id)
        if handler is None:
            return _json(404, {"message": "Not Found"})
        if (body := _body(request, MAX_API_BYTES)) is None:
            # API Gateway's own words
            return _closing(413, {"message": "Request Entity Too Large"})
        status, headers, content = handler.handle(request.method, path, _query(request), _headers(request), body)
        return _response(status, headers, content, request.method)

    def _own(self, request: Request, path: str) -> Response:
        clock = self._doors.clock
        if path == "/_engine/health":
            return _json(200, {"status": "ok"})
        if path == "/_engine/ready":
            ready = self._doors.ready()
            return _json(200 if ready else 503, {"ready": ready})
        if path == "/_engine/clock":
            if request.method == "POST":
                speed = (request.get_json(force=True, silent=True) or {}).get("idle_speed")
                if not isinstance(speed, (int, float)) or isinstance(speed, bool) or not 1 <= speed <= 10_000:
                    return _json(400, {"message": 'Send {"idle_speed": n}, n from 1 to 10000.'})
                clock.set_idle_speed(float(speed))
            return _json(200, {"now": clock.now(), "offset": clock.offset})
        return _json(404, {"message": "The engine has /_engine/health, /_engine/ready and /_engine/clock."})


def foreign(host: str, origin: str | None) -> str | None:
    """Return why a request is refused that is addressed to another host or comes from another site's page.

    >>> foreign("127.0.0.1:4566", None)
    >>> foreign("evil.example", None)
    "The host 'evil.example' is not this machine."
    """
    if not _loopback(_hostname("//" + host)):
        return f"The host {host!r} is not this machine."
    if origin is not None and not _loopback(_hostname(origin)):
        return f"Requests from {origin} are not answered."
    return None


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _loopback(name: str | None) -> bool:
    return name is not None and (name in ("127.0.0.1", "localhost", "::1") or name.endswith(".localhost"))


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    # without this, head and body of an answer in two packets cost 40 ms each time
    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing: one line per request would drown what matters."""


def _body(request: Request, most: int) -> bytes | None:
    if (request.content_length or 0) > most:
        return None
    body = request.stream.read(most + 1)
    return None if len(body) > most else body


def _headers(request: Request) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _query(request: Request) -> str:
    return request.query_string.decode("latin-1")


def _response(status: int, headers: Mapping[str, str], body: bytes, method: str) -> Response:
    response = Response(body, status)
    response.headers.clear()
    for name, value in headers.items():
        response.headers[name] = value
    if method != "HEAD" or "Content-Length" not in response.headers:
        response.headers["Content-Length"] = str(len(body))
    response.automatically_set_content_length = False
    return response


def _json(status: int, content: Mapping[str, Any]) -> Response:
    return _response(status, {"Content-Type": "application/json"}, json.dumps(content).encode(), "GET")


def _closing(status: int, content: Mapping[str, Any]) -> Response:
    response = _json(status, content)
    # the rest of the body stays unread, so the connection cannot be used again
    response.headers["Connection"] = "close"
    return response
