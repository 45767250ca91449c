"""spec-<sha256>.json -> ModelSpec: what the owner of a model decided, after model.yaml was validated at synth.

The file travels inside assets and the code channel; everything else carries its hash. Defaults are filled in and
column groups are expanded before the file is written, so that a reader finds each value where it belongs.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from lifecycle import canonical
from lifecycle.errors import SpecRejected

SCHEMA = 1


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

    `min` / `max` bound numbers and integers. `categories`, when given, are all values allowed; otherwise what the
    training data held is learned and `unseen` says whether a new value is allowed ("allow") or refused ("reject").
    `max_null_share` is the share of missing values (0 to 1) a data version may have; at the HTTP door a value may be
    missing unless it is 0. `default` fills the column in rows older than it (`since`). `private` keeps values out of
    profiles, reports and logs (counts stay). `feature` false keeps it out of the model.
    """

    name: str
    kind: Kind
    feature: bool = True
    private: bool = False
    max_null_share: float = 1.0
    min: float | None = None
    max: float | None = None
    categories: tuple[str, ...] | None = None
    unseen: str = "allow"
    unique: bool = False
    since: str | None = None
    default: str | float | bool | None = None


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
        return canonical.digest(_plain(self))[:16]

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


@dataclass(frozen=True, kw_only=True)
class Split:
    """How rows are divided: `by` "time" (newest rows are the holdout, `gap_days` before it left out) or "hash".

    `key` names the column whose hash decides (default: the id, else all input values). Shares are of all rows;
    the rest is training data.
    """

    by: str = "hash"
    key: str | None = None
    holdout: float = 0.2
    validation: float = 0.2
    gap_days: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One family to train: a built-in name, or `estimator` "module:function" of the user's own.

    `search` maps hyperparameters to the values to try; empty means the family's own default space (built-in) or a
    single trial (custom).
    """

    family: str
    estimator: str | None = None
    search: Mapping[str, Sequence[Any]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Training:
    """How candidates are trained."""

    candidates: tuple[Candidate, ...] = ()
    trials: int = 6
    seed: int = 7
    metric: str = ""
    instance_type: str = "ml.m5.large"
    volume_gb: int = 30
    max_minutes: int = 60


@dataclass(frozen=True, kw_only=True)
class Decision:
    """How a binary score becomes a decision: `threshold` fixed, or chosen on validation data by `metric` or costs."""

    metric: str | None = None
    threshold: float | None = None
    false_positive: float | None = None
    false_negative: float | None = None


@dataclass(frozen=True, kw_only=True)
class MetricGate:
    """A bound on a holdout metric (inclusive)."""

    metric: str
    min: float | None = None
    max: float | None = None


@dataclass(frozen=True, kw_only=True)
class SliceGate:
    """No slice of `column` with `min_rows` or more may be worse than `max_ratio` times the overall loss `metric`."""

    column: str
    metric: str
    max_ratio: float
    min_rows: int = 200


@dataclass(frozen=True, kw_only=True)
class Gates:
    """What a candidate must satisfy. Beating the dummy is always required.

    `confidence` is that of the paired bootstrap against the live model; `require_improvement` asks for a significant
    gain, otherwise the candidate must only not be significantly worse.
    """

    metrics: tuple[MetricGate, ...] = ()
    slices: tuple[SliceGate, ...] = ()
    confidence: float = 0.95
    require_improvement: bool = False
    max_model_kb: int = 8192


@dataclass(frozen=True, kw_only=True)
class Serving:
    """How the model is served. `auth` is "iam", "jwt" or "none"."""

    auth: str = "iam"
    jwt_issuer: str | None = None
    jwt_audience: tuple[str, ...] = ()
    memory_mb: int = 512
    max_rows: int = 1000
    rollout: str = "all-at-once"
    keep_versions: int = 20


@dataclass(frozen=True, kw_only=True)
class Monitoring:
    """What is observed; `prediction_log` writes one line per scored row."""

    prediction_log: bool = True


@dataclass(frozen=True, kw_only=True)
class Retraining:
    """When a new run starts by itself."""

    on_upload: bool = True


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """All of a model.yaml, checked and complete."""

    model: str
    dataset: str
    contract: Contract
    split: Split = Split()
    training: Training = Training()
    decision: Decision = Decision()
    gates: Gates = Gates()
    serving: Serving = Serving()
    monitoring: Monitoring = Monitoring()
    retraining: Retraining = Retraining()
    features_sha256: str | None = None
    estimators_sha256: str | None = None
    schema: int = SCHEMA

    @cached_property
    def spec_id(self) -> str:
        """SHA-256 (hex) of the canonical spec: the name of its file."""
        return canonical.digest(_plain(self))

    @property
    def file_name(self) -> str:
        """The name under which the spec travels."""
        return f"spec-{self.spec_id}.json"

    def to_bytes(self) -> bytes:
        """Return the bytes of the spec file."""
        return canonical.to_bytes(_plain(self))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read a spec file. Raises SpecRejected when it is not one, or of another schema version."""
        try:
            raw = json.loads(data)
        except ValueError as error:
            raise SpecRejected(f"the spec file is not JSON: {error}") from error
        if not isinstance(raw, dict) or raw.get("schema") != SCHEMA:
            found = raw.get("schema") if isinstance(raw, dict) else type(raw).__name__
            raise SpecRejected(f"the spec file has schema {found!r}; this code reads schema {SCHEMA}. Deploy again.")
        return cls._of(raw)

    @classmethod
    def _of(cls, raw: dict[str, Any]) -> Self:
        training = dict(raw["training"])
        training["candidates"] = tuple(Candidate(**c) for c in training["candidates"])
        gates = dict(raw["gates"])
        gates["metrics"] = tuple(MetricGate(**g) for g in gates["metrics"])
        gates["slices"] = tuple(SliceGate(**g) for g in gates["slices"])
        serving = dict(raw["serving"])
        serving["jwt_audience"] = tuple(serving["jwt_audience"])
        parts = {
            "contract": contract_of(raw["contract"]),
            "split": Split(**raw["split"]),
            "training": Training(**training),
            "decision": Decision(**raw["decision"]),
            "gates": Gates(**gates),
            "serving": Serving(**serving),
            "monitoring": Monitoring(**raw["monitoring"]),
            "retraining": Retraining(**raw["retraining"]),
        }
        return cls(**{**raw, **parts})

    @classmethod
    def find(cls, folder: Path) -> Self:
        """Read the one spec file in `folder` and check it against the hash in its name.

        Raises SpecRejected when there is none, more than one, or the bytes do not match the name.
        """
        found = sorted(folder.glob("spec-*.json"))
        if len(found) != 1:
            raise SpecRejected(f"{folder} holds {len(found)} spec files; exactly one is expected")
        spec = cls.from_bytes(found[0].read_bytes())
        if spec.file_name != found[0].name:
            raise SpecRejected(f"{found[0].name} was changed after synth: its content hashes to {spec.file_name}")
        return spec


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
    plain: dict[str, Any] = _plain(contract)
    return plain


def _plain(value: Any) -> Any:
    """Dataclasses as dictionaries without the fields that hold their default, so a new optional field changes no id."""
    if hasattr(value, "__dataclass_fields__"):
        defaults = type(value)
        kept = {}
        for entry in fields(value):
            current = getattr(value, entry.name)
            if isinstance(value, Column | Contract) and _is_default(defaults, entry.name, current):
                continue
            kept[entry.name] = _plain(current)
        return kept
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _is_default(owner: type, name: str, current: Any) -> bool:
    entry = owner.__dataclass_fields__[name]  # type: ignore[attr-defined]
    if entry.default_factory is not MISSING:
        return bool(current == entry.default_factory())
    return entry.default is not MISSING and bool(current == entry.default)
