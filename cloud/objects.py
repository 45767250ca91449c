"""One S3 bucket: read, write, list, and copy server-side with a SHA-256 that S3 computes."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from cloud.faults import code, translated
from lifecycle import keys
from lifecycle.errors import Unavailable
from lifecycle.versions import Upload

_MISSING = frozenset({"NoSuchKey", "NoSuchVersion", "404", "NotFound"})
_EXISTS = frozenset({"PreconditionFailed", "412"})
TYPES = {
    ".json": "application/json",
    ".html": "text/html; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as a listing shows it; `tag` changes with each write, `modified` is in epoch seconds."""

    key: str
    tag: str
    modified: float


class Bucket:
    """One bucket."""

    def __init__(self, s3: Any, name: str) -> None:
        self._s3 = s3
        self.name = name

    def uri(self, key: str) -> str:
        """Return the s3:// address of a key or prefix."""
        return f"s3://{self.name}/{key}"

    def read(self, key: str) -> bytes | None:
        """Return an object's bytes, or None when there is no such object."""
        try:
            with translated(f"read {self.uri(key)}"):
                body: bytes = self._s3.get_object(Bucket=self.name, Key=key)["Body"].read()
        except ClientError as error:
            if code(error) in _MISSING:
                return None
            raise
        return body

    def need(self, key: str) -> bytes:
        """Return an object's bytes. Raises Unavailable when it is not there: somebody else should have written it."""
        body = self.read(key)
        if body is None:
            raise Unavailable(f"{self.uri(key)} does not exist (yet); an earlier step writes it")
        return body

    def read_json(self, key: str) -> Any:
        """Return a JSON object's value, or None when there is no such object."""
        body = self.read(key)
        return None if body is None else json.loads(body)

    def need_json(self, key: str) -> Any:
        """Return a JSON object's value. Raises Unavailable when it is not there."""
        return json.loads(self.need(key))

    def write(self, key: str, body: bytes) -> None:
        """Write an object; its content type follows the key's ending."""
        kind = TYPES.get(Path(key).suffix, "application/octet-stream")
        with translated(f"write {self.uri(key)}"):
            self._s3.put_object(Bucket=self.name, Key=key, Body=body, ContentType=kind)

    def write_json(self, key: str, value: Any) -> None:
        """Write a value as indented JSON."""
        self.write(key, json.dumps(value, indent=1, sort_keys=True, allow_nan=False).encode() + b"\n")

    def download(self, key: str, target: Path) -> None:
        """Copy an object into a file. Raises Unavailable when it is not there."""
        if not self._save(target, Key=key):
            raise Unavailable(f"{self.uri(key)} does not exist (yet)")

    def download_version(self, key: str, version_id: str, target: Path) -> bool:
        """Copy one version of an object into a file; False when that version was deleted for good."""
        return self._save(target, Key=key, VersionId=version_id)

    def _save(self, target: Path, **wanted: str) -> bool:
        with translated(f"read {self.uri(wanted['Key'])}"):
            try:
                stream = self._s3.get_object(Bucket=self.name, **wanted)["Body"]
            except ClientError as error:
                if code(error) in _MISSING:
                    return False
                raise
            with target.open("wb") as file:
                for chunk in stream.iter_chunks(1 << 20):
                    file.write(chunk)
        return True

    def upload(self, source: Path, key: str) -> str:
        """Copy a file into an object; return the id of the version that it became."""
        with source.open("rb") as file, translated(f"write {self.uri(key)}"):
            return str(self._s3.put_object(Bucket=self.name, Key=key, Body=file).get("VersionId", "null"))

    def keys(self, prefix: str, *, after: str = "") -> Iterator[str]:
        """Yield the keys under a prefix in order; those that sort after `after` only, when it is given."""
        beginning = {"StartAfter": after} if after else {}
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix, **beginning)
        with translated(f"list {self.uri(prefix)}"):
            for page in pages:
                for entry in page.get("Contents", []):
                    yield entry["Key"]

    def folders(self, prefix: str) -> Iterator[str]:
        """Yield the prefixes, up to the next slash, that hold objects under a prefix."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix, Delimiter="/")
        with translated(f"list {self.uri(prefix)}"):
            for page in pages:
                for entry in page.get("CommonPrefixes", []):
                    yield entry["Prefix"]

    def delete(self, key: str) -> None:
        """Delete an object, if there is one; in a versioned bucket its versions stay."""
        with translated(f"delete {self.uri(key)}"):
            self._s3.delete_object(Bucket=self.name, Key=key)

    def stored(self, prefix: str, *, after: str = "") -> Iterator[Stored]:
        """Yield the objects under a prefix in the order of their keys, as `keys` does."""
        beginning = {"StartAfter": after} if after else {}
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix, **beginning)
        with translated(f"list {self.uri(prefix)}"):
            for page in pages:
                for entry in page.get("Contents", []):
                    yield Stored(entry["Key"], entry["ETag"].strip('"'), entry["LastModified"].timestamp())

    def sizes(self, prefix: str) -> Iterator[int]:
        """Yield the stored bytes of each object under a prefix."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        with translated(f"list {self.uri(prefix)}"):
            for page in pages:
                for entry in page.get("Contents", []):
                    yield entry["Size"]

    def uploads(self, dataset: str) -> list[Upload]:
        """Return all current objects under `incoming/<dataset>/`, folder markers and `_READY` included."""
        prefix = keys.incoming(dataset)
        pages = self._s3.get_paginator("list_object_versions").paginate(Bucket=self.name, Prefix=prefix)
        with translated(f"list {self.uri(prefix)}"):
            return [
                Upload(
                    name=entry["Key"].removeprefix(prefix),
                    version_id=entry["VersionId"],
                    size=entry["Size"],
                    modified=entry["LastModified"].timestamp(),
                )
                for page in pages
                for entry in page.get("Versions", [])
                if entry["IsLatest"]
            ]

    def copy_version(self, source: str, version_id: str, target: str) -> str | None:
        """Copy one object version server-side to `target` unless that exists; return its SHA-256 in hex.

        None when the object version is gone: it was deleted for good after it was listed.
        """
        request = {
            "Bucket": self.name,
            "Key": target,
            "CopySource": {"Bucket": self.name, "Key": source, "VersionId": version_id},
            "ChecksumAlgorithm": "SHA256",
            "IfNoneMatch": "*",
        }
        try:
            with translated(f"copy {self.uri(source)} to {target}"):
                answer = self._s3.copy_object(**request)
        except ClientError as error:
            if code(error) in _MISSING:
                return None
            if code(error) in _EXISTS:
                return self._sha256(target)
            raise
        return _hex(answer["CopyObjectResult"]["ChecksumSHA256"])

    def copy(self, source: str, target: str) -> bool:
        """Copy an object server-side within the bucket; False when there is no such object."""
        try:
            with translated(f"copy {self.uri(source)} to {target}"):
                self._s3.copy_object(Bucket=self.name, Key=target, CopySource={"Bucket": self.name, "Key": source})
        except ClientError as error:
            if code(error) in _MISSING:
                return False
            raise
        return True

    def _sha256(self, key: str) -> str:
        with translated(f"read the checksum of {self.uri(key)}"):
            answer = self._s3.head_object(Bucket=self.name, Key=key, ChecksumMode="ENABLED")
        return _hex(answer["ChecksumSHA256"])


def _hex(checksum: str) -> str:
    return base64.b64decode(checksum).hex()
