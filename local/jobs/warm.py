"""The preloaded interpreter as the engine holds it: started once, in front of the real `python3` on a job's PATH."""

import os
import shlex
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

# Third-party modules only. Without polars: it keeps threads, which a fork does not have.
PRELOADED = (
    "numpy",
    "scipy.sparse",
    "sklearn.calibration",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.metrics",
    "sklearn.pipeline",
    "sklearn.preprocessing",
    "sklearn.tree",
    "joblib",
)
_SOCKET_PATH_BYTES = 100  # the kernel takes 108, the server needs a few for the name before it is ready
_SERVER = Path(__file__).with_name("warm_server.py")
_LAUNCHER = Path(__file__).with_name("warm_python.py")


class WarmPython:
    """Runs `python3 -m module` of jobs in forks of one process; `path` belongs in front of a job's PATH.

    Until everything is imported, and for every other call, `python3` is the real interpreter.
    """

    def __init__(
        self, python: Path, folder: Path, preloaded: Sequence[str], prefix: Sequence[str], environment: dict[str, str]
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "bin"
        self.path.mkdir(exist_ok=True)
        address = str(folder / "warm")
        launcher = self.path / "python3"
        launcher.write_text(f'#!/bin/sh\nexec {shlex.join([str(python), "-I", "-S", str(_LAUNCHER), address])} "$@"\n')
        launcher.chmod(0o755)
        self._server: subprocess.Popen[bytes] | None = None
        if preloaded and len(os.fsencode(address)) <= _SOCKET_PATH_BYTES:
            self._server = subprocess.Popen(
                [*prefix, str(python), str(_SERVER), address, *preloaded],
                env=environment,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def close(self) -> None:
        """End the preloaded interpreter."""
        if self._server is not None and self._server.poll() is None:
            os.killpg(self._server.pid, signal.SIGKILL)
            self._server.wait()
