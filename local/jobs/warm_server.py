"""A preloaded interpreter: imports libraries once, then forks a process for each `python3 -m module` of a job.

Runs in the jobs' environment, standard library only: `python warm_server.py SOCKET MODULE...`. A fork is a process of
its own session; it gets the caller's standard streams, directory, environment and network namespace. Whoever asked is
watched: when it asks for SIGTERM the whole session gets it, when it disappears the session is killed.
"""

import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import runpy
import select
import signal
import socket
import sys
import warnings
from typing import Any

STREAMS = 3
WRITERS = (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom)
CODES = range(256)
_ended: list[int] = []  # the exit code of a module that ended without an exception to tell of


def main(address: str, modules: list[str]) -> None:
    """Import `modules` as far as they exist, then serve until killed."""
    del sys.path[0]  # the folder of this file is no part of a job
    atexit.register(leave)  # the first one registered is the last one called
    for module in modules:
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    gc.freeze()  # a collection in a fork would copy all that was imported
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(address + ".new")
    listener.listen(16)
    os.rename(address + ".new", address)  # noqa: PTH104 - the socket appears when everything is imported
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        connection, _ = listener.accept()
        if fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            keep(connection)
        connection.close()


def fork() -> int:
    """Fork; the libraries' idle threads (OpenBLAS, jemalloc) are prepared for it, so Python need not warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def keep(connection: socket.socket) -> None:
    """Serve one caller: fork its process, which alone ends the ordinary way; this process ends with it."""
    head, descriptors, _, _ = socket.recv_fds(connection, 8, STREAMS + 2)
    size, text = int.from_bytes(head, "big"), b""
    while len(text) < size:
        text += connection.recv(size - len(text))
    wanted = json.loads(text)
    try:
        enter(descriptors[STREAMS:])
    except OSError:
        os._exit(1)  # the caller sees the connection end without an answer and starts an interpreter itself
    connection.sendall(b"s")
    child = fork()
    if child == 0:
        connection.close()
        become(wanted, descriptors)
    with contextlib.suppress(OSError):
        watch(connection, child)
    os._exit(0)


def enter(namespaces: list[int]) -> None:
    """Join the caller's user and network namespaces unless they are ours already."""
    for name, descriptor in zip(("user", "net"), namespaces, strict=True):
        if os.fstat(descriptor).st_ino != os.stat(f"/proc/self/ns/{name}").st_ino:  # noqa: PTH116
            os.setns(descriptor, 0)


def watch(connection: socket.socket, child: int) -> None:
    """Pass signals on and report the exit code as a shell would."""
    ended = os.pidfd_open(child)
    while True:
        ready, _, _ = select.select([connection.fileno(), ended], [], [])
        if ended in ready:
            break
        order = connection.recv(1)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGTERM if order else signal.SIGKILL)
        if not order:
            break
    _, status = os.waitpid(child, 0)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(status)
    connection.sendall(bytes([code if code >= 0 else 128 - code]))


def become(wanted: dict[str, Any], descriptors: list[int]) -> None:
    """Turn this fork into `python3 -m module`."""
    os.setsid()
    for target, source in enumerate(descriptors[:STREAMS]):
        os.dup2(source, target)
    for descriptor in descriptors:
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(wanted["environment"])
    os.chdir(wanted["directory"])
    sys.path.insert(0, wanted["directory"])
    module, *arguments = wanted["arguments"]
    sys.argv = ["-m", *arguments]
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()  # forks must not share the state of the global generator
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as asked:
        code = 0 if asked.code is None else asked.code
        if isinstance(code, int) and code in CODES:
            _ended.append(code)
        raise
    _ended.append(0)
    sys.exit(0)


def leave() -> None:
    """Be the last step of an ordinary end: threads are joined, other exit functions have run.

    What an interpreter does then, it does to give back memory, and a fork copies that first: a tenth of a second. Files
    that are still open are the exception.
    """
    if _ended:
        for kept in (sys.stdout, sys.stderr, *gc.get_objects()):
            if type(kept) in WRITERS and not kept.closed:
                kept.flush()
        os._exit(_ended[0])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
