"""Table of unknown shape -> what each column is: kind, range, missing share, and what its owner should know."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from lifecycle.schema import Kind

MOST: Final = 0.99  # share of values that must fit a kind; the rest is reported
CATEGORY_VALUES: Final = 50
CATEGORY_VALUES_MANY: Final = 1000  # still a category when each value occurs often enough
CATEGORY_ROWS_EACH: Final = 5
TIME_FORMATS: Final = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z")
NAIVE_FORMATS: Final = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M")
FOREIGN_FORMATS: Final = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d.%m.%Y %H:%M", "%m/%d/%Y %H:%M", "%Y%m%d")
BOOLEANS: Final = frozenset({"true", "false"})
SHOWN: Final = 8
SHOWN_LENGTH: Final = 24
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
    base = {"name": column.name, "rows": len(column), "missing": text.null_count(), "distinct": present.n_unique()}
    if not len(present):
        return ColumnFacts(**base, kind=Kind.TEXT, note="is empty in the whole file")  # type: ignore[arg-type]
    if present.str.to_lowercase().is_in(sorted(BOOLEANS)).all():
        return ColumnFacts(**base, kind=Kind.BOOLEAN, values=_common(present))  # type: ignore[arg-type]
    for guess in (_numeric, _moment):
        found = guess(present)
        if found is not None:
            return ColumnFacts(**{**base, **found})  # type: ignore[arg-type]
    return ColumnFacts(**base, **_words(present))  # type: ignore[arg-type]


def as_text(column: pl.Series) -> pl.Series:
    """Return a column's values as the text that a CSV would hold; null where a value is missing or empty."""
    if column.dtype == pl.Boolean:
        text = column.replace_strict({True: "true", False: "false"}, default=None, return_dtype=pl.String)
    elif isinstance(column.dtype, pl.Datetime):
        text = column.dt.strftime("%Y-%m-%dT%H:%M:%S%.f")
    else:
        text = column.cast(pl.String, strict=False)
    return text.replace("", None)


def numbers_of(column: pl.Series) -> pl.Series:
    """Return a column as floats; null where a value is missing or no finite number."""
    text = as_text(column).str.strip_chars()
    # a number with a leading zero is a code: 007 is not 7
    numbers = pl.select(pl.when(~text.str.contains(r"^[+-]?0\d")).then(text.cast(pl.Float64, strict=False))).to_series()
    return numbers.alias(column.name).replace([float("inf"), float("-inf"), float("nan")], [None, None, None])


def _numeric(present: pl.Series) -> dict[str, object] | None:
    numbers = numbers_of(present)
    odd = numbers.null_count()
    if odd > (1 - MOST) * len(present):
        return None
    whole = numbers.drop_nulls()
    integer = bool((whole == whole.round(0)).all()) and not present.str.contains(r"[.eE]").any()
    name = present.name
    found: dict[str, object] = {
        "kind": Kind.INTEGER if integer else Kind.NUMBER,
        "low": whole.min(),
        "high": whole.max(),
        "values": _common(present),
        "odd": odd,
        "example": _first(present.filter(numbers.is_null())),
    }
    every = present.n_unique() == len(present)
    if integer and every and len(present) >= 20 and (looks_like_key(name) or _counts_up(whole)):
        found["kind"] = Kind.ID
    elif integer and looks_like_key(name):
        found["note"] = "if these are codes, not amounts, make it {kind: category} or {kind: id}"
    return found


def _moment(present: pl.Series) -> dict[str, object] | None:
    parsed = moments_of(present)
    odd = parsed.null_count()
    if odd <= (1 - MOST) * len(present):
        example = _first(present.filter(parsed.is_null()))
        return {"kind": Kind.DATETIME, "values": _examples(present), "odd": odd, "example": example}
    for pattern in FOREIGN_FORMATS:
        if present.str.to_datetime(pattern, strict=False).null_count() <= (1 - MOST) * len(present):
            note = (
                f"looks like times written {pattern}; written as ISO 8601 (2026-11-21) they can be {{kind: datetime}}"
            )
            return {"kind": Kind.TEXT, "values": _examples(present), "note": note}
    return None


def moments_of(column: pl.Series) -> pl.Series:
    """Return a column as UTC times; null where a value is missing or not ISO 8601."""
    text = as_text(column)
    zoned = text.str.replace(r"Z$", "+00:00")
    tries = [zoned.str.to_datetime(pattern, strict=False, time_zone="UTC") for pattern in TIME_FORMATS[1:]]
    naive = [text.str.to_datetime(p, strict=False).dt.replace_time_zone("UTC") for p in NAIVE_FORMATS]
    day = text.str.to_datetime(TIME_FORMATS[0], strict=False).dt.replace_time_zone("UTC")
    return pl.select(pl.coalesce([day, *tries, *naive])).to_series().alias(column.name)


def _words(present: pl.Series) -> dict[str, object]:
    distinct, rows = present.n_unique(), len(present)
    lengths = present.str.len_chars()
    one_word = not present.head(1000).str.contains(r"\s").any() and int(lengths.max() or 0) <= 64  # type: ignore[arg-type]
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
    return tuple(
        (_short(value), int(rows)) for value, rows in counted.head(max(SHOWN, CATEGORY_VALUES + 1)).iter_rows()
    )


def _examples(present: pl.Series) -> tuple[tuple[str, int], ...]:
    return tuple((_short(value), 0) for value in present.unique(maintain_order=True).head(3).to_list())


def _first(series: pl.Series) -> str | None:
    values: Sequence[str] = series.head(1).to_list()
    return _short(values[0]) if values else None


def _short(value: str) -> str:
    return value if len(value) <= SHOWN_LENGTH else f"{value[:SHOWN_LENGTH]}…"
