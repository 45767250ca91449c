"""The folder of a data directory before it is used: locked for one engine, its base opened, or refused in words."""

import errno
import fcntl
import os
import shutil
import sqlite3
import sys
from importlib.metadata import version
from pathlib import Path

FORMAT = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS facts(name TEXT PRIMARY KEY, value);
CREATE TABLE IF NOT EXISTS kept(part TEXT, key TEXT, value BLOB, PRIMARY KEY(part, key));
CREATE TABLE IF NOT EXISTS calls(number INTEGER PRIMARY KEY, service TEXT, at REAL, seed INTEGER, call BLOB);
"""
_LOCK, _BASE = "lock", "state.sqlite3"


class DataDirectoryError(Exception):
    """The folder cannot be used; the message says why and what to do."""


def locked(folder: Path) -> int:
    """Lock the folder for this process, for as long as it lives."""
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.read(lock, 20).decode() or "unknown"
        os.close(lock)
        message = f"{folder} is used by another laptop engine (pid {owner}). Stop that one, or use another directory."
        raise DataDirectoryError(message) from error
    os.truncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)
    return lock


def opened(folder: Path) -> sqlite3.Connection:
    """Open the base, made anew unless this format wrote it and its first deployment ended."""
    base = _connected(folder)
    written = base.execute("SELECT value FROM facts WHERE name = 'written by'").fetchone()
    if written is not None and written[0] != _writer():
        base.close()
        raise unusable(folder, f"was written by {written[0]}; this engine is {_writer()}")
    if base.execute("SELECT value FROM facts WHERE name = 'complete'").fetchone() is None:
        base.close()
        empty(folder)
        base = _connected(folder)
        base.execute("INSERT INTO facts VALUES('written by', ?)", (_writer(),))
    return base


def _connected(folder: Path) -> sqlite3.Connection:
    base = sqlite3.connect(folder / _BASE, isolation_level=None, check_same_thread=False)
    base.execute("PRAGMA journal_mode = WAL")
    base.execute("PRAGMA synchronous = OFF")
    base.executescript(_TABLES)
    return base


def is_full(error: OSError | sqlite3.Error) -> bool:
    """Tell whether there was no room, or no permission to take more."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def _writer() -> str:
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"format {FORMAT}, moto {version('moto')}, Python {python}"


def unusable(folder: Path, why: OSError | sqlite3.Error | str) -> DataDirectoryError:
    """Return why a folder cannot be used, and what to do."""
    if not isinstance(why, str):
        if is_full(why):
            more = "Free some space there and start again; what it holds is kept."
            return DataDirectoryError(f"{folder} has no room ({why}). {more}")
        why = f"cannot be read ({why})"
    return DataDirectoryError(
        f"{folder} {why}. Begin afresh (`perennial local forget`, or --fresh), or use another directory."
    )


def empty(folder: Path) -> None:
    """Remove everything but the lock."""
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        elif entry.name != _LOCK:
            entry.unlink()
