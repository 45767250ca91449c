"""The engine's one loopback port: AWS requests, the HTTP API (execute-api) and the engine's own `/_engine/` paths.

Only requests addressed to this machine are answered, and none that a page of another site sent: a browser tab must not
be able to read or change what runs here.
"""

import json
import logging
import math
import re
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import urlsplit

from local.clients import Dispatch
from local.clock import Clock
from local.wire import HttpAnswer, HttpCall

MAX_AWS_BYTES = 1 << 30  # an upload of the largest object that the product takes, with room
MAX_API_BYTES = 10_485_760  # HTTP API quota: payload size
IDLE_SECONDS = 60.0
REACHED_SECONDS = 2.0  # how long a client waits for a named moment before it is told how far time has come
_API_PATH = re.compile(r"/_api/([A-Za-z0-9]+)(/.*)?")


_log = logging.getLogger(__name__)


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
    grants: Callable[[], Mapping[str, Any]] = dict


class Gateway:
    """A threaded HTTP/1.1 server on 127.0.0.1."""

    def __init__(self, doors: Doors, port: int = 0) -> None:
        self._server = _Server(doors, port)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="gateway", daemon=True)

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._server.server_address[1])

    @property
    def endpoint(self) -> str:
        """What AWS_ENDPOINT_URL is set to."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more connections."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, doors: Doors, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.doors = doors

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the base class's signature
        """Say nothing of clients that went away; everything else is a fault of the engine."""
        if not isinstance(sys.exception(), ConnectionError):
            _log.exception("connection failed")


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    # head and body of an answer leave in one packet: two would wait 40 ms for each other
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: one line per request would drown what matters."""

    def send_error(self, code: int, *_: object) -> None:
        """Refuse what cannot be read as a request: in JSON, not with the base class's page for people."""
        body = json.dumps({"message": self.responses[code][0]}).encode()
        self.close_connection = True
        self.request_version = self.protocol_version  # of a request that cannot be read it is unknown
        self.send_response_only(code)
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def handle_expect_100(self) -> bool:
        """Let the body come at once: AWS's clients hold it back for up to a second for want of this line."""
        going = super().handle_expect_100()
        self.wfile.flush()
        return going

    def _serve(self) -> None:
        try:
            answer = self._answer()
        except Exception:  # noqa: BLE001 - the outermost frame of a request: the client must get an answer
            _log.exception("request failed: %s %s", self.command, self.path)
            answer = _json(500, {"message": "Internal Server Error"})
        self.send_response_only(answer.status)
        headers = dict(answer.headers)
        if self.command != "HEAD" or "Content-Length" not in {name.title() for name in headers}:
            headers["Content-Length"] = str(len(answer.body))
        for name, value in headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    # the base class finds methods by these names
    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _serve  # noqa: N815

    def _answer(self) -> HttpAnswer:
        doors = self.server.doors
        headers = self._headers()
        path, _, query = self.path.partition("?")
        api = _API_PATH.match(path)
        if refusal := _refusal(headers, MAX_API_BYTES if api else MAX_AWS_BYTES):
            # what is left of the request stays unread, so the connection cannot be used again
            self.close_connection = True
            return refusal
        call = HttpCall(self.command, path, query, headers, self.rfile.read(int(headers.get("content-length", "0"))))
        if path.startswith("/_engine/"):
            return _own(doors, call)
        if api is None:
            return doors.dispatch(call)
        if (handler := doors.api(api[1])) is None:
            return _json(404, {"message": "Not Found"})
        return HttpAnswer(*handler.handle(call.method, path, query, headers, call.body))

    def _headers(self) -> dict[str, str]:
        joined: dict[str, str] = {}
        for name, value in self.headers.items():
            known = joined.get(name.lower())
            joined[name.lower()] = value if known is None else f"{known},{value}"
        return joined


def _refusal(headers: Mapping[str, str], most: int) -> HttpAnswer | None:
    """Return the answer to a request whose body is not even read, None for all others."""
    if reason := foreign(headers.get("host", ""), headers.get("origin")):
        return _json(403, {"message": reason})
    length = headers.get("content-length", "0")
    if "transfer-encoding" in headers or not length.isdecimal():
        return _json(411, {"message": "Send the body with a Content-Length."})
    if int(length) > most:
        # API Gateway's own words
        return _json(413, {"message": "Request Entity Too Large"})
    return None


def _own(doors: Doors, call: HttpCall) -> HttpAnswer:
    """Answer for the engine itself."""
    if call.path == "/_engine/health":
        return _json(200, {"status": "ok"})
    if call.path == "/_engine/ready":
        ready = doors.ready()
        return _json(200 if ready else 503, {"ready": ready})
    if call.path == "/_engine/grants":
        return _json(200, doors.grants())
    if call.path != "/_engine/clock":
        return _json(
            404, {"message": "The engine has /_engine/health, /_engine/ready, /_engine/grants, /_engine/clock."}
        )
    if call.method == "POST" and not _set(doors.clock, call.body):
        message = 'Send {"idle_speed": n}, n from 1 to 10000, or {"until": epoch seconds}.'
        return _json(400, {"message": message})
    return _json(200, {"now": doors.clock.now(), "offset": doors.clock.offset})


def _set(clock: Clock, body: bytes) -> bool:
    """Do to the clock what a request asks for, and return whether it asks for anything that can be done."""
    try:
        ((what, number),) = json.loads(body).items()
    except (ValueError, TypeError, AttributeError):
        return False
    if not isinstance(number, (int, float)) or isinstance(number, bool):
        return False
    if what == "until" and math.isfinite(number):
        clock.reach(number, REACHED_SECONDS)
        return True
    if what == "idle_speed" and 1 <= number <= 10_000:
        clock.set_idle_speed(float(number))
        return True
    return False


def _json(status: int, content: Mapping[str, Any]) -> HttpAnswer:
    return HttpAnswer(status, {"Content-Type": "application/json"}, json.dumps(content).encode())


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
