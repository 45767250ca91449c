"""What makes an engine last: its data directory is restored at the start, and kept up to date until it is frozen.

An orderly end is a snapshot and then as if killed: nothing that ends with the engine is written down as ended.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from local import moto_changes, moto_state, native_memory
from local.api import ApiError
from local.clock import Clock
from local.data_directory import DataDirectory
from local.keeping import NOWHERE, Keep
from local.moto_journal import READS, Journal

SAVE_SECONDS = 1.0
"""Machine time between two looks at what is kept now and then: the clock, metrics, the length of the journal."""

MOST_CALLS = 1_000
"""Calls after which a snapshot takes the journal's place: about a second of replaying."""

REST = 20.0
"""Times as long as a snapshot took until the next one: nobody is answered while one is taken."""

_TIME = "engine time"
_log = logging.getLogger(__name__)


class Lasting:
    """The state of one engine on disk, or nowhere when `folder` is None; `resumed`: an earlier engine left some.

    Raises DataDirectoryError.
    """

    resumed = False

    def __init__(self, folder: Path | None, clock: Clock, *, fresh: bool = False) -> None:
        self._clock = clock
        self._directory = None if folder is None else DataDirectory(folder, fresh=fresh)
        self.keep: Keep = self._directory or NOWHERE
        self._journal = None if self._directory is None else Journal(self._directory)
        self._saves: Sequence[Callable[[], None]] = ()
        self._frozen = threading.Event()
        self._rested = 0.0

    def restore(self) -> float:
        """Bring moto to where it was, and return the engine time of it (0.0 at the very first start)."""
        moto_state.reset()
        if self._directory is None or self._journal is None:
            return 0.0
        self.resumed = self._directory.fact("complete") is not None
        return max(self._journal.restore(), self._directory.fact(_TIME) or 0.0)

    def confirm(self, operation: str) -> None:
        """Let nobody change anything, nor hear of a change, that is not on disk (`Dispatcher.confirm`).

        Raises ApiError InternalFailure, as AWS does of itself: clients send the request again.
        """
        if self._directory is not None and self._directory.fault is not None and READS.match(operation) is None:
            message = (
                f"The laptop engine cannot write to {self._directory.folder}: {self._directory.fault}. Free some space "
                "there and send the request again; what was answered is kept."
            )
            raise ApiError("InternalFailure", message, 500)

    @contextmanager
    def recording(self, saves: Sequence[Callable[[], None]]) -> Iterator[None]:
        """Keep every change; `saves` are called now and then, for what changes too often."""
        self._saves = saves
        if self._journal is not None:
            moto_changes.tell(self._journal)
            threading.Thread(target=self._run, name="data-directory", daemon=True).start()
        yield
        self._freeze()

    def deployed(self) -> None:
        """Say that a deployment ended well: from now on what is there is worth keeping."""
        if self._directory is not None and self._journal is not None:
            self._directory.finish_first()
            self._snapshot()

    def _freeze(self) -> None:
        """Write down everything, and nothing more after it."""
        self._frozen.set()
        if self._directory is not None and self._journal is not None:
            self._save()
            self._snapshot()
            moto_changes.tell(None)
            self._directory.close()

    def _run(self) -> None:
        assert self._directory is not None
        assert self._journal is not None
        while not self._frozen.wait(SAVE_SECONDS):
            if self._directory.settle():
                self._save()
                self._shorten()

    def _shorten(self) -> None:
        """Let a snapshot take the journal's place when it is long, but not all the time."""
        assert self._directory is not None
        began = time.perf_counter()
        if began >= self._rested and self._directory.journal_length() > MOST_CALLS:
            self._snapshot()
            native_memory.give_back()
            ended = time.perf_counter()
            self._rested = ended + REST * (ended - began)

    def _snapshot(self) -> None:
        """Take a snapshot; without room for it the journal stays."""
        assert self._directory is not None
        assert self._journal is not None
        try:
            self._journal.snapshot()
        except (OSError, sqlite3.OperationalError) as fault:
            _log.error("%s: no snapshot, the journal stays: %s", self._directory.folder, fault)

    def _save(self) -> None:
        assert self._directory is not None
        for save in self._saves:
            save()
        self._directory.set_fact(_TIME, self._clock.now())
