"""A folder that answers as `cloud.objects.Bucket` does, so that only our own work is measured."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cloud.objects import Stored


class Folder:
    """One bucket; `read_keys` are those that were read, in order."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.read_keys: list[str] = []
        self._stored = {str(path.relative_to(root)): _entry(root, path) for path in root.rglob("*") if path.is_file()}

    def read(self, key: str) -> bytes | None:
        self.read_keys.append(key)
        return (self._root / key).read_bytes()

    def need(self, key: str) -> bytes:
        self.read_keys.append(key)
        return (self._root / key).read_bytes()

    def need_json(self, key: str) -> Any:
        return json.loads(self.need(key))

    def write(self, key: str, body: bytes) -> None:
        path = self._root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        self._stored[key] = _entry(self._root, path)

    def keys(self, prefix: str, *, after: str = "") -> Iterator[str]:
        yield from (entry.key for entry in self.stored(prefix, after=after))

    def stored(self, prefix: str, *, after: str = "") -> Iterator[Stored]:
        for key in sorted(self._stored):
            if key.startswith(prefix) and key > after:
                yield self._stored[key]


def _entry(root: Path, path: Path) -> Stored:
    status = path.stat()
    return Stored(str(path.relative_to(root)), f"{status.st_size}", status.st_mtime)
