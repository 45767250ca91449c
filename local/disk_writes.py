"""Statements for a data directory's base, in order; those that a full disk does not take are owed and go first.

Whoever changes something waits for no disk: that nothing is owed is asked before an answer leaves (`local.lasting`).
"""

import logging
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Statement = tuple[str, tuple[Any, ...]]
_log = logging.getLogger(__name__)


class DiskWrites:
    """Writes to `base`, the base of `folder`. Not for two threads at once."""

    def __init__(self, base: sqlite3.Connection, folder: Path) -> None:
        self._base = base
        self._folder = folder
        self._owed: list[Statement] = []
        self.fault: str | None = None

    def write(self, statements: Sequence[Statement]) -> None:
        """Write `statements` all or none; what the disk does not take is owed, and `fault` says why."""
        try:
            self.attempt(statements)
        except sqlite3.OperationalError as fault:
            if self.fault is None:
                _log.error("%s: %s. Nothing is changed any more until there is room", self._folder, fault)
            self.fault = str(fault)
            self._owed += statements

    def attempt(self, statements: Sequence[Statement]) -> None:
        """Write what is owed and `statements`, all or none; raises sqlite3.OperationalError, and owes no more then."""
        every = [*self._owed, *statements]
        if len(every) == 1:
            self._base.execute(*every[0])
        elif every:
            self._together(every)
        self._owed = []
        if self.fault is not None:
            _log.warning("%s: there is room again, changes are taken", self._folder)
            self.fault = None

    def _together(self, every: Sequence[Statement]) -> None:
        self._base.execute("BEGIN")
        try:
            for statement in every:
                self._base.execute(*statement)
            self._base.execute("COMMIT")
        except sqlite3.OperationalError:
            if self._base.in_transaction:  # of a full disk SQLite may have undone it already
                self._base.execute("ROLLBACK")
            raise
