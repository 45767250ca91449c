"""Row + contract -> numbers: the one definition of how a value becomes model input, used by training and scoring.

An encoder is plain data (it lies in the compiled model), a list of inputs in the order of `Contract.features`:

    {"feature": "distance", "as": "number"}      1 position: the number, NaN when missing
    {"feature": "departs", "as": "calendar"}     4 positions: hour, weekday (Monday 0), day of month, month; in UTC
    {"feature": "dest", "as": "category",        1 position: the index in `categories`; `missing` when the value is
     "categories": [...], "missing": 11.5}       missing or was never learned
    {"feature": "size", "as": "steps", ...}      as many as its table is wide, otherwise 1 (`lifecycle.encoder_steps`)

A calendar input may name other `parts` (PARTS); it has a position for each.

In the layout "ordinal" these positions are the model's input. In "standard" each number and calendar input also has
`fill`, `mean` and `scale` (lists as long as its width): missing becomes `fill`, then (value - mean) / scale, kept
within +-STANDARD_LIMIT; a category with k values stands for k zero-one inputs, all zero when missing or not learned.

A number is usable when it is finite and at most NUMBER_LIMIT in size (so that it survives float32); otherwise it counts
as missing. Empty text counts as missing. Training does the same on whole columns (`training.encode`); tests hold both
to the same bits. Standard library only, and imports little: it runs at cold start.
"""

from __future__ import annotations

from math import isnan, nan

from lifecycle.errors import RequestRejected

TYPE_CHECKING = False  # importing typing costs a cold start as much as the first row
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    Row = Mapping[str, Any]
    Step = tuple[str, Any, str | None, Any]

NUMBER_LIMIT = 1e38
STANDARD_LIMIT = 1e4
CALENDAR = ("hour", "weekday", "day", "month")
PARTS: dict[str, Callable[[Any], float]] = {
    "minute": lambda moment: float(moment.minute),
    "hour": lambda moment: float(moment.hour),
    "weekday": lambda moment: float(moment.weekday()),
    "day": lambda moment: float(moment.day),
    "day_of_year": lambda moment: float(moment.timetuple().tm_yday),
    "month": lambda moment: float(moment.month),
    "year": lambda moment: float(moment.year),
}
"""Parts of a time (in UTC) that can be an input; Monday is weekday 0, the others count as people do."""
ORDINAL = "ordinal"
STANDARD = "standard"


def number_of(name: str, value: Any) -> float:
    """Return a number, integer or boolean as float; NaN when missing or unusable. Refuses other types."""
    if value is None:
        return nan
    if isinstance(value, int | float):
        try:
            number = float(value)
        except OverflowError:
            return nan
        return number if -NUMBER_LIMIT <= number <= NUMBER_LIMIT else nan
    raise RequestRejected(f"{name}: expected a number or true/false, got {_shown(value)}")


def text_of(name: str, value: Any) -> str | None:
    """Return a category's or text's value; None when missing or empty. Refuses other types."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    raise RequestRejected(f"{name}: expected text, got {_shown(value)}")


def datetime_of(name: str, value: Any) -> Any:
    """Return an aware `datetime` from ISO 8601 text or a datetime (UTC when it names no zone); None when missing."""
    from datetime import UTC, datetime  # loaded only by models that have such a column

    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise RequestRejected(f"{name}: expected a time like 2026-11-21T10:00:00Z, got {_shown(value)}") from None
    if not isinstance(value, datetime):
        raise RequestRejected(f"{name}: expected ISO 8601 text, got {_shown(value)}")
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        raise RequestRejected(f"{name}: {_shown(value)} is outside the years 1 to 9999 in UTC") from None


def calendar_of(name: str, value: Any, parts: Sequence[str] = CALENDAR) -> tuple[float, ...]:
    """Return the parts of a time in UTC, NaN for each when it is missing."""
    moment = datetime_of(name, value)
    if moment is None:
        return (nan,) * len(parts)
    if parts is CALENDAR:
        return (float(moment.hour), float(moment.weekday()), float(moment.day), float(moment.month))
    return tuple(PARTS[part](moment) for part in parts)


def _boolean_of(name: str, value: Any) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise RequestRejected(f"{name}: expected true or false, got {_shown(value)}")


def _finite_of(name: str, value: Any) -> float | None:
    number = number_of(name, value)
    return None if isnan(number) else number


def _integer_of(name: str, value: Any) -> int | None:
    number = number_of(name, value)
    if isnan(number):
        return None
    return int(value) if isinstance(value, int) else int(number)


CONVERTERS: dict[str, Callable[[str, Any], Any]] = {
    "number": _finite_of,
    "integer": _integer_of,
    "boolean": _boolean_of,
    "category": text_of,
    "text": text_of,
    "id": text_of,
    "datetime": datetime_of,
}


def typed_row(kinds: Sequence[tuple[str, str]], row: Row) -> dict[str, Any]:
    """Return what features.py sees: every column of `kinds` (name, kind), typed, None when missing.

    Numbers are float, integers int, booleans bool, datetimes aware in UTC, everything else str. Raises RequestRejected
    when a value has another type.
    """
    return {name: CONVERTERS[kind](name, row.get(name)) for name, kind in kinds}


class Encoder:
    """Encodes rows by plain encoder data that `lifecycle.compiled` has checked."""

    __slots__ = ("inputs", "layout", "steps", "width")

    def __init__(self, plain: Mapping[str, Any]) -> None:
        self.layout: str = plain["layout"]
        self.inputs: list[dict[str, Any]] = plain["inputs"]
        self.steps: list[Step] = [_step(entry, self.layout == STANDARD) for entry in self.inputs]
        self.width: int = sum(width_of(entry) for entry in self.inputs)

    def encode(self, row: Row) -> list[float]:
        """Return the positions of one row (raw and derived values by name). Raises RequestRejected on a wrong type."""
        encoded: list[float] = []
        append = encoded.append
        get = row.get
        least, most = -NUMBER_LIMIT, NUMBER_LIMIT
        for name, codes, how, extra in self.steps:
            value: Any = get(name)
            if codes is not None:
                append(codes.get(value if value.__class__ is str else text_of(name, value), extra))
            elif how is None:
                # the common case first: a float within the limits (NaN fails the comparison)
                usable = value.__class__ is float and least <= value <= most
                append(value if usable else number_of(name, value))
            elif how == "standard":
                append(standardise(number_of(name, value), *extra))
            elif how == "steps":
                extra(value, encoded)
            else:
                parts = calendar_of(name, value, extra[0])
                encoded += parts if extra[1] is None else map(standardise, parts, *extra[1])
        return encoded

    def expand(self, encoded: Sequence[float]) -> list[float]:
        """Return the estimator's inputs: in the standard layout each category becomes zeros and ones."""
        if self.layout == ORDINAL:
            return list(encoded)
        dense: list[float] = []
        position = 0
        for entry in self.inputs:
            if entry["as"] == "category":
                hot = [0.0] * len(entry["categories"])
                if encoded[position] != entry["missing"]:
                    hot[int(encoded[position])] = 1.0
                dense += hot
                position += 1
            else:
                width = width_of(entry)
                dense += encoded[position : position + width]
                position += width
        return dense


def width_of(entry: Mapping[str, Any]) -> int:
    """Return how many positions an encoder input has."""
    how = entry["as"]
    if how == "steps":
        return entry["table"]["width"] if "table" in entry else 1
    return len(entry.get("parts", CALENDAR)) if how == "calendar" else 1


def dense_width(plain: Mapping[str, Any]) -> int:
    """Return how many inputs the estimator has."""
    if plain["layout"] == ORDINAL:
        return sum(width_of(entry) for entry in plain["inputs"])
    return sum(len(e["categories"]) if e["as"] == "category" else width_of(e) for e in plain["inputs"])


def missing_codes(plain: Mapping[str, Any]) -> list[float | None]:
    """Return, per input of the estimator, the code that stands for a missing category; None where it is no category."""
    if plain["layout"] == STANDARD:
        return [None] * dense_width(plain)
    return [e["missing"] if e["as"] == "category" else None for e in plain["inputs"] for _ in range(width_of(e))]


def standardise(value: float, fill: float, mean: float, scale: float) -> float:
    """Return a number in the standard layout."""
    centred = ((fill if isnan(value) else value) - mean) / scale
    return -STANDARD_LIMIT if centred < -STANDARD_LIMIT else STANDARD_LIMIT if centred > STANDARD_LIMIT else centred


def _step(entry: Mapping[str, Any], standard: bool) -> Step:
    """(name, codes of a category, how it is encoded if not as it is, code of a missing category or scaling)."""
    name, how = entry["feature"], entry["as"]
    if how == "steps":
        from lifecycle import encoder_steps  # late: few models have such inputs

        return name, None, how, encoder_steps.appender(entry)
    if how == "category":
        # whole numbers stay int: equal to the floats, but several times faster to look up in a split's set
        return name, {text: i for i, text in enumerate(entry["categories"])}, how, entry["missing"]
    # whole numbers of a file become floats: those that are huge would not survive a division
    numbers = tuple([float(part) for part in entry[key]] for key in ("fill", "mean", "scale")) if standard else None
    if how == "number" and numbers is not None:
        return name, None, "standard", tuple(part[0] for part in numbers)
    if how == "number":
        return name, None, None, None
    return name, None, how, (entry.get("parts", CALENDAR), numbers)


def _shown(value: Any) -> str:
    text = repr(value)
    return f"{text[:40]}… ({type(value).__name__})" if len(text) > 41 else f"{text} ({type(value).__name__})"
