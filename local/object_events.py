"""S3 requests that changed an object -> "Object Created" and "Object Deleted" events, as AWS documents them.

Source: S3 user guide, "EventBridge event message structure". Keys are not URL-encoded there, other than in the older
notifications of S3 to queues.
"""

import itertools
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote
from xml.etree import ElementTree

from local.api import ACCOUNT, Emit
from local.moto_state import object_size, sends_events
from local.wire import HttpAnswer, HttpCall

_EMPTY_ETAG = "d41d8cd98f00b204e9800998ecf8427e"
_OBJECT = re.compile(r"/([^/]+)/(.+)")
_NOT_SUBRESOURCES = re.compile(r"x-id|X-Amz-.*|versionId")


class ObjectEvents:
    """An observer of answered S3 calls that emits one event per object changed."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._sequence = itertools.count(time.time_ns())  # of engine time, so that an engine goes on after another

    def __call__(self, call: HttpCall, answer: HttpAnswer) -> None:
        """Look at one call that S3 answered with success."""
        bucket = call.path.split("/")[1] if call.method in ("PUT", "POST", "DELETE") else ""
        if not bucket or not sends_events(bucket):
            return
        query = parse_qs(call.query, keep_blank_values=True)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        found = _OBJECT.fullmatch(call.path)
        if found and (reason := _creation(call, query)):
            self._created(bucket, unquote(found[2]), reason, headers, answer)
        elif found and call.method == "DELETE" and _whole_object(query):
            self._deleted(bucket, unquote(found[2]), query.get("versionId", [None])[0], headers)
        elif call.method == "POST" and "delete" in query:
            for key, asked, made in _deletions(answer.body):
                self._deleted(bucket, key, asked, made)

    def _created(self, bucket: str, key: str, reason: str, headers: Mapping[str, str], answer: HttpAnswer) -> None:
        version = headers.get("x-amz-version-id")
        etag = headers.get("etag") or _text(answer.body, "ETag")
        told = {"size": object_size(bucket, key, version), "etag": etag.strip('"')}
        self._send(bucket, key, version, "Object Created", told, {"reason": reason})

    def _deleted(self, bucket: str, key: str, asked: str | None, headers: Mapping[str, str]) -> None:
        version = asked or headers.get("x-amz-version-id")
        marker = asked is None and version is not None
        kind = "Delete Marker Created" if marker else "Permanently Deleted"
        told = {"etag": _EMPTY_ETAG} if marker else {}
        self._send(bucket, key, version, "Object Deleted", told, {"reason": "DeleteObject", "deletion-type": kind})

    def _send(
        self, bucket: str, key: str, version: str | None, kind: str, told: Mapping[str, Any], why: Mapping[str, str]
    ) -> None:
        described = {"key": key, **told, **({"version-id": version} if version else {})}
        detail = {
            "version": "0",
            "bucket": {"name": bucket},
            "object": described | {"sequencer": f"{next(self._sequence):016X}"},
            "request-id": secrets.token_hex(8).upper(),
            "requester": ACCOUNT,
            "source-ip-address": "127.0.0.1",
            **why,
        }
        self._emit("aws.s3", kind, detail, [f"arn:aws:s3:::{bucket}"])


def _creation(call: HttpCall, query: Mapping[str, Any]) -> str | None:
    if call.method == "POST" and "uploadId" in query:
        return "CompleteMultipartUpload"
    if call.method == "PUT" and _whole_object(query):
        return "CopyObject" if "x-amz-copy-source" in call.headers else "PutObject"
    return None


def _whole_object(query: Mapping[str, Any]) -> bool:
    return all(_NOT_SUBRESOURCES.fullmatch(name) for name in query)


def _deletions(body: bytes) -> Iterator[tuple[str, str | None, dict[str, str]]]:
    for deleted in ElementTree.fromstring(body).iterfind("{*}Deleted"):
        marker = deleted.findtext("{*}DeleteMarkerVersionId")
        asked = deleted.findtext("{*}VersionId")
        yield deleted.findtext("{*}Key", ""), asked, {"x-amz-version-id": marker} if marker else {}


def _text(body: bytes, name: str) -> str:
    return ElementTree.fromstring(body).findtext(f"{{*}}{name}", "") if body else ""
