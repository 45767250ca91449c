"""Summaries of a column that merge: the same result whatever the order and grouping of the parts.

Quantiles: a histogram over the bits of the doubles. The 64 bits of a positive double, read as an integer, are ordered
as the numbers are; dropping low bits gives bins that are even within each power of two. A sketch keeps every distinct
number while there are at most `BINS`, else drops as few low bits as bring it to that. Dropping nests, so merging two
sketches drops to the coarser, adds, and drops on if needed: exactly associative and commutative. A shift of s bits
places a number within a relative 2^(s-52) of itself; what lies around 2013 or 1.7e9 keeps as fine a resolution as what
lies around 0, because only bins that occur count. Ranks are exact at the edges of bins and interpolated inside.

Categories: exact counts of the `KEPT` values with the smallest hashes, and the counts of all values in `BUCKETS`
buckets by hash. A value among the smallest of the whole is among the smallest of each part, so its count is exact;
which values are kept does not depend on order. The largest hash kept estimates how many distinct values there are
(k-minimum values, error about 1/sqrt(KEPT)).
"""

import hashlib
import math
import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

BINS: Final = 1024
KEPT: Final = 1024
BUCKETS: Final = 64
HASHES: Final = 2.0**64
_SIGN: Final = 1 << 63


def bits_of(value: float) -> int:
    """Return a finite number's bits as an integer in the numbers' order: negative below zero, 0 for zero.

    >>> bits_of(-1.0) < bits_of(-0.0) == bits_of(0.0) < bits_of(1e-300) < bits_of(1.0)
    True
    """
    (bits,) = struct.unpack("<q", struct.pack("<d", value))
    return int(bits) if bits >= 0 else -(int(bits) & (_SIGN - 1))


def number_of(bits: int) -> float:
    """Return the number of ordered bits; the inverse of `bits_of`, infinite beyond the doubles."""
    size = min(abs(bits), 0x7FF << 52)
    (value,) = struct.unpack("<d", struct.pack("<q", size))
    return math.copysign(value, bits)


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Counts by bin: bin b of `shift` s holds the numbers whose ordered bits, divided by 2^s, round down to b."""

    shift: int = 0
    counts: Mapping[int, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many numbers were counted."""
        return sum(self.counts.values())

    def merge(self, other: "Quantiles") -> "Quantiles":
        """Return the sketch of both parts."""
        # of equally fine ones the longer is copied as it stands: a small part is merged in the time of its own bins
        fine, coarse = sorted((self, other), key=lambda part: (part.shift, len(part.counts)))
        counts, finer = dict(coarse.counts), coarse.shift - fine.shift
        for place, count in fine.counts.items():
            counts[place >> finer] = counts.get(place >> finer, 0) + count
        return coarsened(coarse.shift, counts)

    def below(self, value: float) -> float:
        """Return the share of numbers at or below `value`, interpolated inside its bin; 0 when nothing was counted."""
        total = self.total
        if not total:
            return 0.0
        bits = bits_of(value)
        place = bits >> self.shift
        inside = self.counts.get(place, 0) * ((bits - (place << self.shift) + 1) / (1 << self.shift))
        return (sum(count for key, count in self.counts.items() if key < place) + inside) / total

    def quantile(self, share: float) -> float:
        """Return the number that `share` (0 to 1) of the numbers lie at or below, interpolated inside its bin.

        NaN when nothing was counted.
        """
        wanted = share * self.total
        seen = 0
        for place, count in sorted(self.counts.items()):
            if seen + count >= wanted and count:
                part = min(1.0, max(0.0, (wanted - seen) / count))
                low = place << self.shift
                return number_of(low + int(((1 << self.shift) - 1) * part))
            seen += count
        return math.nan

    def to_plain(self) -> dict[str, Any]:
        """Return JSON values; bins as the first and then the steps between them."""
        places = sorted(self.counts)
        steps = [place - before for before, place in zip([0, *places], places, strict=False)]
        return {"shift": self.shift, "steps": steps, "counts": [self.counts[place] for place in places]}

    @classmethod
    def from_plain(cls, raw: Mapping[str, Any]) -> "Quantiles":
        """Read JSON values."""
        place, counts = 0, {}
        for step, count in zip(raw["steps"], raw["counts"], strict=True):
            place += step
            counts[place] = count
        return cls(raw["shift"], counts)


def coarsened(shift: int, counts: Mapping[int, int]) -> Quantiles:
    """Return the sketch with as few low bits dropped as bring it to `BINS` bins at most."""
    while len(counts) > BINS:
        wider: Counter[int] = Counter()
        for place, count in counts.items():
            wider[place >> 1] += count
        shift, counts = shift + 1, wider
    return Quantiles(shift, dict(counts))


def hash_of(text: str) -> int:
    """Return a text's 64-bit hash, the same for ever and everywhere."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


@dataclass(frozen=True, slots=True)
class Categories:
    """Exact counts of the values with the smallest hashes, the counts of all values by bucket, and whether any is left.

    `complete` says that `counts` holds every value.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    buckets: tuple[int, ...] = (0,) * BUCKETS
    complete: bool = True

    def merge(self, other: "Categories") -> "Categories":
        """Return the sketch of both parts."""
        counts = Counter(self.counts)
        counts.update(other.counts)
        buckets = tuple(one + two for one, two in zip(self.buckets, other.buckets, strict=True))
        return _kept(counts, buckets, self.complete and other.complete)

    @property
    def distinct(self) -> int:
        """How many distinct values there are: exact while all are kept, else an estimate."""
        if self.complete:
            return len(self.counts)
        largest = max(hash_of(value) for value in self.counts)
        return round((KEPT - 1) / ((largest + 1) / HASHES))

    def to_plain(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"counts": dict(self.counts), "buckets": list(self.buckets), "complete": self.complete}

    @classmethod
    def from_plain(cls, raw: Mapping[str, Any]) -> "Categories":
        """Read JSON values."""
        return cls(dict(raw["counts"]), tuple(raw["buckets"]), raw["complete"])


def categories(counts: Mapping[str, int]) -> Categories:
    """Return the sketch of exact counts."""
    buckets = [0] * BUCKETS
    for value, count in counts.items():
        buckets[hash_of(value) % BUCKETS] += count
    return _kept(counts, tuple(buckets), True)


def _kept(counts: Mapping[str, int], buckets: tuple[int, ...], complete: bool) -> Categories:
    if len(counts) <= KEPT:
        return Categories(dict(counts), buckets, complete)
    smallest = sorted(counts, key=lambda value: (hash_of(value), value))[:KEPT]
    return Categories({value: counts[value] for value in smallest}, buckets, False)
