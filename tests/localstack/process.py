"""LocalStack as a process of the test lane: no Docker, no account, loopback only, nothing sent anywhere.

`scripts/test_localstack.sh` makes its environment below build/localstack. The settings are LocalStack's own, each with
the reason beside it; the process sees nothing else of this machine's environment.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = Path(__file__).with_name("plugin")
HOME = ROOT / "build" / "localstack"
READY_SECONDS = 60.0
STOP_SECONDS = 20.0
"""Its own threads sometimes never end; then it is killed."""


@dataclass(frozen=True)
class LocalStack:
    """The running process, and what it writes."""

    url: str
    pid: int
    log: Path

    def listens_on(self) -> set[str]:
        """Return the addresses on which the process takes connections, as Linux tells them; loopback is 0100007F."""
        own = set()
        for descriptor in Path(f"/proc/{self.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed meanwhile
                own.add(str(descriptor.readlink()))
        found = set()
        for table in ("tcp", "tcp6", "udp", "udp6"):
            for line in Path(f"/proc/{self.pid}/net/{table}").read_text().splitlines()[1:]:
                _, address, _, state, *_, inode = line.split()[:10]
                waits = state == "0A" or table.startswith("udp")
                if waits and f"socket:[{inode}]" in own:
                    found.add(address.split(":")[0])
        return found


@contextmanager
def running(folder: Path) -> Iterator[LocalStack]:
    """Run LocalStack with its files in `folder`, and end the process by its id."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    with (folder / "localstack.log").open("wb") as log:
        process = subprocess.Popen(
            [str(HOME / "venv" / "bin" / "python"), "-m", "localstack.runtime.main"],
            cwd=folder,
            env=_environment(folder, port),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            _wait(process, url, folder / "localstack.log")
            yield LocalStack(url, process.pid, folder / "localstack.log")
        finally:
            _stop(process)


def _environment(folder: Path, port: int) -> dict[str, str]:
    for name in ("home", "files", "tmp"):
        (folder / name).mkdir()
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "FILESYSTEM_ROOT": str(folder / "files"),
        # inside a container it would write to /var/lib, /usr/lib and /etc
        "OVERRIDE_IN_DOCKER": "0",
        # the default server ignores the address and listens on all interfaces
        "GATEWAY_SERVER": "hypercorn",
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "LOCALSTACK_HOST": f"127.0.0.1:{port}",
        "DNS_ADDRESS": "0",
        # no telemetry, no download
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        # plugged in by us
        "PYTHONPATH": f"{ROOT}{os.pathsep}{PLUGIN}",
        "LAMBDA_RUNTIME_EXECUTOR": "perennial",
        "PROVIDER_OVERRIDE_DYNAMODB": "moto",
        "PERENNIAL_RUNTIME_PYTHON": str(ROOT / ".venv-runtime" / "bin" / "python"),
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/_localstack/health", timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"LocalStack did not start within {READY_SECONDS:.0f} s:\n{log.read_text()[-4000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    # a dying instance still answers 503, so the process is waited for and not its port
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def installed() -> bool:
    """Whether the environment is there: the lane's script makes it."""
    return (HOME / "venv" / ".stamp").exists() and shutil.which(str(HOME / "venv" / "bin" / "python")) is not None
