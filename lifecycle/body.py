"""HTTP body as API Gateway hands it over -> JSON value, without trusting its size, its encoding or its shape."""

import binascii
import json
from collections.abc import Mapping
from typing import Any, Final

from lifecycle import names
from lifecycle.problem import Problem

# What a parsed body may cost in memory is bounded by the number of its objects, lists and fields, not by its bytes:
# 20 MB of `{},{},` would become half a gigabyte.
PARTS: Final = 1_000_000


def json_of(event: Mapping[str, Any]) -> Any:
    """Return the JSON value in the body of an event of payload format 2.0.

    Raises
    ------
    Problem
        400 when the body is absent, cut off, not UTF-8 or not JSON (NaN and Infinity are not); 413 when it is larger
        than `names.BODY_BYTES`, or unzips to more than `names.BODY_BYTES_UNZIPPED`, or has too many parts;
        415 when its type is not JSON or its encoding is not gzip.
    """
    headers = event.get("headers") or {}
    kind = str(headers.get("content-type", "application/json")).partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise Problem(415, f"the content type must be application/json, got {kind[:80]!r}")
    encoding = str(headers.get("content-encoding", "identity")).strip().lower()
    if encoding not in ("identity", "gzip", ""):
        raise Problem(415, f"the content encoding may be gzip or none, got {encoding[:40]!r}")
    data = _bytes_of(event)
    return parse(unzip(data) if encoding == "gzip" else data)


def unzip(data: bytes) -> bytes:
    """Return gunzipped bytes; stops at the limit, so that a small body cannot grow without end. Raises Problem."""
    import zlib  # few requests are compressed

    found = bytearray()
    while data:
        stream = zlib.decompressobj(wbits=31)
        try:
            found += stream.decompress(data, names.BODY_BYTES_UNZIPPED + 1 - len(found))
        except zlib.error:
            raise Problem(400, "the body says gzip, but is not a gzip stream or is damaged") from None
        if len(found) > names.BODY_BYTES_UNZIPPED:
            limit = names.BODY_BYTES_UNZIPPED
            raise Problem(413, f"the body unzips to more than {limit:,} bytes: send fewer rows in one request")
        if not stream.eof:
            raise Problem(400, "the gzip body is cut off: its end is missing")
        data = stream.unused_data  # a gzip file may consist of several members
    return bytes(found)


def parse(data: bytes) -> Any:
    """Return the JSON value. Raises Problem (400, or 413 for too many parts)."""
    if data.count(b"{") + data.count(b"[") + data.count(b":") > PARTS:
        raise Problem(
            413, f"the body has more than {PARTS:,} objects, lists and fields: send fewer rows in one request"
        )
    try:
        return _DECODER.decode(data.decode())
    except UnicodeDecodeError as error:
        raise Problem(400, f"the body is not UTF-8 (byte {error.start})") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Problem(400, f"the body is not JSON: {error.msg} at {where}") from None
    except RecursionError:
        raise Problem(400, "the body is nested too deeply: rows are flat objects") from None
    except ValueError as error:  # a number with thousands of digits
        raise Problem(400, f"the body holds a number that cannot be read: {error}") from None


def _bytes_of(event: Mapping[str, Any]) -> bytes:
    body = event.get("body")
    if not body:
        raise Problem(400, 'the body is empty; it must be JSON such as {"rows": [{...}]}')
    coded = bool(event.get("isBase64Encoded"))
    if len(body) > (names.BODY_BYTES * 4 // 3 + 4 if coded else names.BODY_BYTES):
        raise _too_large()
    try:
        data = binascii.a2b_base64(body) if coded else body.encode()
    except ValueError:  # no base64, or characters that no body can hold
        raise Problem(400, "the body arrived damaged: it cannot be read as bytes") from None
    if len(data) > names.BODY_BYTES:
        raise _too_large()
    return data


def _too_large() -> Problem:
    return Problem(
        413, f"the body is larger than {names.BODY_BYTES:,} bytes: send fewer rows, or compress it with gzip"
    )


def _refuse_constant(name: str) -> Any:
    raise Problem(400, f"the body holds {name}, which is not JSON: send null for a missing number")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
