"""The Lambda Runtime API of one worker, on a loopback port of its own (AWS Lambda developer guide, "Runtime API").

Paths under /2018-06-01/runtime: GET invocation/next, POST invocation/<id>/response, invocation/<id>/error, init/error.
"""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_PREFIX = "/2018-06-01/runtime/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One invocation on its way to the runtime; `deadline_ms` is engine time, epoch milliseconds."""

    request_id: str
    function_arn: str
    deadline_ms: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """What the runtime said: `kind` is ready, response, error or init."""

    kind: str
    body: bytes = b""
    request_id: str = ""


class RuntimeApi:
    """Serves one worker. `tell` gets everything that the runtime says; `idle` is called before it waits for work."""

    def __init__(self, tell: Callable[[Told], None], idle: Callable[[], None]) -> None:
        self.tell = tell
        self.idle = idle
        self.work: queue.SimpleQueue[Delivery | None] = queue.SimpleQueue()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.api = self
        threading.Thread(target=self._server.serve_forever, name="runtime-api", daemon=True).start()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Stop serving, in the background because the server looks up only twice a second."""
        self.work.put(None)
        threading.Thread(target=self._close, name="runtime-api-close", daemon=True).start()

    def _close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    api: RuntimeApi

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay quiet: a killed worker closes its connection in the middle, and its pool already knows."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65_536
    server: _Server

    def do_GET(self) -> None:
        api = self.server.api
        api.tell(Told("ready"))
        api.idle()
        delivery = api.work.get()
        if delivery is None:
            self.close_connection = True
            return
        self._answer(
            200,
            delivery.payload,
            {
                "Lambda-Runtime-Aws-Request-Id": delivery.request_id,
                "Lambda-Runtime-Deadline-Ms": str(delivery.deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": delivery.function_arn,
                "Content-Type": "application/json",
            },
        )

    def do_POST(self) -> None:
        body = self._body()
        match self.path.removeprefix(_PREFIX).split("/"):
            case ["invocation", request_id, "response" | "error" as kind]:
                told = Told(kind, body, request_id)
            case ["init", "error"]:
                told = Told("init", body)
            case _:
                return self._answer(404, b"{}")
        self.server.api.tell(told)
        self._answer(202, b'{"status":"OK"}')
        return None

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response_only(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
