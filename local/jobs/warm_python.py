"""`python3` of a job: lets the preloaded interpreter run `-m module`, and is the real interpreter for all else.

Standard library only, run by `python -I -S warm_python.py SOCKET ARGUMENT...`; the real one takes over whenever the
preloaded one is not there, cannot enter this process's namespaces, or the call is another than `-m`.
"""

import json
import os
import signal
import socket
import sys


def main(address: str, arguments: list[str]) -> None:
    """Exit with the module's exit code, or become the real interpreter."""
    configured = any(name.startswith("PYTHON") and name not in _OWN for name in os.environ)
    if arguments[:1] == ["-m"] and len(arguments) > 1 and not configured:
        code = ask(address, arguments[1:])
        if code is not None:
            sys.exit(code)
    os.execv(sys.executable, [sys.executable, *arguments])


# What the image itself sets; the preloaded interpreter was started with the same values.
_OWN = ("PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE")


def ask(address: str, arguments: list[str]) -> int | None:
    """Run a module in the preloaded interpreter; None when it did not start there."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    wanted = {"arguments": arguments, "directory": os.getcwd(), "environment": dict(os.environ)}  # noqa: PTH109
    text = json.dumps(wanted).encode("utf-8", "surrogateescape")
    namespaces = [os.open(f"/proc/self/ns/{name}", os.O_RDONLY) for name in ("user", "net")]
    try:
        connection.connect(address)
        socket.send_fds(connection, [len(text).to_bytes(8, "big")], [0, 1, 2, *namespaces])
        connection.sendall(text)
        if not connection.recv(1):
            return None
    except OSError:
        return None
    signal.signal(signal.SIGTERM, lambda *_: connection.send(b"t"))
    answer = connection.recv(1)
    return answer[0] if answer else 128 + signal.SIGKILL


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
