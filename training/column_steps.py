"""One column on its way through fitted transformers: what is read, what is done to it, and the encoder inputs that do.

A `Column` is one number per row, made from one feature. While nothing has looked its values up, it is a list of steps;
after that it is a `Table`: a number for every value that any transformer knows, for a missing one, and for the rest.
Whatever follows is worked out on the table's few numbers, here, once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from math import isinf, isnan, nan
from typing import Any, Final

from lifecycle.encoder_steps import TEXT, after
from lifecycle.errors import ModelRejected, RequestRejected
from lifecycle.packed import pack

Key = float | str
Step = tuple[Any, ...]
Look = Callable[[Any], float]


class Unseen:
    """Stands for every value that no transformer knows."""


UNSEEN: Final = Unseen()

WIDEST: Final = 64
"""Columns of a table of whole rows; with more, each has a table of its own."""


@dataclass(frozen=True)
class Table:
    """Numbers by value; a value that is not in `values` gets `other`, a missing one `missing`."""

    values: Mapping[Key, float]
    missing: float
    other: float

    def then(self, change: Callable[[float], float]) -> "Table":
        """Return the table with a change of every number."""
        values = {key: change(value) for key, value in self.values.items()}
        return Table(values, change(self.missing), change(self.other))


@dataclass(frozen=True)
class Column:
    """One number per row: `of` (`lifecycle.encoder_steps`) a feature, `steps`, then perhaps a table.

    `replaced` holds what texts became before anything looked them up; None stands for a missing one. `refuses` names
    what the table has no number for: "missing" values, all "other" ones than its own.
    """

    feature: str
    of: str
    steps: tuple[Step, ...] = ()
    replaced: Mapping[str | None, Any] = field(default_factory=dict)
    table: Table | None = None
    refuses: tuple[str, ...] = ()

    @property
    def is_text(self) -> bool:
        """Whether its values still are texts."""
        return self.of == TEXT and self.table is None

    def then(self, *step: Any) -> "Column":
        """Return the column after one more step on its numbers. Raises ModelRejected for texts."""
        if self.is_text:
            raise ModelRejected(f"{self.feature} is text where numbers are needed: encode it first")
        plain: Step = (step[0], *map(float, step[1:]))
        if any(map(isinf, plain[1:])):
            raise ModelRejected(f"{self.feature}: what was learned of it to {step[0]} is infinite; bound its values")
        if any(map(isnan, plain[1:])):  # learned from a column without a single value
            if step[0] == "fill":
                return self
            plain = ("none",)
        if self.table is not None:
            try:
                return replace(self, table=self.table.then(lambda value: after(value, [plain])))
            except RequestRejected as error:
                raise ModelRejected(f"{self.feature} {error}; fill it first") from error
        return replace(self, steps=(*self.steps, plain))

    def text(self, value: Any) -> Any:
        """Return what a text (None: missing) became so far."""
        return self.replaced.get(value, value)

    def filled(self, missing: str | None, fill: Any) -> "Column":
        """Return a column of texts in which `missing` (None: missing ones) became `fill`."""
        before = {key: fill if value == missing else value for key, value in self.replaced.items()}
        return replace(self, replaced={**({} if missing in before else {missing: fill}), **before})

    def looked_up(self, known: Sequence[Any], look: Look, *, only: bool = False) -> "Column":
        """Return the column after a transformer that knows the values `known` and gives `look(value)` for each.

        `look` also takes NaN (missing) and UNSEEN. With `only`, all values but the known ones are refused.
        """
        if only:
            return self._only(known).looked_up(known, look)
        if self.table is not None:
            return replace(self, table=self.table.then(look))
        if self.of != TEXT:
            keys = [float(value) for value in known if not is_nan(value)]
            return replace(self, table=Table({key: look(key) for key in keys}, look(nan), look(UNSEEN)))
        texts = [value for value in known if isinstance(value, str)]
        keys_of_text = dict.fromkeys([*texts, *(key for key in self.replaced if key is not None)])
        values: dict[Key, float] = {key: look(self.text(key)) for key in keys_of_text if key != ""}
        missing = self.text(None)
        table = Table(values, look(nan if missing is None else missing), look(UNSEEN))
        return replace(self, table=table, replaced={})

    def _only(self, known: Sequence[Any]) -> "Column":
        """Return the column that refuses what is not known. Raises ModelRejected when its numbers are codes already."""
        if self.table is not None or any(key is not None for key in self.replaced):
            raise ModelRejected(f"{self.feature}: an encoder that refuses values must be the first step of its column")
        missing = self.text(None)
        knows_missing = any(map(is_nan, known)) if missing is None else missing in known
        return replace(self, refuses=("other",) if knows_missing else ("missing", "other"))


def inputs_of(columns: Sequence[Column], *, nan_is_fine: bool, one_hot: bool) -> list[dict[str, Any]]:
    """Return encoder inputs that make the columns, in order; neighbours that look up the same value become one.

    `one_hot` allows category inputs, which stand for zeros and ones in the layout "standard".

    Raises ModelRejected when a column still holds texts.
    """
    entries: list[dict[str, Any]] = []
    for column in columns:
        if column.is_text:
            raise ModelRejected(f"{column.feature} reaches the estimator as text; encode it or drop it")
    for (feature, of, steps, has_table, refuses), group in groupby(columns, key=_same):
        entry: dict[str, Any] = {"feature": feature, "as": "steps", "of": of, "steps": [list(step) for step in steps]}
        entry |= {} if nan_is_fine else {"required": True}
        entry |= {"refuses": list(refuses)} if refuses else {}
        same = list(group)
        if not has_table:
            entries += [entry] * len(same)
            continue
        found = [column.table for column in same if column.table is not None]
        may_be_hot = one_hot and not refuses
        for tables in _runs(found, of) if may_be_hot else [found]:
            texts = [_hot(table, of) for table in tables]
            if may_be_hot and texts[0] is not None:
                entries.append({"feature": feature, "as": "category", "categories": texts, "missing": -0.5})
            else:
                entries += [{**entry, "table": table} for table in _merged(tables, of)]
    return entries


def _same(column: Column) -> tuple[str, str, tuple[Step, ...], bool, tuple[str, ...]]:
    return column.feature, column.of, column.steps, column.table is not None, column.refuses


def _hot(table: Table, of: str) -> str | None:
    """Return the one text for which a table holds 1, if it holds 0 for everything else."""
    if of != TEXT or table.missing != 0 or table.other != 0 or list(table.values.values()) != [1.0]:
        return None
    return str(next(iter(table.values)))


def _runs(tables: Sequence[Table], of: str) -> Iterator[list[Table]]:
    """Yield neighbours that are zeros and ones of different texts, which linear models look up, and what is between."""
    run: list[Table] = []
    seen: set[str] = set()
    for table in tables:
        text = _hot(table, of)
        if run and ((text is None) != (not seen) or text in seen):
            yield run
            run, seen = [], set()
        run.append(table)
        if text is not None:
            seen.add(text)
    yield run


def _merged(tables: Sequence[Table], of: str) -> Iterator[dict[str, Any]]:
    """Yield as few tables as possible: one of changes to a common row, or of whole rows where those are short."""
    keys = list(dict.fromkeys(key for table in tables for key in table.values))
    plain = keys if of == TEXT else pack("d", keys)  # type: ignore[arg-type]
    changes: dict[Any, list[tuple[int, float]]] = {key: [] for key in [*keys, None]}
    for place, table in enumerate(tables):
        for key, value in [*table.values.items(), (None, table.missing)]:
            if not _equal(value, table.other):
                changes[key].append((place, value))
    base = [table.other for table in tables]
    numbers = [*base, *(value for found in changes.values() for _, value in found)]
    if len(tables) > 1 and all(len(found) <= 1 for found in changes.values()) and not any(map(isnan, numbers)):
        single = [found[0] if found else (-1, 0.0) for found in changes.values()]
        changed = {"at": pack("i", [place for place, _ in single]), "value": pack("d", [value for _, value in single])}
        yield {"keys": plain, "width": len(tables), "base": pack("d", base), **changed}
    elif len(tables) <= WIDEST:
        rows = [[table.values.get(key, table.other) for table in tables] for key in keys]
        rows += [[table.missing for table in tables], base]
        yield {"keys": plain, "width": len(tables), "rows": pack("d", [value for row in rows for value in row])}
    else:
        for table in tables:
            yield from _merged([table], of)


def _equal(one: float, other: float) -> bool:
    return one == other or (isnan(one) and isnan(other))


def is_nan(value: Any) -> bool:
    """Return whether a value of any type is NaN, which stands for a missing one."""
    return isinstance(value, float) and isnan(value)
