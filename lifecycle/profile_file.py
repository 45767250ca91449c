"""`profiles/<contract>/<sha256>.json`: a file's profile, or why it has none, as JSON values and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lifecycle.formats import Format
from lifecycle.profile import ColumnProfile, Examples, Moments, Profile
from lifecycle.sketch import Categories, Quantiles

SCHEMA: Final = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectProfile:
    """One object's profile and stored form; or `refused`, why the object cannot be used, and then neither."""

    profile: Profile | None = None
    form: Format | None = None
    columns: tuple[str, ...] = ()
    refused: str | None = None

    def to_plain(self) -> dict[str, Any]:
        """Return the file's content; `columns` is the header as it stands in the file."""
        return {
            "schema": SCHEMA,
            "refused": self.refused,
            "form": self.form,
            "columns": list(self.columns),
            "profile": None if self.profile is None else profile_to_plain(self.profile),
        }

    @classmethod
    def from_plain(cls, raw: Mapping[str, Any]) -> "ObjectProfile":
        """Read the file's content."""
        return cls(
            profile=None if raw["profile"] is None else profile_from_plain(raw["profile"]),
            form=None if raw["form"] is None else Format(raw["form"]),
            columns=tuple(raw["columns"]),
            refused=raw["refused"],
        )


def profile_to_plain(profile: Profile) -> dict[str, Any]:
    """Return a profile as JSON values (also `baseline.json`)."""
    return {
        "schema": SCHEMA,
        "rows": profile.rows,
        "bad_rows": profile.bad_rows,
        "columns": {name: _column_to_plain(column) for name, column in profile.columns.items()},
        "extra": sorted(profile.extra),
    }


def profile_from_plain(raw: Mapping[str, Any]) -> Profile:
    """Read a profile."""
    return Profile(
        rows=raw["rows"],
        bad_rows=raw["bad_rows"],
        columns={name: _column_from_plain(column) for name, column in raw["columns"].items()},
        extra=frozenset(raw["extra"]),
    )


def _column_to_plain(column: ColumnProfile) -> dict[str, Any]:
    plain: dict[str, Any] = {"rows": column.rows, "absent": column.absent, "missing": column.missing}
    for name, examples in (("unreadable", column.unreadable), ("outside", column.outside)):
        first = [list(place) for place in examples.first]
        plain[name] = {"count": examples.count, "first": first, "values": list(examples.values)}
    for name, moments in (("numbers", column.numbers), ("lengths", column.lengths)):
        plain[name] = None if moments is None else _moments_to_plain(moments)
    for name, part in (("quantiles", column.quantiles), ("categories", column.categories)):
        plain[name] = None if part is None else part.to_plain()
    return plain


def _column_from_plain(raw: Mapping[str, Any]) -> ColumnProfile:
    return ColumnProfile(
        rows=raw["rows"],
        absent=raw["absent"],
        missing=raw["missing"],
        unreadable=_examples(raw["unreadable"]),
        outside=_examples(raw["outside"]),
        numbers=None if raw["numbers"] is None else Moments(**raw["numbers"]),
        quantiles=None if raw["quantiles"] is None else Quantiles.from_plain(raw["quantiles"]),
        categories=None if raw["categories"] is None else Categories.from_plain(raw["categories"]),
        lengths=None if raw["lengths"] is None else Moments(**raw["lengths"]),
    )


def _moments_to_plain(moments: Moments) -> dict[str, Any]:
    return {name: getattr(moments, name) for name in ("count", "mean", "squares", "min", "max")}


def _examples(raw: Mapping[str, Any]) -> Examples:
    first = tuple((name, row) for name, row in raw["first"])
    return Examples(count=raw["count"], first=first, values=tuple(raw["values"]))
