"""Numbers <-> Base64 text of a little-endian array: exact to the bit, a third of the size of decimal digits."""

from __future__ import annotations

from array import array
from binascii import Error as NotBase64
from binascii import a2b_base64, b2a_base64

from lifecycle.errors import ModelRejected

TYPE_CHECKING = False  # importing typing costs a cold start as much as the first row
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

SIZES = {"i": 4, "d": 8, "f": 4, "B": 1}


def pack(code: str, values: Iterable[float]) -> str:
    """Return numbers as Base64 of little-endian `code`: "i" int32, "d" float64, "f" float32, "B" uint8."""
    packed: array[Any] = array(code, values)
    return b2a_base64(packed.tobytes(), newline=False).decode()


def unpack(code: str, text: str) -> array[Any]:
    """Return the numbers packed by `pack`. Raises ModelRejected when the text is not such an array."""
    unpacked: array[Any] = array(code)
    if unpacked.itemsize != SIZES[code]:
        raise ModelRejected("this machine's C types differ from those of the format (int32, float64)")
    try:
        unpacked.frombytes(a2b_base64(text, strict_mode=True))
    except (ValueError, NotBase64) as error:
        raise ModelRejected(f"a packed array is damaged: {error}") from error
    return unpacked
