"""Uploaded objects as listed -> a data version: when to cut, what to copy, what it consists of, what its id is.

A version is the set of objects that exist now: a new key adds rows, the same key replaces them, a deleted key removes
them. Its id is the hash of sorted (name, SHA-256) pairs: listing order, client, upload method and time change nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

from lifecycle import canonical, keys, names

SCHEMA: Final = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """One current object under `incoming/<dataset>/`: `modified` in epoch seconds, `size` in bytes."""

    name: str
    version_id: str
    size: int
    modified: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One object of a data version: where its immutable copy lies and what it holds."""

    name: str
    version_id: str
    key: str
    sha256: str
    size: int

    def to_plain(self) -> dict[str, Any]:
        """Return the entry as it stands in a manifest."""
        return {
            "name": self.name,
            "version_id": self.version_id,
            "key": self.key,
            "sha256": self.sha256,
            "size": self.size,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """What a data version consists of; `cut_at` is ISO 8601, UTC."""

    dataset: str
    version: str
    cut_at: str
    objects: tuple[Entry, ...]

    def to_plain(self) -> dict[str, Any]:
        """Return the manifest file's content."""
        return {
            "schema": SCHEMA,
            "dataset": self.dataset,
            "version": self.version,
            "cut_at": self.cut_at,
            "objects": [entry.to_plain() for entry in self.objects],
        }

    @classmethod
    def from_plain(cls, raw: Mapping[str, Any]) -> "Manifest":
        """Read a manifest file's content."""
        return cls(
            dataset=raw["dataset"],
            version=raw["version"],
            cut_at=raw["cut_at"],
            objects=tuple(Entry(**entry) for entry in raw["objects"]),
        )


def is_data(name: str) -> bool:
    """Tell whether an uploaded name is data: no folder marker, no `_READY`, no empty name.

    >>> [is_data(name) for name in ("2013/01.csv", "2013/", "_READY", "")]
    [True, False, False, False]
    """
    return bool(name) and not name.endswith("/") and name != keys.READY


def remaining(uploads: Iterable[Upload], now: float, settle_seconds: int) -> int:
    """Return the whole seconds to wait until nothing changed for `settle_seconds`; 0 means cut now.

    A `_READY` object as new as the newest data cuts at once; one left from an earlier batch says nothing about this
    one. Should S3's clock be ahead of ours, the wait is `settle_seconds` at most.
    """
    listed = list(uploads)
    newest = max((upload.modified for upload in listed if is_data(upload.name)), default=None)
    marked = max((upload.modified for upload in listed if upload.name == keys.READY), default=None)
    if newest is None or (marked is not None and marked >= newest):
        return 0
    return max(0, min(settle_seconds, ceil(newest + settle_seconds - now)))


def too_large(uploads: Iterable[Upload]) -> list[Upload]:
    """Return the objects that one S3 CopyObject cannot copy (over 5 GiB)."""
    return [upload for upload in uploads if upload.size > names.COPY_BYTES]


def to_copy(uploads: Iterable[Upload], known: Mapping[str, str]) -> list[Upload]:
    """Return the object versions whose SHA-256 is not in `known` (version id -> SHA-256): those never copied before."""
    return [upload for upload in uploads if upload.version_id not in known]


def version_id(pairs: Iterable[tuple[str, str]]) -> str:
    """Return the id of the content given as (name, SHA-256 hex) pairs."""
    return canonical.digest(sorted([list(pair) for pair in pairs]))


def assemble(dataset: str, uploads: Iterable[Upload], digests: Mapping[str, str], cut_at: str) -> Manifest:
    """Return the data version of `uploads`; `digests` holds the SHA-256 (hex) of each by S3 version id."""
    objects = tuple(
        Entry(
            name=upload.name,
            version_id=upload.version_id,
            key=keys.immutable(dataset, upload.version_id),
            sha256=digests[upload.version_id],
            size=upload.size,
        )
        for upload in sorted(uploads, key=lambda upload: upload.name)
    )
    version = version_id((entry.name, entry.sha256) for entry in objects)
    return Manifest(dataset=dataset, version=version, cut_at=cut_at, objects=objects)


def channel(manifest: Manifest, bucket: str) -> list[Any]:
    """Return the SageMaker ManifestFile of a version: a prefix, then keys relative to it.

    Source: SageMaker API reference, S3DataSource, `S3DataType` ManifestFile.
    """
    prefix = f"s3://{bucket}/{keys.OBJECTS}{manifest.dataset}/"
    return [{"prefix": prefix}, *(entry.version_id for entry in manifest.objects)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Current:
    """The newest version of a dataset. `sequence` counts its cuts: a larger one is newer, whatever the clocks say."""

    version: str
    sequence: int
    cut_at: str

    def to_plain(self) -> dict[str, Any]:
        """Return the content of `current.json`."""
        return {"schema": SCHEMA, "version": self.version, "sequence": self.sequence, "cut_at": self.cut_at}

    @classmethod
    def from_plain(cls, raw: Mapping[str, Any]) -> "Current":
        """Read the content of `current.json`."""
        return cls(version=raw["version"], sequence=raw["sequence"], cut_at=raw["cut_at"])


def follow(current: Current | None, manifest: Manifest) -> Current | None:
    """Return what `current.json` must say after a cut, or None when the content is the newest already."""
    if current is not None and current.version == manifest.version:
        return None
    sequence = 1 if current is None else current.sequence + 1
    return Current(version=manifest.version, sequence=sequence, cut_at=manifest.cut_at)


def names_of(uploads: Sequence[Upload]) -> str:
    """Return object names for a message: all of a few, the first three of many."""
    shown = ", ".join(upload.name for upload in uploads[:3])
    return shown if len(uploads) <= 3 else f"{shown} and {len(uploads) - 3} more"
