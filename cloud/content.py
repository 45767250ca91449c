"""Objects whose key says what they hold, such as a file's profile by its SHA-256: read once while the process lives."""

import threading
from typing import Final

from cloud.objects import Bucket

KEPT_BYTES: Final = 64 << 20
LARGEST: Final = 1 << 20


class Content:
    """Reads such objects of a bucket and remembers the small ones; safe to use from every thread.

    What is remembered is forgotten together when it would be more than `kept_bytes`. That there is no object is asked
    again each time: it may come.
    """

    def __init__(self, bucket: Bucket, kept_bytes: int = KEPT_BYTES) -> None:
        self._bucket = bucket
        self._most = kept_bytes
        self._kept: dict[str, bytes] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def read(self, key: str) -> bytes | None:
        """Return an object's bytes, or None when there is no such object. Raises as `Bucket.read` does."""
        body = self._kept.get(key)
        if body is None:
            body = self._bucket.read(key)
            if body is not None and len(body) <= LARGEST:
                self._keep(key, body)
        return body

    def need(self, key: str) -> bytes:
        """Return an object's bytes. Raises Unavailable when it is not there: somebody else should have written it."""
        body = self.read(key)
        return self._bucket.need(key) if body is None else body

    def _keep(self, key: str, body: bytes) -> None:
        with self._lock:
            if self._bytes + len(body) > self._most:
                self._kept, self._bytes = {}, 0
            self._kept[key] = body
            self._bytes += len(body)
