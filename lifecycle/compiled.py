"""The compiled model file: bytes <-> checked plain data (docs/compiled-format.md). No pickle, no code, no numpy.

The file is one JSON document whose head has a fixed length, so that the checksum covers exact bytes:

    {"format":"perennial-model","version":1,"sha256":"<64 hex>","body":{...}}
"""

from __future__ import annotations

import json

from lifecycle.checksum import sha256_hex
from lifecycle.compiled_check import check
from lifecycle.errors import ModelRejected

TYPE_CHECKING = False  # importing typing costs a cold start as much as the first row
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

VERSION = 1
HEAD = b'{"format":"perennial-model","version":%d,"sha256":"' % VERSION
MIDDLE = b'","body":'


def write(body: Mapping[str, Any]) -> bytes:
    """Return the file of a body (see docs/compiled-format.md), after the same checks as on reading.

    Raises ModelRejected when the body is not a valid model.
    """
    content = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    data = HEAD + sha256_hex(content).encode() + MIDDLE + content + b"}"
    read(data)
    return data


def read(data: bytes) -> dict[str, Any]:
    """Return the checked body of a compiled model file.

    Raises
    ------
    ModelRejected
        when the bytes are no model file, are damaged, have another version, or describe an impossible model.
    """
    start = len(HEAD) + 64 + len(MIDDLE)
    if not data.startswith(HEAD):
        shown = data[:60].decode("utf-8", "replace")
        raise ModelRejected(f"not a compiled model of format version {VERSION}: it begins with {shown!r}")
    if data[start - len(MIDDLE) : start] != MIDDLE or not data.endswith(b"}"):
        raise ModelRejected("the compiled model is damaged: its head or its end is cut off")
    content = data[start:-1]
    if sha256_hex(content).encode() != data[len(HEAD) : len(HEAD) + 64]:
        raise ModelRejected("the compiled model is damaged: its content does not match its SHA-256")
    try:
        body = json.loads(content)
        check(body)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise ModelRejected(f"the compiled model has a wrong structure: {type(error).__name__}: {error}") from error
    return body  # type: ignore[no-any-return]
