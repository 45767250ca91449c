"""Zips of functions and layers -> read-only folders, one per content, unpacked once.

Lambda runs functions as another user than the one who packed them: an entry that others may not read is `permission
denied` there and would pass here, so it is refused when the package arrives.
"""

import base64
import hashlib
import io
import os
import shutil
import threading
import zipfile
from pathlib import Path

from local.functions.model import Code, invalid_value

UNZIPPED_BYTES = 262_144_000
"""Function and layers together, unzipped (AWS Lambda developer guide, "Lambda quotas")."""

_UNIX = 3
_READABLE_BY_OTHERS = 0o004
_EXECUTABLE = 0o111


class Packages:
    """Unpacks packages under `folder`; the zips are there, too, or in `zips`, which may be older than the engine."""

    def __init__(self, folder: Path, zips: Path | None = None) -> None:
        self._folder = folder
        self._zips = zips or folder / "zips"
        self._lock = threading.Lock()
        self._unzipped: dict[str, int] = {}
        for place in (self._zips, folder / "unpacked"):
            place.mkdir(parents=True, exist_ok=True)

    def store(self, content: bytes) -> Code:
        """Check and keep a zip.

        Raises
        ------
        ApiError
            InvalidParameterValueException when it is no zip, an entry cannot be read by others, or it is too large.
        """
        digest = hashlib.sha256(content).digest()
        code = Code(sha256=base64.b64encode(digest).decode(), size=len(content), zip=self._zips / digest.hex())
        if code.sha256 not in self._unzipped:
            self._unzipped[code.sha256] = _check(content)
            aside = code.zip.with_name(f"{digest.hex()}.{threading.get_ident()}")
            aside.write_bytes(content)
            aside.replace(code.zip)
        return code

    def check_size(self, codes: list[Code]) -> None:
        """Raise InvalidParameterValueException when a function and its layers are too large together."""
        total = sum(self._size(code) for code in codes)
        if total > UNZIPPED_BYTES:
            raise invalid_value(f"Unzipped size must be smaller than {UNZIPPED_BYTES} bytes, found {total}")

    def _size(self, code: Code) -> int:
        if code.sha256 not in self._unzipped:
            self._unzipped[code.sha256] = _check(code.zip.read_bytes())
        return self._unzipped[code.sha256]

    def folder(self, code: Code) -> Path:
        """Return the read-only folder that holds a package's files."""
        target = self._folder / "unpacked" / code.zip.name
        with self._lock:
            if not target.exists():
                # unpacked aside and renamed, so that a killed engine leaves no half package under the final name
                aside = target.with_name(f".{target.name}.{os.getpid()}")
                shutil.rmtree(aside, ignore_errors=True)
                _unpack(code.zip, aside)
                aside.replace(target)
        return target


def _check(content: bytes) -> int:
    """Return the unzipped size of a package that may be used."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
    except zipfile.BadZipFile as error:
        raise invalid_value(f"Could not unzip uploaded file. Please check your file: {error}") from error
    hidden = [
        entry.filename
        for entry in entries
        if entry.create_system == _UNIX and not (entry.external_attr >> 16) & _READABLE_BY_OTHERS
    ]
    if hidden:
        raise invalid_value(
            f"The package has entries that others may not read, so Lambda could not read them: {', '.join(hidden[:5])}"
            f"{' and more' if len(hidden) > 5 else ''}. Write them with mode 0644 (0755 for programs)."
        )
    return sum(entry.file_size for entry in entries)


def _unpack(source: Path, target: Path) -> None:
    target.mkdir()
    with zipfile.ZipFile(source) as archive:
        for entry in archive.infolist():
            written = Path(archive.extract(entry, target))
            if not entry.is_dir():
                written.chmod(0o444 | (entry.external_attr >> 16) & _EXECUTABLE)
    for folder in (target, *(path for path in target.rglob("*") if path.is_dir())):
        folder.chmod(0o555)
