"""The laptop engine as a child process: synthesize what is out of date, start, wait until deployed, stop."""

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cli import output
from cli.follow import Board
from cli.target import STATE_FILE, running_engine

ASSEMBLY = Path("cdk.out")
DATA = STATE_FILE.parent / "data"
SYNTH_STAMP = Path("build/synth.sha256")
_SOURCES = ("lifecycle", "cloud", "tabular", "lambdas", "training", "stacks", "models")
_LOCKS = ("requirements/layer-base.lock", "requirements/layer-tabular.lock", "requirements/layer-numpy.lock")
_FILES = ("app.py", "cdk.json", "stages.yaml", *_LOCKS)
_STOP_SECONDS = 20


class EngineProcess:
    """One running engine. Use as a context manager: leaving it ends the engine and everything it started."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process = process
        self._log = log

    def __enter__(self) -> "EngineProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def phases(self) -> Iterator[dict[str, Any]]:
        """Yield what the engine reports until it is ready; ends the command when it stops before."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if not line.startswith("{"):
                continue
            phase = json.loads(line)
            yield phase
            if phase["event"] == "ready":
                return
        self._process.wait()
        output.fail(
            f"the laptop engine stopped while starting (exit {self._process.returncode}); see {self._log}.\n"
            + _last_words(self._log)
        )

    def wait(self) -> int:
        """Wait until the engine ends and return its exit code."""
        # in short waits: polars replaces the handler of Ctrl-C by one that restarts a blocking wait for ever
        while self._process.poll() is None:
            time.sleep(0.2)
        return int(self._process.returncode)

    def stop(self) -> None:
        """End the engine; it ends its children. Kills it when it does not end in time."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        STATE_FILE.unlink(missing_ok=True)


def synthesize(stage: str | None, board: Board) -> None:
    """Run `app.py` when anything it reads has changed since the last time; ends the command when it fails."""
    stamp = f"{stage} {_fingerprint()}"
    if (ASSEMBLY / "manifest.json").exists() and SYNTH_STAMP.exists() and SYNTH_STAMP.read_text() == stamp:
        board.done("synthesized templates are current")
        return
    with board.doing("synthesize the CDK app"):
        environment = _clean_environment()
        if stage:
            environment["CDK_CONTEXT_JSON"] = json.dumps({"stage": stage})
        ran = subprocess.run([sys.executable, "app.py"], env=environment, capture_output=True, text=True, check=False)
    if ran.returncode:
        output.fail(f"`python app.py` failed:\n{ran.stderr.strip() or ran.stdout.strip()}")
    SYNTH_STAMP.parent.mkdir(exist_ok=True)
    SYNTH_STAMP.write_text(stamp)


def need_none(port: int | None) -> None:
    """End the command when an engine runs from this checkout, or when the port is taken."""
    if (other := running_engine()) is not None:
        output.fail(
            f"a laptop engine already runs here (pid {other['pid']}, {other['endpoint']}). Use it: perennial upload, "
            "perennial status; or stop it with Ctrl-C in its terminal."
        )
    if port is not None:
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("127.0.0.1", port))
            except OSError as error:
                output.fail(f"port {port} cannot be used ({error.strerror}). Choose another, or leave --port out.")


def start(
    *, idle_speed: float, port: int | None, begin: float | None = None, data: Path | None = None
) -> EngineProcess:
    """Start the engine on `cdk.out`, at engine time `begin` (default: now). `need_none` says beforehand if it may.

    `data` is a folder that keeps its state (default: it ends with the engine).
    """
    STATE_FILE.parent.mkdir(mode=0o700, exist_ok=True)
    log = STATE_FILE.parent / "engine.log"
    command = [sys.executable, "-m", "local.engine", "--cdk-out", str(ASSEMBLY), "--state-file", str(STATE_FILE)]
    command += ["--idle-speed", str(idle_speed), *(["--port", str(port)] if port else [])]
    command += [*(["--begin", str(begin)] if begin is not None else []), *(["--data", str(data)] if data else [])]
    with log.open("w") as errors:
        process = subprocess.Popen(
            command, env=_clean_environment(), stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True
        )
    return EngineProcess(process, log)


def _last_words(log: Path) -> str:
    """Return the end of a log: of a stack trace its last line only."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    trace = max((i for i, line in enumerate(lines) if line.startswith(("Traceback", "  "))), default=-1)
    return "\n".join(lines[trace + 1 :][-15:])


def _clean_environment() -> dict[str, str]:
    """The caller's environment, with bytecode on, Node of this environment first, and no AWS settings."""
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "CDK_")) and k != "PYTHONDONTWRITEBYTECODE"
    }
    return kept | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"}


def _fingerprint() -> str:
    """Hash of names, sizes and modification times of everything that synth reads (content would cost reading it)."""
    digest = hashlib.sha256()
    files = [Path(name) for name in _FILES] + [p for top in _SOURCES for p in sorted(Path(top).rglob("*"))]
    for file in files:
        if file.is_file() and "__pycache__" not in file.parts and "data" not in file.parts:
            status = file.stat()
            digest.update(f"{file} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def report(process: EngineProcess, board: Board) -> dict[str, Any]:
    """Show the engine's phases until it is ready, and return its state."""
    began = time.perf_counter()
    for phase in process.phases():
        if phase["event"] != "ready":
            board.done(str(phase.get("text", phase["event"])), phase.get("seconds"))
    board.done("laptop engine is ready", time.perf_counter() - began)
    state = running_engine()
    if state is None:
        output.fail("the laptop engine reported ready and ended at once; see .perennial/engine.log")
    return state
