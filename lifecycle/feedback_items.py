"""A feedback document + contract -> items with labels as training spells them, or what is wrong with each.

Values are held to the rules of the HTTP door (`lifecycle.request`): a label is checked as the target column would be.
Whether a class is one that is known is decided later, with the prediction at hand (`lifecycle.feedback`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from lifecycle.problem import Problem, field_error
from lifecycle.request import RowChecker
from lifecycle.schema import Contract, Kind, Task

MAX_ITEMS: Final = 1_000
IDENTITY: Final = "prediction_id"
LABEL: Final = "label"
TIME: Final = "time"
CORRECT: Final = "correct"
FIELDS: Final = (IDENTITY, LABEL, TIME, CORRECT)
_SHAPE: Final = '{"labels": [{"prediction_id": "...", "label": ...}, ...]}'
_ID_LENGTH: Final = 100
_LABEL_LENGTH: Final = 256  # a label is a class; an item of the table must stay small
_MESSAGE_LENGTH: Final = 500  # a thousand of them must fit into an answer


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One label. `place` is its number in the document; `time` (epoch seconds) is when it became known, if said.

    `label` is a class as text, spelled as in training, or a number. `correct`: it may replace what is stored.
    """

    place: int
    prediction_id: str
    label: str | float
    time: float | None = None
    correct: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Wrong:
    """What stands at `place` and is no item; `prediction_id` is the one it names, if any."""

    place: int
    prediction_id: str | None
    message: str


def listed(document: Any) -> list[Any]:
    """Return what `{"labels": [...]}` lists.

    Raises
    ------
    Problem
        413 when there are more than `MAX_ITEMS`; 422 when the document has another shape.
    """
    found = document.get("labels") if isinstance(document, dict) else None
    if not isinstance(found, list) or not found:
        raise Problem(422, f"the body must be {_SHAPE}, with at least one label")
    if unknown := [name for name in document if name != "labels"]:
        errors = [field_error(None, name[:100], 'is unknown here; the body holds "labels" only') for name in unknown]
        raise Problem(422, f"the body must be {_SHAPE}", errors=errors[:10])
    if len(found) > MAX_ITEMS:
        detail = f"{len(found):,} labels in one request; at most {MAX_ITEMS:,} are taken: send more requests, or a file"
        raise Problem(413, detail)
    return found


class ItemReader:
    """Reads items whose labels are the contract's target. `strict` refuses fields that are unknown."""

    def __init__(self, contract: Contract, *, strict: bool) -> None:
        target = contract.by_name[contract.target]
        self._task = contract.task
        bounds = {"min": target.min, "max": target.max}
        label = {"name": LABEL, "kind": str(target.kind), "max_null_share": 0}
        columns = [
            {"name": IDENTITY, "kind": "id", "max_null_share": 0},
            label | {name: bound for name, bound in bounds.items() if bound is not None},
            {"name": TIME, "kind": "datetime"},
            {"name": CORRECT, "kind": "boolean"},
        ]
        rules = {"target": None, "columns": columns, "extra_columns": "reject" if strict else "ignore"}
        self._checker = RowChecker(rules, max_rows=1)

    def item(self, place: int, raw: Any) -> Item | Wrong:
        """Return the item that JSON value `raw` is, or everything that is wrong with it."""
        try:
            (row,) = self._checker.rows_of({"rows": [raw]})
        except Problem as problem:
            said = "; ".join(f"{error['field'] or 'the item'} {error['message']}" for error in problem.errors)
            return Wrong(place=place, prediction_id=_identity(raw), message=said[:_MESSAGE_LENGTH])
        if isinstance(row[LABEL], str) and len(row[LABEL]) > _LABEL_LENGTH:
            said = f"label has {len(row[LABEL]):,} characters; a class has at most {_LABEL_LENGTH}"
            return Wrong(place=place, prediction_id=_identity(raw), message=said)
        time = row[TIME]
        return Item(
            place=place,
            prediction_id=row[IDENTITY][:_ID_LENGTH],
            label=float(row[LABEL]) if self._task is Task.REGRESSION else class_text(row[LABEL]),
            time=None if time is None else time.timestamp(),
            correct=row[CORRECT] is True,
        )

    def items(self, values: Sequence[Any]) -> tuple[list[Item], list[Wrong]]:
        """Return (items, what is none); places count from 0."""
        read = [self.item(place, value) for place, value in enumerate(values)]
        return [r for r in read if isinstance(r, Item)], [r for r in read if isinstance(r, Wrong)]


def class_text(label: str | float | bool) -> str:
    """Return a label as training spells classes: true, false, whole numbers without a fraction, text.

    >>> class_text(True), class_text(2.0), class_text("EWR")
    ('true', '2', 'EWR')
    """
    if isinstance(label, bool):
        return "true" if label else "false"
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)


def classes_of(contract: Contract, live: Sequence[str]) -> frozenset[str]:
    """Return the classes that labels may name: the contract's and those of the `live` model; empty for numbers.

    Empty too when nobody knows them yet: a contract need not list them, and no model may be live.
    """
    if contract.task is Task.REGRESSION:
        return frozenset()
    target = contract.by_name[contract.target]
    if target.kind is Kind.BOOLEAN:
        return frozenset({"true", "false"})
    return frozenset(target.categories or ()).union(live)


def _identity(raw: Any) -> str | None:
    found = raw.get(IDENTITY) if isinstance(raw, dict) else None
    return found[:_ID_LENGTH] if isinstance(found, str) else None
