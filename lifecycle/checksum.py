"""Bytes -> SHA-256 in hex, by the interpreter's own code.

`hashlib` would start OpenSSL, which takes as long as the whole start of scoring; both give the same digest.
"""

try:
    from _sha2 import sha256  # type: ignore[import-not-found]
except ImportError:  # an interpreter that was built without it
    from hashlib import sha256


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of some bytes.

    >>> sha256_hex(b"")[:8]
    'e3b0c442'
    """
    found: str = sha256(data).hexdigest()
    return found
