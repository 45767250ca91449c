"""Rows -> train, validation, holdout: a function of the row (hash) or of time, so no job is needed to split.

By hash, a row's side depends on nothing but the text of its key: it stays on its side in every data version, however
many rows come or go. By time, the newest rows are the holdout and the newest before them are for validation; `gap_days`
before each is left out, because labels and lags of neighbouring rows overlap. Rows of one instant share a side.
"""

from collections.abc import Iterable, Sequence
from enum import IntEnum
from hashlib import blake2b
from typing import Any

from lifecycle.spec import Split

SECONDS_PER_DAY = 86_400.0
_RANGE = 2.0**64


class Side(IntEnum):
    """Where a row belongs. LEFT_OUT: in the gap, or without a time."""

    TRAIN = 0
    VALIDATION = 1
    HOLDOUT = 2
    LEFT_OUT = 3


def key_text(values: Sequence[Any]) -> str:
    """Return the text whose hash places a row: its key's values joined by a separator that files cannot hold."""
    return "\x1f".join("" if value is None else str(value) for value in values)


def fraction(key: str) -> float:
    """Return a number in [0, 1) that depends on `key` alone.

    >>> fraction("a") == fraction("a"), 0 <= fraction("b") < 1
    (True, True)
    """
    return int.from_bytes(blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") / _RANGE


def by_hash(keys: Iterable[str], split: Split) -> list[Side]:
    """Return each row's side by its key text."""
    known: dict[str, Side] = {}
    sides = []
    for key in keys:
        side = known.get(key)
        if side is None:
            place = fraction(key)
            tuned = place < split.holdout + split.validation
            side = known[key] = Side.HOLDOUT if place < split.holdout else Side.VALIDATION if tuned else Side.TRAIN
        sides.append(side)
    return sides


def by_time(times: Sequence[float | None], split: Split) -> list[Side]:
    """Return each row's side by its time (epoch seconds; None = unknown, left out)."""
    known = sorted(time for time in times if time is not None)
    if not known:
        return [Side.LEFT_OUT] * len(times)
    gap = split.gap_days * SECONDS_PER_DAY
    holdout_from = _cut(known, 1.0 - split.holdout)
    validation_from = min(_cut(known, 1.0 - split.holdout - split.validation), holdout_from - gap)
    return [_side(time, validation_from, holdout_from, gap) for time in times]


def _cut(known: Sequence[float], share: float) -> float:
    return known[min(max(round(share * len(known)), 0), len(known) - 1)]


def _side(time: float | None, validation_from: float, holdout_from: float, gap: float) -> Side:
    if time is None:
        return Side.LEFT_OUT
    if time >= holdout_from:
        return Side.HOLDOUT
    if time >= validation_from:
        return Side.VALIDATION if time < holdout_from - gap or gap == 0 else Side.LEFT_OUT
    return Side.TRAIN if time < validation_from - gap or gap == 0 else Side.LEFT_OUT
