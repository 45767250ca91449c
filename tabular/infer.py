"""Table of unknown shape -> what each column is: kind, range, missing share, and what its owner should know."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from lifecycle.schema import Kind
from tabular.convert import typed

MOST: Final = 0.99  # share of values that must fit a kind; the rest is reported
CATEGORY_VALUES: Final = 50
CATEGORY_VALUES_MANY: Final = 1000  # still a category when each value occurs often enough
CATEGORY_ROWS_EACH: Final = 5
FOREIGN_FORMATS: Final = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d.%m.%Y %H:%M", "%m/%d/%Y %H:%M", "%Y%m%d")
BOOLEANS: Final = frozenset({"true", "false"})
SHOWN: Final = 8
NUMERIC: Final = (Kind.NUMBER, Kind.INTEGER)


@dataclass(frozen=True, kw_only=True)
class ColumnFacts:
    """What a file says about one column.

    `values` are the commonest values (with their counts) of a category, else examples; `low` / `high` the range of
    numbers; `odd` counts values that do not fit the kind, `example` is one of them; `note` says what only the owner
    can decide.
    """

    name: str
    kind: Kind
    rows: int
    missing: int
    distinct: int
    low: float | None = None
    high: float | None = None
    values: tuple[tuple[str, int], ...] = ()
    odd: int = 0
    example: str | None = None
    note: str | None = None

    @property
    def unique(self) -> bool:
        """Whether every row has its own value."""
        return self.missing == 0 and self.distinct == self.rows > 1


def facts_of(column: pl.Series) -> ColumnFacts:
    """Return what a column is, from its values (text of a CSV, or typed values of a Parquet file)."""
    text = as_text(column)
    present = text.drop_nulls()
    base: dict[str, Any] = {"name": column.name, "rows": len(column)}
    common = {**base, "missing": text.null_count(), "distinct": present.n_unique()}
    if not len(present):
        return ColumnFacts(**common, kind=Kind.TEXT, note="is empty in the whole file")
    if present.str.to_lowercase().is_in(sorted(BOOLEANS)).all():
        return ColumnFacts(**common, kind=Kind.BOOLEAN, values=_common(present))
    found = _numeric(column, text) or _moment(column, text)
    return ColumnFacts(**base, **found) if found else ColumnFacts(**common, **_words(present))


def as_text(column: pl.Series) -> pl.Series:
    """Return a column's values as a category reads them; null where a value is missing."""
    return typed(column, Kind.TEXT)[0]


def numbers_of(column: pl.Series) -> pl.Series:
    """Return a column as finite floats; null where a value is missing or no number."""
    return _numbers(column)[0]


def moments_of(column: pl.Series) -> pl.Series:
    """Return a column as UTC times; null where a value is missing or not ISO 8601."""
    return typed(column, Kind.DATETIME)[0]


def _numbers(column: pl.Series) -> tuple[pl.Series, pl.Series]:
    values, missing = typed(column, Kind.NUMBER)
    if column.dtype == pl.String:
        # a number with a leading zero is a code: 007 is not 7
        codes = column.str.strip_chars().str.contains(r"^[+-]?0\d").fill_null(value=False)
        values = values.set(codes, None)
    return values, missing


def _numeric(column: pl.Series, text: pl.Series) -> dict[str, Any] | None:
    numbers, missing = _numbers(column)
    present = text.filter(~missing)
    odd = len(present) - (len(numbers) - numbers.null_count())
    if not len(present) or odd > (1 - MOST) * len(present):
        return None
    whole = numbers.drop_nulls()
    integer = bool((whole == whole.round(0)).all()) and not present.str.contains(r"[.eE]").any()
    found: dict[str, Any] = {
        "kind": Kind.INTEGER if integer else Kind.NUMBER,
        "missing": int(missing.sum()),
        "distinct": present.n_unique(),
        "low": whole.min(),
        "high": whole.max(),
        "values": _common(present),
        "odd": odd,
        "example": _first(text.filter(~missing & numbers.is_null())),
    }
    every = present.n_unique() == len(present)
    if integer and every and len(present) >= 20 and (looks_like_key(column.name) or _counts_up(whole)):
        found["kind"] = Kind.ID
    elif integer and looks_like_key(column.name):
        found["note"] = "if these are codes, not amounts, make it {kind: category} or {kind: id}"
    return found


def _moment(column: pl.Series, text: pl.Series) -> dict[str, Any] | None:
    moments, missing = typed(column, Kind.DATETIME)
    present = text.filter(~missing)
    if not len(present):
        return None
    base = {"missing": int(missing.sum()), "distinct": present.n_unique(), "values": _examples(present)}
    odd = len(present) - (len(moments) - moments.null_count())
    if odd <= (1 - MOST) * len(present):
        example = _first(text.filter(~missing & moments.is_null()))
        return {**base, "kind": Kind.DATETIME, "odd": odd, "example": example}
    for pattern in FOREIGN_FORMATS:
        if present.str.to_datetime(pattern, strict=False).null_count() <= (1 - MOST) * len(present):
            note = (
                f"looks like times written {pattern}; written as ISO 8601 (2026-11-21) they can be {{kind: datetime}}"
            )
            return {**base, "kind": Kind.TEXT, "note": note}
    return None


def _words(present: pl.Series) -> dict[str, Any]:
    distinct, rows = present.n_unique(), len(present)
    lengths = present.str.len_chars()
    longest = int(lengths.max() or 0)  # type: ignore[arg-type]
    one_word = longest <= 64 and not present.head(1000).str.contains(r"\s").any()
    if distinct == rows and rows >= 20 and one_word:
        return {"kind": Kind.ID, "values": _examples(present)}
    often = distinct <= CATEGORY_VALUES or (distinct <= CATEGORY_VALUES_MANY and rows >= CATEGORY_ROWS_EACH * distinct)
    if often and distinct < max(rows * 0.9, 2.5):
        return {"kind": Kind.CATEGORY, "values": _common(present)}
    if one_word:
        return {"kind": Kind.ID, "values": _examples(present)}
    return {"kind": Kind.TEXT, "values": _examples(present)}


def looks_like_key(name: str) -> bool:
    """Return whether a column's name says that it identifies something.

    >>> [looks_like_key(name) for name in ("customer_id", "humid", "kunde_nr", "uuid")]
    [True, False, True, True]
    """
    words = name.lower().replace("-", "_").replace(" ", "_").split("_")
    return words[-1] in KEY_WORDS or name.endswith(("Id", "ID", "Key"))


KEY_WORDS: Final = frozenset(
    {"id", "uuid", "guid", "key", "no", "nr", "number", "num", "code", "index", "customer", "user", "patient"}
    | {"account", "client", "device", "household", "session", "subject", "transaction", "rownames", "unnamed"}
)


def _counts_up(whole: pl.Series) -> bool:
    steps = whole.diff().drop_nulls()
    return bool((steps == 1).all())


def _common(present: pl.Series) -> tuple[tuple[str, int], ...]:
    counted = present.rename("value").value_counts(name="rows").sort(["rows", "value"], descending=[True, False])
    return tuple((value, int(rows)) for value, rows in counted.head(max(SHOWN, CATEGORY_VALUES + 1)).iter_rows())


def _examples(present: pl.Series) -> tuple[tuple[str, int], ...]:
    return tuple((value, 0) for value in present.unique(maintain_order=True).head(3).to_list())


def _first(series: pl.Series) -> str | None:
    values: Sequence[str] = series.head(1).to_list()
    return values[0] if values else None
