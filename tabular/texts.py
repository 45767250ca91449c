"""A column of texts -> how many rows hold each value.

Most columns repeat few values. Those of the first block are looked up by their 64-bit hash, in a table in which no two
of them share a place; a row belongs to a value if the whole hash agrees. What is left over is grouped as usual.
"""

from hashlib import blake2b
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from tabular.counting import BLOCK

MOST: Final = 256
"""Values that are looked up: with more, no part of the hash tells all of them apart."""
_PLACE_BITS: Final = (12, 16)
"""Of the table: small enough for the processor's first cache if that tells all values apart, else larger."""

Hashes = npt.NDArray[np.uint64]
Part = tuple[int, int]


def by_value(texts: pl.Series) -> dict[str, int]:
    """Return how many rows hold each value; rows without one are not counted."""
    if len(texts) > 2 * BLOCK:
        known = texts.head(BLOCK).unique()
        part = _telling_apart(_hashed(known)) if len(known) <= MOST else None
        if part is not None:
            return _looked_up(texts, known, part)
    return _grouped(texts)


def hashed(texts: pl.Series) -> pl.Series:
    """Return the hash of each text that is the same for ever and everywhere (`lifecycle.sketch.hash_of`)."""
    nothing = blake2b(digest_size=8)
    found = []
    for text in texts.fill_null("").to_list():
        one = nothing.copy()
        one.update(text.encode())
        found.append(one.digest())
    numbers = np.frombuffer(b"".join(found), dtype=">u8").astype(np.uint64)
    return pl.Series(numbers).set(texts.is_null(), None)


def by_hour(times: pl.Series) -> dict[str, int]:
    """Return how many times fall into each hour of the day (UTC, "00" to "23")."""
    return _grouped(times.drop_nulls().dt.strftime("%H"))


def _grouped(texts: pl.Series) -> dict[str, int]:
    counted = texts.drop_nulls().alias("value").value_counts(name="rows")
    return dict(zip(counted["value"].to_list(), counted["rows"].to_list(), strict=True))


def _looked_up(texts: pl.Series, known: pl.Series, part: Part) -> dict[str, int]:
    hashes = _hashed(known)
    places = _place(hashes, part)
    # a place of no value holds the hash of one whose place is another, which no row there can have
    owners = np.full(1 << part[1], hashes[0], dtype=np.uint64)
    owners[places] = hashes
    total, strangers, table = np.zeros(owners.size, dtype=np.int64), [], _Table(owners, part)
    for chunk in texts.get_chunks():
        for start in range(0, len(chunk), BLOCK):
            block = chunk.slice(start, BLOCK)
            place, mine = table.find(_hashed(block))
            if not mine.all():
                strangers.append(block.filter(pl.Series(~mine)))
                place = place[mine]
            total += np.bincount(place, minlength=total.size)
    counts = _grouped(pl.concat(strangers)) if strangers else {}
    rows = total[places].tolist()
    return counts | {value: count for value, count in zip(known.to_list(), rows, strict=True) if value is not None}


class _Table:
    """Looks hashes up; its space is used again for every block, or finding pages would take longer than the work."""

    def __init__(self, owners: Hashes, part: Part) -> None:
        self._owners = owners
        self._part = part
        self._place, self._owner = np.empty((2, BLOCK), dtype=np.uint64)
        self._mine = np.empty(BLOCK, dtype=np.bool_)

    def find(self, hashes: Hashes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Return the place of each hash, and whether the whole hash is its owner's; both until the next call."""
        rows = len(hashes)
        place = _place(hashes, self._part, self._place[:rows])
        # places are within the table: "clip" only keeps numpy from taking them through a buffer
        np.take(self._owners, place, out=self._owner[:rows], mode="clip")
        return place, np.equal(self._owner[:rows], hashes, out=self._mine[:rows])


def _hashed(texts: pl.Series) -> Hashes:
    found: Hashes = texts.hash().to_numpy()
    return found


def _place(hashes: Hashes, part: Part, space: Hashes | None = None) -> npt.NDArray[np.int64]:
    places = np.right_shift(hashes, np.uint64(part[0]), out=space)
    np.bitwise_and(places, np.uint64((1 << part[1]) - 1), out=places)
    return places.view(np.int64)


def _telling_apart(hashes: Hashes) -> Part | None:
    """Return (by how many bits to shift, how many to keep) so that all hashes differ; None when nothing does."""
    for bits in _PLACE_BITS:
        for shift in range(64 - bits, -1, -1):
            if len(np.unique(_place(hashes, (shift, bits)))) == len(hashes):
                return shift, bits
    return None
