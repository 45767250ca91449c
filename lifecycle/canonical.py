"""One spelling of a value as bytes, so that equal values have equal hashes everywhere."""

import hashlib
import json
from typing import Any


def to_bytes(value: Any) -> bytes:
    """Return JSON with sorted keys and no spaces, UTF-8. NaN and infinities are refused (ValueError)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(value: Any) -> str:
    """Return the SHA-256 of a JSON value's canonical bytes, in hex."""
    return hashlib.sha256(to_bytes(value)).hexdigest()
