"""What a job left -> S3. Each object appears whole or not at all: it is complete on disk before it is sent."""

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local.jobs.s3_inputs import location

COMPRESSION = 6  # gzip's own default


def upload_archive(s3: Any, folder: Path, uri: str, scratch: Path, kms_key: str | None) -> None:
    """Pack the contents of `folder` as gzipped tar and put it at `uri`."""
    archive = scratch / "archive.tar.gz"
    with tarfile.open(archive, "w:gz", compresslevel=COMPRESSION) as tar:
        for path in sorted(folder.iterdir()):
            tar.add(path, arcname=path.name)
    _put(s3, archive, uri, kms_key)
    archive.unlink()


def upload_folder(s3: Any, folder: Path, uri: str, kms_key: str | None) -> None:
    """Put every file below `folder` under `uri`; symbolic links are not followed."""
    for path in _files(folder):
        _put(s3, path, f"{uri.rstrip('/')}/{path.relative_to(folder).as_posix()}", kms_key)


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path


def _put(s3: Any, path: Path, uri: str, kms_key: str | None) -> None:
    bucket, key = location(uri)
    encryption = {} if kms_key is None else {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key}
    with path.open("rb") as file:
        s3.put_object(Bucket=bucket, Key=key, Body=file, **encryption)
