"""The contract: what rows must look like, shared by data, model, HTTP door and log."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from enum import StrEnum
from functools import cached_property
from typing import Any

from lifecycle import canonical


class Task(StrEnum):
    """What is predicted."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"


class Kind(StrEnum):
    """How a column's text is read and whether it can be a feature (text and id cannot; features.py may use them)."""

    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    CATEGORY = "category"
    DATETIME = "datetime"
    TEXT = "text"
    ID = "id"


@dataclass(frozen=True, kw_only=True)
class Column:
    """One raw column of the contract.

    `min` / `max` bound numbers and integers. `categories`, when given, are all values allowed, in files and in
    requests, and `unseen` has no say; otherwise what the training data held is learned and `unseen` says whether a
    request may hold a new value ("allow") or not ("reject").
    `max_null_share` is the share of missing values (0 to 1) a data version may have; at the HTTP door a value may be
    missing unless it is 0. `default` fills the column in rows older than it (`since`). `private` keeps values out of
    profiles, reports and logs (counts stay); "hash" keeps a pseudonym in the prediction log. `feature` false keeps the
    column out of the model. `monotonic` "increasing" or "decreasing" holds the model to it as the value grows, all
    else equal.
    """

    name: str
    kind: Kind
    feature: bool = True
    private: bool | str = False
    max_null_share: float = 1.0
    min: float | None = None
    max: float | None = None
    categories: tuple[str, ...] | None = None
    unseen: str = "allow"
    unique: bool = False
    since: str | None = None
    default: str | float | bool | None = None
    monotonic: str | None = None


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What rows must look like: the part of the spec that data, model, door and log share. Its hash is its id.

    `derived` maps names that features.py returns to number, boolean or category. `positive` is the label (as text)
    that counts as positive in a binary task. `missing_label`: "drop" leaves such rows out of training (they are
    counted in the report), "reject" refuses the data version. `extra_columns`: "ignore" or "reject".
    `max_invalid_share` is the share of rows with an unreadable or out-of-range value above which a version is refused.
    """

    task: Task
    target: str
    columns: tuple[Column, ...]
    positive: str | None = None
    id: str | None = None
    time: str | None = None
    weight: str | None = None
    derived: Mapping[str, Kind] = field(default_factory=dict)
    missing_label: str = "reject"
    extra_columns: str = "ignore"
    max_invalid_share: float = 0.0
    min_rows: int = 50
    max_age_days: float | None = None

    @cached_property
    def contract_id(self) -> str:
        """SHA-256 (hex, first 16 digits) of the canonical contract."""
        return canonical.digest(to_plain(self))[:16]

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """Columns by name."""
        return {column.name: column for column in self.columns}

    @cached_property
    def inputs(self) -> tuple[Column, ...]:
        """Columns that a caller of the HTTP door sends: all but target and weight."""
        return tuple(c for c in self.columns if c.name not in (self.target, self.weight))

    @cached_property
    def features(self) -> tuple[tuple[str, Kind], ...]:
        """(name, kind) of everything the model may encode, raw columns first, then derived ones, in file order.

        A derived name that equals a raw column's replaces it.
        """
        encodable = {Kind.NUMBER, Kind.INTEGER, Kind.BOOLEAN, Kind.CATEGORY, Kind.DATETIME}
        raw = [
            (c.name, c.kind)
            for c in self.inputs
            if c.feature and c.kind in encodable and c.name != self.id and c.name not in self.derived
        ]
        return tuple(raw) + tuple(self.derived.items())


def contract_of(raw: Mapping[str, Any]) -> Contract:
    """Return the Contract written by `contract_to_plain` (in a spec file or inside a compiled model)."""
    columns = []
    for entry in raw["columns"]:
        values = dict(entry)
        values["kind"] = Kind(values["kind"])
        if values.get("categories") is not None:
            values["categories"] = tuple(values["categories"])
        columns.append(Column(**values))
    derived = {name: Kind(kind) for name, kind in raw.get("derived", {}).items()}
    return Contract(**{**raw, "task": Task(raw["task"]), "columns": tuple(columns), "derived": derived})


def contract_to_plain(contract: Contract) -> dict[str, Any]:
    """Return a contract as JSON values, defaults left out."""
    plain: dict[str, Any] = to_plain(contract)
    return plain


def to_plain(value: Any) -> Any:
    """Dataclasses as dictionaries without the fields that hold their default, so a new optional field changes no id."""
    if hasattr(value, "__dataclass_fields__"):
        defaults = type(value)
        kept = {}
        for entry in fields(value):
            current = getattr(value, entry.name)
            if isinstance(value, Column | Contract) and _is_default(defaults, entry.name, current):
                continue
            kept[entry.name] = to_plain(current)
        return kept
    if isinstance(value, Mapping):
        return {key: to_plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    return value


def _is_default(owner: type, name: str, current: Any) -> bool:
    entry = owner.__dataclass_fields__[name]  # type: ignore[attr-defined]
    if entry.default_factory is not MISSING:
        return bool(current == entry.default_factory())
    return entry.default is not MISSING and bool(current == entry.default)
