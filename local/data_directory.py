"""One folder that outlives the engine: SQLite for rows and journal, files for large objects, a lock against a second.

A row is written before the answer that it belongs to leaves. `synchronous` is off: a killed engine loses nothing that
it wrote, a machine that loses its power may (docs/decisions/0096-a-data-directory.md).
"""

import hashlib
import os
import pickle
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.data_folder import empty, locked, opened, unusable
from local.disk_writes import DiskWrites

_PUT = "INSERT INTO kept VALUES(?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"
_OBJECTS = "objects"


class DataDirectory:
    """The open folder. Use from any thread; after `close` nothing is written any more. `fresh` empties it first.

    Raises
    ------
    DataDirectoryError
        when another engine has it, another version wrote it, or it cannot be read.
    """

    def __init__(self, folder: Path, *, fresh: bool = False) -> None:
        self.folder = folder = folder.absolute()
        self._guard = threading.Lock()
        self.whole = threading.RLock()
        self._mine = threading.local()
        self._closed = False
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._locked = locked(folder)
            if fresh:
                empty(folder)
            self._base = opened(folder)
            self._writes = DiskWrites(self._base, folder)
        except (OSError, sqlite3.Error) as error:
            raise unusable(folder, error) from error

    def close(self) -> None:
        """Write no more, and let another engine have the folder."""
        with self._guard:
            if not self._closed:
                self._closed = True
                self._base.close()
                os.close(self._locked)

    @property
    def fault(self) -> str | None:
        """Why what was changed last is not on disk yet, None when everything is."""
        return self._writes.fault

    def settle(self) -> bool:
        """Write what the disk did not take before; return whether it is there now."""
        with self._guard:
            if not self._closed:
                self._writes.write([])
        return self.fault is None

    def finish_first(self) -> None:
        """Mark the folder as one whose first deployment ended; any other is begun afresh."""
        self.set_fact("complete", 1)

    def fact(self, name: str) -> Any:
        """Return a number or bytes by name, None when it was never set."""
        with self._guard:
            row = self._base.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return row and row[0]

    def set_fact(self, name: str, value: float | bytes | str) -> None:
        """Set a number, bytes or a text by name."""
        self._write("INSERT OR REPLACE INTO facts VALUES(?, ?)", (name, value))

    def put(self, part: str, key: str, value: object) -> None:
        """See `Keep`."""
        self._write(_PUT, (part, key, pickle.dumps(value, pickle.HIGHEST_PROTOCOL)))

    def remove(self, part: str, key: str) -> None:
        """See `Keep`."""
        self._write("DELETE FROM kept WHERE part = ? AND key = ?", (part, key))

    def forget(self, part: str) -> None:
        """See `Keep`."""
        self._write("DELETE FROM kept WHERE part = ?", (part,))

    def rows(self, part: str) -> dict[str, Any]:
        """See `Keep`."""
        with self._guard:
            found = self._base.execute("SELECT key, value FROM kept WHERE part = ? ORDER BY rowid", (part,)).fetchall()
        return {key: pickle.loads(value) for key, value in found}

    @contextmanager
    def together(self) -> Iterator[None]:
        """See `Keep`; no snapshot is taken meanwhile (`whole` is held): it would know what the journal does not yet."""
        with self.whole:
            rows: list[tuple[str, tuple[Any, ...]]] = []
            self._mine.rows = rows
            try:
                yield
            finally:
                del self._mine.rows
                with self._guard:
                    if not self._closed:
                        self._writes.write(rows)

    def append(self, service: str, at: float, seed: int, call: bytes) -> None:
        """Add one call to the journal."""
        self._write("INSERT INTO calls(service, at, seed, call) VALUES(?, ?, ?, ?)", (service, at, seed, call))

    def journal(self) -> Iterator[tuple[str, float, int, bytes]]:
        """Yield service, engine time, seed and call of everything in the journal, in order."""
        last = 0
        while True:
            with self._guard:
                query = "SELECT number, service, at, seed, call FROM calls WHERE number > ? ORDER BY number LIMIT 200"
                rows = self._base.execute(query, (last,)).fetchall()
            if not rows:
                return
            for number, service, at, seed, call in rows:
                last = number
                yield service, at, seed, call

    def journal_length(self) -> int:
        """Return how many calls the journal holds."""
        with self._guard:
            return int(self._base.execute("SELECT count(*) FROM calls").fetchone()[0])

    def snapshot(self, state: bytes) -> None:
        """Put the state that the journal led to in place of the journal; nobody may append meanwhile.

        Raises sqlite3.OperationalError when there is no room for it; the journal stays then.
        """
        with self._guard:
            if not self._closed:
                kept = ("INSERT OR REPLACE INTO facts VALUES('moto', ?)", (state,))
                self._writes.attempt([kept, ("DELETE FROM calls", ())])

    def store(self, content: bytes) -> str:
        """Keep a large object's content in a file of its own, and return its name."""
        name = hashlib.sha256(content).hexdigest()
        target = self.object(name)
        if not target.exists():
            target.parent.mkdir(exist_ok=True)
            aside = target.with_name(f".{name}.{threading.get_ident()}")
            try:
                aside.write_bytes(content)
                aside.replace(target)
            except OSError:
                aside.unlink(missing_ok=True)
                raise
        return name

    def object(self, name: str) -> Path:
        """Return the file of a large object."""
        return self.folder / _OBJECTS / name

    def keep_only(self, names: set[str]) -> None:
        """Remove the files of objects that are no more."""
        for file in (self.folder / _OBJECTS).glob("*"):
            if file.name not in names:
                file.unlink(missing_ok=True)

    def _write(self, statement: str, values: tuple[Any, ...]) -> None:
        rows = getattr(self._mine, "rows", None)
        if rows is not None:
            rows.append((statement, values))
            return
        with self._guard:
            if not self._closed:
                self._writes.write([(statement, values)])
