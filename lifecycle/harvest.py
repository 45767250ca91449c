"""A logged prediction + the label that came back -> a row of a data file, in the contract's columns.

A harvested file holds the labelled rows of one day of predictions. It is uploaded like any other file, so it becomes
part of the next data version; rows of it give way to rows that a user uploaded (docs/decisions/0085).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from lifecycle.checksum import sha256_hex
from lifecycle.feedback_items import class_text
from lifecycle.prediction_id import time_of
from lifecycle.problem import Problem
from lifecycle.request import RowChecker
from lifecycle.schema import Column, Contract, Kind, contract_to_plain

DAY: Final = 86_400
FOLDER: Final = "feedback-"
_NAME: Final = re.compile(rf"{FOLDER}[a-z][a-z0-9-]*/\d{{4}}-\d{{2}}-\d{{2}}\.csv\.gz")
_TRUTH: Final = {"true": True, "false": False}
_ID_BITS: Final = 62


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Why a labelled prediction becomes no row, without its values."""

    reason: str


CUT: Final = LeftOut("the row was too long for the log")
UNWRITABLE: Final = LeftOut("a text that UTF-8 cannot hold")


def day_of(at: float) -> int:
    """Return the day since the epoch (UTC) that holds `at`, epoch seconds."""
    return int(at // DAY)


def folder_of(model: str) -> str:
    """Return what the names of a model's harvested files begin with."""
    return f"{FOLDER}{model}/"


def name_of(model: str, day: int) -> str:
    """Return the name, within the dataset, of the file of a day's labelled predictions.

    >>> name_of("flights", 20778)
    'feedback-flights/2026-11-21.csv.gz'
    """
    return f"{folder_of(model)}{datetime.fromtimestamp(day * DAY, UTC):%Y-%m-%d}.csv.gz"


def day_of_name(name: str) -> int | None:
    """Return the day since the epoch of a harvested file's name; None when it is none.

    >>> day_of_name("feedback-flights/2026-11-21.csv.gz"), day_of_name("2026-11-21.csv.gz")
    (20778, None)
    """
    if not _NAME.fullmatch(name):
        return None
    try:
        at = datetime.strptime(name.partition("/")[2], "%Y-%m-%d.csv.gz").replace(tzinfo=UTC)
    except ValueError:
        return None
    return day_of(at.timestamp())


def is_harvested(name: str) -> bool:
    """Tell whether an object of a data version, by its name, came by feedback."""
    return day_of_name(name) is not None


class Labelled:
    """Writes rows under one contract.

    Rows go through the contract's own door again, since they may have been logged under an older one: what it would
    refuse would refuse the whole data version. Private columns are empty, since their values are not in the log; the
    prediction's id stands in for one that is private or was not sent.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._logged = {c.name for c in contract.inputs if not c.private}
        self._target = contract.by_name[contract.target].kind
        self._id = None if contract.id is None else contract.by_name[contract.id]
        plain = contract_to_plain(contract)
        checked = [
            {**column, "max_null_share": 0} if column["name"] == contract.target else column
            for column in plain["columns"]
            if column["name"] in {*self._logged, contract.target, contract.id}
        ]
        self._checker = RowChecker({"target": None, "weight": None, "columns": checked}, max_rows=1)

    @property
    def header(self) -> list[str]:
        """The columns of the file: all of the contract's; what nobody can know is empty (weights, private values)."""
        return [column.name for column in self._contract.columns]

    def cells(self, record: Mapping[str, Any], label: str | float) -> list[str] | LeftOut:
        """Return the cells of a logged prediction (`lifecycle.prediction_log`) with its label, in header order."""
        row = record.get("row")
        if not isinstance(row, dict):
            return CUT
        sent = {name: value for name, value in row.items() if name in self._logged}
        self._complete(sent, record)
        sent[self._contract.target] = _value(label, self._target)
        try:
            (typed,) = self._checker.rows_of({"rows": [sent]})
        except Problem as problem:
            first = problem.errors[0]
            return LeftOut(f"{first['field']} {first['message'].partition(', got ')[0]}")
        found = [_cell(typed.get(name)) for name in self.header]
        return found if all(map(_is_writable, found)) else UNWRITABLE

    def _complete(self, sent: dict[str, Any], record: Mapping[str, Any]) -> None:
        """Fill in what the caller did not say, but the prediction knows: its id, and when it was."""
        time = self._contract.time
        if time in self._logged and sent.get(time) in (None, ""):
            sent[time] = datetime.fromtimestamp(record["time"] / 1000, UTC).isoformat()
        if self._id is not None and sent.get(self._id.name) in (None, ""):
            made = _identity(self._id, record["prediction_id"])
            if made is not None:
                sent[self._id.name] = made


def in_order(made: Mapping[str, list[str] | LeftOut]) -> list[list[str]]:
    """Return the rows of predictions, given by their ids, the earliest first.

    Those of one moment are in the order of their cells: the rest of an id is random, and the same rows shall make the
    same file, the same data version and the same model.
    """
    timed = [(time_of(identity), cells) for identity, cells in made.items() if not isinstance(cells, LeftOut)]
    return [cells for _, cells in sorted(timed)]


def _identity(column: Column, prediction_id: str) -> str | int | None:
    """The prediction's id as a value of the id column: itself, or a number made of it; None where neither fits."""
    if column.kind is Kind.INTEGER:
        made = int(sha256_hex(prediction_id.encode())[:16], 16) >> (64 - _ID_BITS)
        low, high = column.min, column.max
        return made if (low is None or made >= low) and (high is None or made <= high) else None
    return prediction_id if column.categories is None else None


def _value(label: str | float, kind: Kind) -> Any:
    """A stored label as the door takes the target: classes are stored as text."""
    if kind is Kind.BOOLEAN:
        return _TRUTH.get(class_text(label), label)
    if kind in (Kind.INTEGER, Kind.NUMBER) and isinstance(label, str):
        try:
            return int(label)
        except ValueError:
            return label
    return label


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if value.__class__ is bool:
        return "true" if value else "false"
    if value.__class__ is datetime:
        return str(value.isoformat())
    return repr(value) if value.__class__ is float else str(value)


def _is_writable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
