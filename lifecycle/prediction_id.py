"""Prediction ids: UUIDs of version 7 (RFC 9562), so that an id says when it was given and its log line can be found.

The first 48 bits are epoch milliseconds, the other 74 free bits are random. The uuid module is not used: importing it
costs more than scoring a row.
"""

from typing import Final

RANDOM_BYTES: Final = 10
_DASHES: Final = (8, 13, 18, 23)
_HEX: Final = frozenset("0123456789abcdef")
_END: Final = 253_402_300_800  # the year 10000: no calendar of Python has it


def ids_of(time_ms: int, entropy: bytes) -> list[str]:
    """Return one id per `RANDOM_BYTES` of `entropy`, all of the moment `time_ms` (epoch milliseconds).

    >>> ids_of(1_645_557_742_000, bytes.fromhex("0cc38c4dc0c0c07398f0"))
    ['017f22e2-79b0-70cc-b8c4-dc0c0c07398f']
    """
    stamp = f"{time_ms:012x}"
    head = f"{stamp[:8]}-{stamp[8:]}-7"
    digits = entropy.hex()
    found = []
    for start in range(0, len(digits), 20):
        d = digits[start : start + 20]
        found.append(f"{head}{d[:3]}-{'89ab'[int(d[3], 16) & 3]}{d[4:7]}-{d[7:19]}")
    return found


def time_of(prediction_id: str) -> float | None:
    """Return when an id was given, in epoch seconds; None when the text is no prediction id in its one spelling.

    Ids can spell times after the year 9999, too; nobody gave those.

    >>> time_of("017f22e2-79b0-70cc-b8c4-dc0c0c07398f")
    1645557742.0
    >>> time_of("c5b2a1a0-1111-4222-8333-444455556666") is None
    True
    """
    if len(prediction_id) != 36 or any(prediction_id[place] != "-" for place in _DASHES):
        return None
    digits = prediction_id.replace("-", "")
    if len(digits) != 32 or not _HEX.issuperset(digits) or digits[12] != "7" or digits[16] not in "89ab":
        return None
    seconds = int(digits[:12], 16) / 1000
    return seconds if seconds < _END else None
