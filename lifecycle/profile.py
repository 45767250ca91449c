"""What a table holds, column by column, in a form that merges: a data version's profile is the sum of its objects'.

Merging is associative and commutative (mean and variance up to rounding), so an object is profiled once for all
versions it is part of. Row numbers count from 1, the header aside. Of private columns only counts are kept.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Final

from lifecycle.sketch import Categories, Quantiles

SCHEMA: Final = 1
EXAMPLES: Final = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Examples:
    """How many rows something is true of, and the first few as (object name, row number).

    `values` are what stands in those rows, in the same order; empty where that is not told (private columns).
    """

    count: int = 0
    first: tuple[tuple[str, int], ...] = ()
    values: tuple[str, ...] = ()

    def merge(self, other: "Examples") -> "Examples":
        """Return the rows of both parts."""
        found = dict(self.told)
        for place, value in other.told.items():
            found[place] = min(value, found.get(place, value))
        first = tuple(sorted({*self.first, *other.first})[:EXAMPLES])
        values = tuple(found.get(place, "") for place in first) if found else ()
        return Examples(count=self.count + other.count, first=first, values=values)

    @property
    def told(self) -> dict[tuple[str, int], str]:
        """What stands in each of the first rows, as far as it is told."""
        return dict(zip(self.first, self.values, strict=True)) if self.values else {}

    def named(self, name: str) -> "Examples":
        """Return the same rows as rows of object `name`."""
        return replace(self, first=tuple((name, row) for _, row in self.first))


@dataclass(frozen=True, kw_only=True, slots=True)
class Moments:
    """Count, mean and sum of squared differences from the mean (Chan's merge), smallest and largest value."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    min: float | None = None
    max: float | None = None

    @property
    def variance(self) -> float:
        """The population variance."""
        return self.squares / self.count if self.count else 0.0

    def merge(self, other: "Moments") -> "Moments":
        """Return the moments of both parts."""
        count = self.count + other.count
        if not self.count or not other.count:
            return self if self.count else other
        apart = other.mean - self.mean
        low = [value for value in (self.min, other.min) if value is not None]
        high = [value for value in (self.max, other.max) if value is not None]
        return Moments(
            count=count,
            mean=self.mean * (self.count / count) + other.mean * (other.count / count),
            squares=self.squares + other.squares + apart * apart * (self.count * (other.count / count)),
            min=min(low),
            max=max(high),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnProfile:
    """One column of the contract.

    `absent` counts rows of objects that do not have the column (filled with its default), `missing` empty values,
    `unreadable` values that are not of the column's kind, `outside` those beyond min and max, or not among the listed
    categories. `lengths` are of text; `numbers` and `quantiles` of numbers, integers and times (epoch seconds);
    `categories` of categories and booleans ("true", "false").
    """

    rows: int
    absent: int = 0
    missing: int = 0
    unreadable: Examples = Examples()
    outside: Examples = Examples()
    numbers: Moments | None = None
    quantiles: Quantiles | None = None
    categories: Categories | None = None
    lengths: Moments | None = None

    @property
    def present(self) -> int:
        """How many rows hold a readable value."""
        return self.rows - self.absent - self.missing - self.unreadable.count

    def merge(self, other: "ColumnProfile") -> "ColumnProfile":
        """Return the column of both parts."""
        return ColumnProfile(
            rows=self.rows + other.rows,
            absent=self.absent + other.absent,
            missing=self.missing + other.missing,
            unreadable=self.unreadable.merge(other.unreadable),
            outside=self.outside.merge(other.outside),
            numbers=_merged(self.numbers, other.numbers),
            quantiles=_merged(self.quantiles, other.quantiles),
            categories=_merged(self.categories, other.categories),
            lengths=_merged(self.lengths, other.lengths),
        )

    def named(self, name: str) -> "ColumnProfile":
        """Return the same column with its examples as rows of object `name`."""
        return replace(self, unreadable=self.unreadable.named(name), outside=self.outside.named(name))


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """A table's profile: rows, columns of the contract, rows that break it, and names of other columns seen.

    `bad_rows` counts rows with at least one unreadable or outside value.
    """

    rows: int = 0
    bad_rows: int = 0
    columns: Mapping[str, ColumnProfile] = field(default_factory=dict)
    extra: frozenset[str] = frozenset()

    def merge(self, other: "Profile") -> "Profile":
        """Return the profile of both parts; both are of the same contract, or one is empty."""
        names = dict.fromkeys((*self.columns, *other.columns))
        return Profile(
            rows=self.rows + other.rows,
            bad_rows=self.bad_rows + other.bad_rows,
            columns={name: _merge_needed(self.columns.get(name), other.columns.get(name)) for name in names},
            extra=self.extra | other.extra,
        )

    def named(self, name: str) -> "Profile":
        """Return the same profile with its examples as rows of object `name`."""
        return replace(self, columns={key: column.named(name) for key, column in self.columns.items()})


def merged(profiles: Iterable[Profile]) -> Profile:
    """Return the profile of all parts."""
    return reduce(Profile.merge, profiles, Profile())


def _merge_needed(one: ColumnProfile | None, two: ColumnProfile | None) -> ColumnProfile:
    if one is None or two is None:
        found = one or two
        assert found is not None
        return found
    return one.merge(two)


def _merged[Part: (Moments, Quantiles, Categories)](one: Part | None, two: Part | None) -> Part | None:
    if one is None or two is None:
        return one if two is None else two
    return one.merge(two)
