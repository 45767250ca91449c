"""The seam between the parts of the engine and the data directory: rows that outlive the engine, or none at all."""

import ast
from collections import UserDict
from collections.abc import MutableMapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Protocol


class Keep(Protocol):
    """Rows by part and key. What was put is there again after the engine was killed, if there is a directory."""

    @property
    def folder(self) -> Path | None:
        """Where files may be kept, None when nothing is."""

    def put(self, part: str, key: str, value: object) -> None:
        """Keep `value`, pickled as it is now, in place of what the key had."""

    def remove(self, part: str, key: str) -> None:
        """Forget one row; one that is not there is no error."""

    def forget(self, part: str) -> None:
        """Forget all rows of a part."""

    def rows(self, part: str, /) -> dict[str, Any]:
        """Return all rows of a part, the oldest key first."""

    def together(self) -> AbstractContextManager[None]:
        """What this thread changes inside, moto's state included, is kept as a whole or, after a kill, not at all."""


class Nowhere:
    """Keeps nothing: the state of such an engine ends with it."""

    folder = None

    def put(self, part: str, key: str, value: object) -> None:
        """Do nothing."""

    def remove(self, part: str, key: str) -> None:
        """Do nothing."""

    def forget(self, part: str) -> None:
        """Do nothing."""

    def rows(self, _: str, /) -> dict[str, Any]:
        """Return no rows."""
        return {}

    def together(self) -> AbstractContextManager[None]:
        """Keep nothing together either."""
        return nullcontext()


NOWHERE = Nowhere()


class _Kept(UserDict[Any, Any]):
    def __init__(self, keep: Keep, part: str) -> None:
        super().__init__()
        self.data = {ast.literal_eval(key): value for key, value in keep.rows(part).items()}
        self._keep = keep
        self._part = part

    def __setitem__(self, key: Any, value: Any) -> None:
        self.data[key] = value
        self._keep.put(self._part, repr(key), value)

    def __delitem__(self, key: Any) -> None:
        del self.data[key]
        self._keep.remove(self._part, repr(key))


def kept(keep: Keep, part: str) -> MutableMapping[Any, Any]:
    """Return the rows of a part as a mapping that writes through; keys are texts or tuples of texts.

    A value that changed in place is kept when it is assigned again.
    """
    return {} if keep.folder is None else _Kept(keep, part)
