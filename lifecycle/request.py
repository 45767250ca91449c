"""JSON value of a request + contract of the live model -> rows with the contract's types, or every reason why not.

The rules are compiled once, when the model is loaded, into one small function per column. What a column accepts:

number      a JSON number within min and max
integer     a JSON number without a fraction (3 and 3.0) within min and max
boolean     true or false
category    text, or a whole number, which stands for its digits; one of `categories` when the contract lists them,
            one of the values learned in training when it says `unseen: reject`
datetime    ISO 8601 text (UTC when it names no zone)
text, id    text, or a whole number

null, empty text and an absent field mean "missing". Missing is allowed unless the contract says `max_null_share: 0`; an
absent field takes the column's default first. A field that the contract does not know is ignored or refused, as
`extra_columns` says.

The contract is taken as plain data, as it lies in the compiled file: the classes of `lifecycle.schema` take longer to
import than a row takes to score. Defaults are left out there; a test holds the ones used here to those of `Column`.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from lifecycle.encoding import NUMBER_LIMIT, datetime_of
from lifecycle.errors import RequestRejected
from lifecycle.problem import ERRORS_LISTED, FieldError, Problem, field_error

LISTED_CATEGORIES: Final = 12
INTEGER_LIMIT: Final = 2**63 - 1
MISSING: Final = object()

Plain = Mapping[str, Any]
Check = Callable[[Any], Any]
"""Returns the value with the contract's type; raises ValueError with what is wrong."""


class RowChecker:
    """Checks the rows of requests against one contract (plain, see `lifecycle.schema.contract_to_plain`).

    `learned` maps a category column to the values that the model knows; it matters where `unseen` is "reject".
    """

    def __init__(
        self, contract: Plain, *, learned: Mapping[str, Collection[str]] | None = None, max_rows: int = 1000
    ) -> None:
        self._not_sent = {contract["target"]: "the label", contract.get("weight"): "the weight"}
        inputs = inputs_of(contract)
        self._columns = [_compiled(column, (learned or {}).get(column["name"])) for column in inputs]
        self._names = {column["name"] for column in inputs}
        self._private = {column["name"] for column in inputs if column.get("private")}
        self._strict = contract.get("extra_columns") == "reject"
        self._max_rows = max_rows

    def rows_of(self, document: Any) -> list[dict[str, Any]]:
        """Return the rows of `{"rows": [...]}`, typed as `encoding.typed_row` does; a missing value is None.

        Raises
        ------
        Problem
            413 when there are more rows than the model takes at once; 422 with all errors found (at most
            `ERRORS_LISTED`) when the document or a row does not satisfy the contract.
        """
        rows = self._listed(document)
        errors: list[FieldError] = []
        clean = [self._row(index, row, errors) for index, row in enumerate(rows)]
        if errors:
            more = f" (the first {ERRORS_LISTED} are listed)" if len(errors) > ERRORS_LISTED else ""
            wrong = len({error["row"] for error in errors})
            raise Problem(
                422,
                f"{len(errors)} problem{'s' * (len(errors) > 1)} in {wrong} of {len(rows)} rows{more}; "
                "no row was scored. GET the model's path for its columns.",
                errors=errors[:ERRORS_LISTED],
            )
        return clean

    def _listed(self, document: Any) -> list[Any]:
        if document.__class__ is not dict:
            raise Problem(422, f'the body must be an object such as {{"rows": [{{...}}]}}, got {_type_of(document)}')
        unknown = [name for name in document if name != "rows"]
        errors = [field_error(None, name[:100], 'is unknown here; the body holds "rows" only') for name in unknown]
        rows = document.get("rows", MISSING)
        if rows is MISSING:
            errors.append(field_error(None, "rows", "is missing"))
        elif rows.__class__ is not list:
            errors.append(field_error(None, "rows", f"must be a list of objects, got {_type_of(rows)}"))
        elif not rows:
            errors.append(field_error(None, "rows", "is empty: send at least one row"))
        if errors:
            raise Problem(422, 'the body must be {"rows": [{...}, ...]}', errors=errors[:ERRORS_LISTED])
        found: list[Any] = rows
        if len(found) > self._max_rows:
            detail = f"{len(found):,} rows in one request; this model takes at most {self._max_rows:,}"
            raise Problem(413, detail)
        return found

    def _row(self, index: int, row: Any, errors: list[FieldError]) -> dict[str, Any]:
        clean: dict[str, Any] = {}
        if row.__class__ is not dict:
            errors.append(field_error(index, None, f"must be an object, got {_type_of(row)}"))
            return clean
        get = row.get
        for name, check, absent, nullable in self._columns:
            value = get(name, MISSING)
            if value is MISSING:
                value = absent
            if value is None or value == "":
                if not nullable:
                    errors.append(field_error(index, name, "is missing" if name not in row else "may not be null"))
                clean[name] = None
                continue
            try:
                clean[name] = check(value)
            except ValueError as error:
                got = "" if name in self._private else f", got {_shown(value)}"
                errors.append(field_error(index, name, f"{error}{got}"))
        if self._strict and not row.keys() <= self._names:
            errors += [self._unknown(index, name) for name in row if name not in self._names]
        return clean

    def _unknown(self, index: int, name: str) -> FieldError:
        if name in self._not_sent:
            return field_error(index, name, f"is {self._not_sent[name]}: leave it out")
        return field_error(index, name[:100], "is not a column of this model")


def inputs_of(contract: Plain) -> list[Plain]:
    """Return the columns that a caller sends: all but target and weight."""
    return [
        column for column in contract["columns"] if column["name"] not in (contract["target"], contract.get("weight"))
    ]


def is_nullable(column: Plain) -> bool:
    """Return whether a value of the column may be missing."""
    return float(column.get("max_null_share", 1.0)) > 0


def _compiled(column: Plain, learned: Collection[str] | None) -> tuple[str, Check, Any, bool]:
    return column["name"], _check(column, learned), column.get("default"), is_nullable(column)


def _check(column: Plain, learned: Collection[str] | None) -> Check:
    kind = column["kind"]
    if kind == "number":
        return _number(column.get("min"), column.get("max"))
    if kind == "integer":
        return _integer(column.get("min"), column.get("max"))
    if kind == "category":
        allowed = column.get("categories") or (learned if column.get("unseen") == "reject" else None)
        return _text if allowed is None else _category(allowed)
    return {"boolean": _boolean, "datetime": _datetime, "text": _text, "id": _text}[kind]


def _number(low: float | None, high: float | None) -> Check:
    outside = f"must be a number {_range(low, high, 'that a model can compute with')}"
    least = -NUMBER_LIMIT if low is None else low
    most = NUMBER_LIMIT if high is None else high

    def check(value: Any) -> float:
        if value.__class__ is float or value.__class__ is int:
            if least <= value <= most:
                return float(value)
            raise ValueError(outside)
        raise ValueError("must be a number")

    return check


def _integer(low: float | None, high: float | None) -> Check:
    outside = f"must be a whole number {_range(low, high, 'of at most 64 bits')}"
    least = -INTEGER_LIMIT if low is None else low
    most = INTEGER_LIMIT if high is None else high

    def check(value: Any) -> int:
        if value.__class__ is int or (value.__class__ is float and value.is_integer()):
            if least <= value <= most:
                return int(value)
            raise ValueError(outside)
        raise ValueError("must be a whole number")

    return check


def _category(allowed: Collection[str]) -> Check:
    values = frozenset(allowed)
    listed = ", ".join(sorted(values)) if len(values) <= LISTED_CATEGORIES else f"{len(values)} known values"
    message = f"must be one of {listed}"

    def check(value: Any) -> str:
        text = _text(value)
        if text in values:
            return text
        raise ValueError(message)

    return check


def _boolean(value: Any) -> bool:
    if value.__class__ is bool:
        return bool(value)
    raise ValueError("must be true or false")


def _text(value: Any) -> str:
    if value.__class__ is str:
        return str(value)
    if value.__class__ is int:
        return str(value)
    raise ValueError("must be text")


def _datetime(value: Any) -> Any:
    if value.__class__ is str:
        try:
            return datetime_of("", value)
        except RequestRejected:
            raise ValueError("must be a time such as 2026-11-21T10:00:00Z") from None
    raise ValueError("must be a time as text, such as 2026-11-21T10:00:00Z")


def _range(low: float | None, high: float | None, otherwise: str) -> str:
    if low is None and high is None:
        return otherwise
    if low is None or high is None:
        return f"of at least {low:g}" if low is not None else f"of at most {high:g}"
    return f"between {low:g} and {high:g}"


def _type_of(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return _type_of(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value) if isinstance(value, str) else f"{value:.6g}" if isinstance(value, float) else _digits(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _digits(value: int) -> str:
    # Python refuses to write out integers of thousands of digits
    return str(value) if value.bit_length() < 1000 else "a number of hundreds of digits"
