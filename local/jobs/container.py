"""A container's process as a process group of its own: minimal environment, no network, stopped as SageMaker stops."""

import logging
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from local.clock import Clock
from local.jobs.memory import Watch
from local.jobs.opt_ml import OptMl

GRACE_SECONDS = 120  # StopTrainingJob: SIGTERM, then 120 seconds
LOOK_SECONDS = 0.05  # of machine time
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"
IMAGE = {"LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}  # set by the image itself
_LOG = logging.getLogger(__name__)
_NO_NETWORK = ("unshare", "--user", "--map-current-user", "--net", "--")
_DIE_WITH_ENGINE = ("setpriv", "--pdeathsig", "KILL", "--")
_DIE_FIRST = ("choom", "--adjust", "1000", "--")
"""Where a machine has no memory left its kernel ends a process: not the engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to run. `path` is the PATH before the system's own folders; `until` is engine time.

    `memory_mb` is how much memory all processes together may have, None for any.
    """

    arguments: Sequence[str]
    environment: Mapping[str, str]
    path: str
    isolated: bool
    until: float
    memory_mb: int | None = None


@dataclass(frozen=True, slots=True)
class Exit:
    """How the process ended. `code` is a shell's: 128 + signal number for a kill."""

    code: int
    timed_out: bool
    stopped: bool
    out_of_memory: bool = False


@dataclass(frozen=True, slots=True)
class Orders:
    """How others end a process: `stop` as SageMaker stops a job, `kill` at once (the engine itself ends)."""

    stop: threading.Event
    kill: threading.Event


def run(command: Command, opt_ml: OptMl, clock: Clock, orders: Orders, write: Callable[[str], None]) -> Exit:
    """Run a command to its end, or end its whole group at the time limit or when ordered to.

    `write` gets each line of standard output and standard error.
    """
    process = subprocess.Popen(
        [*prefix(command.isolated), *map(opt_ml.rewritten, command.arguments)],
        env=_environment(command, opt_ml),
        cwd=opt_ml.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    ended = threading.Event()
    waiter = threading.Thread(target=_wait, args=(process, ended), name=f"wait-{process.pid}", daemon=True)
    reader = threading.Thread(target=_read, args=(process, write), name=f"read-{process.pid}", daemon=True)
    waiter.start()
    reader.start()
    timed_out = stopped = False
    memory = Watch(opt_ml.folder, command.memory_mb)
    kill_at: float | None = None
    while not ended.wait(LOOK_SECONDS) and not orders.kill.is_set() and not memory.is_over():
        if kill_at is None:
            timed_out, stopped = clock.now() >= command.until, orders.stop.is_set()
            if timed_out or stopped:
                _signal(process, signal.SIGTERM)
                kill_at = clock.now() + GRACE_SECONDS
        elif clock.now() >= kill_at:
            break
    # a container takes all its processes with it
    _signal(process, signal.SIGKILL)
    waiter.join()
    reader.join()
    code = process.returncode
    return Exit(code if code >= 0 else 128 - code, timed_out, stopped, memory.over)


def _wait(process: subprocess.Popen[bytes], ended: threading.Event) -> None:
    process.wait()
    ended.set()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return  # nobody of the group is left


def _read(process: subprocess.Popen[bytes], write: Callable[[str], None]) -> None:
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            write(line.decode("utf-8", "replace").rstrip("\r\n"))


def _environment(command: Command, opt_ml: OptMl) -> dict[str, str]:
    """Return what the image and the template set; nothing of this machine's environment."""
    return {
        **IMAGE,
        "PATH": f"{command.path}:{SYSTEM_PATH}",
        "HOME": str(opt_ml.home),
        "TMPDIR": str(opt_ml.tmp),
        **{key: opt_ml.rewritten(value) for key, value in command.environment.items()},
    }


def prefix(isolated: bool) -> list[str]:
    """Return what stands before a command: it dies with the engine or before it, without network when `isolated`."""
    return [*_usable(_DIE_FIRST), *_usable(_DIE_WITH_ENGINE), *(_usable(_NO_NETWORK) if isolated else ())]


@lru_cache(maxsize=3)
def _usable(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the prefix when this machine can run it; say once when it cannot."""
    if shutil.which(words[0]) and subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0:
        return words
    _LOG.warning("`%s` does not work on this machine: jobs run without it", " ".join(words))
    return ()
