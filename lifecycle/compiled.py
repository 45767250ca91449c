"""The compiled model file: bytes <-> checked plain data (docs/compiled-format.md). No pickle, no code, no numpy.

The file is one JSON document whose head has a fixed length, so that the checksum covers exact bytes:

    {"format":"perennial-model","version":2,"sha256":"<64 hex>","body":{...}}

Sizes are checked before anything is parsed, so that a hostile file costs no more memory or time than a large one.
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

VERSION = 2
READABLE = (1, 2)
HEAD = b'{"format":"perennial-model","version":%d,"sha256":"'
MIDDLE = b'","body":'

MAX_BYTES = 48 * 1024 * 1024
"""Of a file: more than `gates.max_model_kb` can allow."""

MAX_VALUES = 1_000_000
"""JSON values in a body, counted by commas and brackets, those within texts too. Packed arrays count as one."""

MESSAGE = 300

WRONG = (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError, RecursionError)
"""What reading a wrong structure runs into."""


def write(body: Mapping[str, Any]) -> bytes:
    """Return the file of a body (see docs/compiled-format.md), after the same checks as on reading.

    Raises ModelRejected when the body is not a valid model.
    """
    try:
        text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        content = text.encode()
    except WRONG as error:
        raise ModelRejected(f"the model cannot be written as JSON: {type(error).__name__}: {error}") from error
    data = HEAD % VERSION + sha256_hex(content).encode() + MIDDLE + content + b"}"
    read(data)
    return data


def read(data: bytes) -> dict[str, Any]:
    """Return the checked body of a compiled model file.

    Raises
    ------
    ModelRejected
        when the bytes are no model file, are damaged or too large, have another version, or describe an impossible
        model.
    """
    content = _content(data)
    try:
        body = json.loads(content.decode(), object_pairs_hook=_object, parse_constant=_not_json)
        check(body)
    except ModelRejected as error:
        raise ModelRejected(_short(str(error))) from error
    except WRONG as error:
        shown = _short(str(error))
        raise ModelRejected(f"the compiled model has a wrong structure: {type(error).__name__}: {shown}") from error
    return body  # type: ignore[no-any-return]


def _short(message: str) -> str:
    """A message goes to logs and to the ledger; what it quotes from the file may be of any length."""
    return message if len(message) <= MESSAGE else f"{message[:MESSAGE]}…"


def _content(data: bytes) -> bytes:
    """The body's bytes, with the right checksum and of a size that can be parsed."""
    if len(data) > MAX_BYTES:
        raise ModelRejected(f"the compiled model has {len(data):,} bytes; at most {MAX_BYTES:,} are read")
    heads = [HEAD % version for version in READABLE]
    if not data.startswith(tuple(heads)):
        shown = data[:60].decode("utf-8", "replace")
        raise ModelRejected(f"not a compiled model of format version 1 or 2: it begins with {shown!r}")
    head = len(heads[0])
    start = head + 64 + len(MIDDLE)
    if data[start - len(MIDDLE) : start] != MIDDLE or not data.endswith(b"}"):
        raise ModelRejected("the compiled model is damaged: its head or its end is cut off")
    content = data[start:-1]
    if sha256_hex(content).encode() != data[head : head + 64]:
        raise ModelRejected("the compiled model is damaged: its content does not match its SHA-256")
    values = content.count(b",") + content.count(b"[") + content.count(b"{")
    if values > MAX_VALUES:
        raise ModelRejected(f"the compiled model has about {values:,} values; at most {MAX_VALUES:,} are read")
    # one byte is found far faster than three, and few files hold it
    if b"\\" in content and (b"\\ud" in content or b"\\uD" in content):
        _check_escapes(content)
    return content


def _check_escapes(content: bytes) -> None:
    """Half a surrogate pair is a text that no answer and no log line can hold; `write` escapes no letter at all."""
    from re import search  # late: no file that `write` made comes here, but for texts that look like an escape

    if search(rb"(?<!\\)(?:\\\\)*\\u[dD][89a-fA-F]", content):
        raise ModelRejected("the compiled model has a wrong structure: surrogates are escaped; texts are plain UTF-8")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ModelRejected("the compiled model has a wrong structure: an object names a key twice")
    return found


def _not_json(word: str) -> None:
    raise ModelRejected(f"the compiled model has a wrong structure: {word} is no number of JSON")
