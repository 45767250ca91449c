"""One instance of an endpoint: its private `/opt/ml`, its process, and requests to it over a loopback socket."""

import contextlib
import http.client
import io
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.jobs.container import IMAGE, SYSTEM_PATH
from local.jobs.opt_ml import OptMl

PING_SECONDS = 180  # developer guide, "Serverless Inference": the container answers a ping within 3 minutes
INVOKE_SECONDS = 60  # the same page: a request takes at most 60 seconds
_SERVER = Path(__file__).with_name("server.py")


class ContainerFailed(Exception):
    """The container ended, or never answered a ping; the message says what it wrote last."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the container said to one request."""

    status: int
    content_type: str
    body: bytes


class Container:
    """A running process that holds a model; starting it is the endpoint's cold start."""

    def __init__(self, python: Path, folder: Path, archive: bytes, environment: Mapping[str, str]) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self._opt_ml = OptMl(folder)
        try:
            with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
                tar.extractall(self._opt_ml.root / "model", filter="data")
        except (tarfile.TarError, OSError, EOFError) as error:
            raise ContainerFailed(f"model.tar.gz cannot be unpacked: {error}") from error
        self._said = folder / "output.txt"
        with socket.create_server(("127.0.0.1", 0)) as listening, self._said.open("wb") as output:
            self._port: int = listening.getsockname()[1]
            self._process = subprocess.Popen(
                [str(python), str(_SERVER), str(listening.fileno())],
                env=self._environment(python, environment),
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(listening.fileno(),),
                start_new_session=True,
            )

    def await_ping(self) -> None:
        """Wait until the container answers a ping. Raises ContainerFailed when it ends first, or never does."""
        until = time.perf_counter() + PING_SECONDS
        while self._process.poll() is None and time.perf_counter() < until:
            # the kernel accepts before the server does: a request waits until the model is loaded
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self._ask("GET", "/ping", b"", {}, seconds=2).status == 200:
                    return
        self.close()
        last = self._said.read_text(errors="replace").strip().splitlines()
        raise ContainerFailed(f"it did not pass the ping health check: {last[-1] if last else 'it wrote nothing'}")

    def invoke(self, body: bytes, content_type: str, accept: str) -> Answer:
        """Pass one request on. Raises TimeoutError after 60 seconds, ContainerFailed when there is no answer."""
        try:
            headers = {"content-type": content_type, "accept": accept}
            return self._ask("POST", "/invocations", body, headers, seconds=INVOKE_SECONDS)
        except TimeoutError:
            raise
        except (OSError, http.client.HTTPException) as error:
            raise ContainerFailed(f"the container gave no answer: {error}") from error

    def close(self) -> None:
        """End the process and what it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()

    def _ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=seconds)
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers.get("content-type", ""), answer.read())
        finally:
            connection.close()

    def _environment(self, python: Path, given: Mapping[str, str]) -> dict[str, str]:
        return {
            **IMAGE,
            "PATH": f"{python.parent}:{SYSTEM_PATH}",
            "HOME": str(self._opt_ml.home),
            "TMPDIR": str(self._opt_ml.tmp),
            "SM_MODEL_DIR": str(self._opt_ml.root / "model"),
            **{key: self._opt_ml.rewritten(value) for key, value in given.items()},
        }
