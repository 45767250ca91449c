"""The container of an endpoint: `/ping` and `/invocations` by the user's model_fn, input_fn, predict_fn and output_fn.

Runs in the jobs' environment, standard library only: `python server.py FD`, FD being a listening socket. What it calls
and in which order: SageMaker Python SDK, "Using Scikit-learn" ("Serve a Model"); what it answers to whom: SageMaker
developer guide, "Use Your Own Inference Code with Hosting Services".
"""

import importlib.util
import os
import socket
import sys
import threading
import traceback
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any


def load(program: Path, model_dir: str) -> tuple[Any, Any]:
    """Return (the user's module, the loaded model)."""
    sys.path.insert(0, str(program.parent))
    found = importlib.util.spec_from_file_location(program.stem, program)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module, module.model_fn(model_dir)


def handler(module: Any, model: Any) -> type[BaseHTTPRequestHandler]:
    """Return what answers one request."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(200 if self.path == "/ping" else 404, b"", "text/plain")

        def do_POST(self) -> None:
            if self.path != "/invocations":
                self._send(404, b"", "text/plain")
                return
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            try:
                given = module.input_fn(body, self.headers.get("content-type", "application/json"))
                said, kind = module.output_fn(module.predict_fn(given, model), self.headers.get("accept", "*/*"))
                self._send(200, said.encode() if isinstance(said, str) else said, kind)
            except Exception as error:  # noqa: BLE001 - the user's code may raise anything
                traceback.print_exc()
                self._send(500, f"{type(error).__name__}: {error}".encode(), "text/plain")

        def log_message(self, *_: Any) -> None:
            """Say nothing of each request."""

        def _send(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Answer


def _end_with_input() -> None:
    os.read(0, 1)  # not sys.stdin, whose lock a thread may not hold while the interpreter ends
    os._exit(0)


def main(descriptor: int) -> None:
    """Serve until standard input ends, as it does when the engine is gone. The model is loaded before any answer."""
    threading.Thread(target=_end_with_input, daemon=True).start()
    listening = socket.socket(fileno=descriptor)
    folder, program = Path(os.environ["SAGEMAKER_SUBMIT_DIRECTORY"]), os.environ["SAGEMAKER_PROGRAM"]
    module, model = load(folder / program, os.environ["SM_MODEL_DIR"])
    server = HTTPServer(("127.0.0.1", 0), handler(module, model), bind_and_activate=False)
    server.socket.close()
    server.socket = listening
    server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
