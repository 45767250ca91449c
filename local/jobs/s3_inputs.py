"""S3 objects of a channel -> files, as File mode lays them out. Sources: API reference, S3DataSource and S3Uri."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError


class InputRefused(Exception):
    """A channel cannot be downloaded; the message is the job's FailureReason."""


def location(uri: str) -> tuple[str, str]:
    """Return (bucket, key or prefix) of an `s3://` address. Raises InputRefused."""
    parts = urlsplit(uri)
    if parts.scheme != "s3" or not parts.netloc:
        raise InputRefused(f"ClientError: {uri!r} is not an S3 address")
    return parts.netloc, parts.path.lstrip("/")


def download(s3: Any, kind: str, uri: str, folder: Path) -> None:
    """Copy the objects that `uri` names into `folder`; `kind` is S3Prefix or ManifestFile. Raises InputRefused."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        objects = list(_manifest(s3, uri) if kind == "ManifestFile" else _prefix(s3, uri))
        for bucket, key, relative in objects:
            target = (folder / relative).resolve()
            if not target.is_relative_to(folder.resolve()) or target == folder.resolve():
                raise InputRefused(f"ClientError: Data download failed: s3://{bucket}/{key} leaves its channel")
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as file:
                body = s3.get_object(Bucket=bucket, Key=key)["Body"]
                for chunk in iter(lambda body=body: body.read(1 << 20), b""):  # type: ignore[misc]
                    file.write(chunk)
    except ClientError as error:
        found = error.response["Error"]
        raise InputRefused(f"ClientError: Data download failed: {found['Code']}: {found['Message']} ({uri})") from error


def _prefix(s3: Any, uri: str) -> Iterator[tuple[str, str, str]]:
    """Objects below a prefix keep their path below it, as a folder's; folder markers are no files.

    What only begins like the prefix, or is the object of that name, keeps its path after the prefix's last slash.
    """
    bucket, prefix = location(uri)
    cut, below = prefix.rfind("/") + 1, f"{prefix.rstrip('/')}/"
    found = False
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", ()):
            if not item["Key"].endswith("/"):
                found = True
                inside = bool(prefix) and item["Key"].startswith(below)
                yield bucket, item["Key"], item["Key"][len(below) if inside else cut :]
    if not found:
        raise InputRefused(
            f'ClientError: No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the '
            "bucket exists in the selected region, that objects exist under that S3 prefix, and that the role has "
            f's3:ListBucket permissions on bucket "{bucket}".'
        )


def _manifest(s3: Any, uri: str) -> Iterator[tuple[str, str, str]]:
    """A manifest is `[{"prefix": "s3://bucket/prefix/"}, "relative", ...]`; relative paths are kept."""
    bucket, key = location(uri)
    try:
        content = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        prefix, relatives = content[0]["prefix"], content[1:]
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise InputRefused(f"ClientError: Data download failed: {uri} is not a manifest file: {error!r}") from error
    bucket, start = location(prefix)
    if not relatives or not all(isinstance(relative, str) for relative in relatives):
        raise InputRefused(f"ClientError: Data download failed: the manifest {uri} names no objects")
    for relative in relatives:
        yield bucket, start + relative, relative
