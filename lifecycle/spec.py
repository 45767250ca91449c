"""spec-<sha256>.json -> ModelSpec: what the owner of a model decided, after model.yaml was validated at synth.

The file travels inside assets and the code channel; everything else carries its hash. Defaults are filled in and
column groups are expanded before the file is written, so that a reader finds each value where it belongs.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from lifecycle import canonical
from lifecycle.errors import SpecRejected
from lifecycle.monitoring import Monitoring
from lifecycle.objective import Money, Objective
from lifecycle.preparation import NOTHING, Preparation, preparation_of
from lifecycle.retraining import Retraining
from lifecycle.rollout import CANARY, Rollout
from lifecycle.schema import Column, Contract, Kind, Task, contract_of, contract_to_plain, to_plain
from lifecycle.serverless import LAMBDA, USUAL, Serverless

__all__ = [
    "Candidate", "Column", "Contract", "Decision", "Gates", "Kind", "MetricGate", "ModelSpec", "Money", "Monitoring",
    "Objective", "ReplayGate", "Retraining", "Rollout", "Serverless", "Serving", "SliceGate", "Split", "Task",
    "Training", "contract_of", "contract_to_plain",
]  # fmt: skip

SCHEMA = 1


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
    single trial (custom). `prepare` is for its columns that `Training.prepare` says nothing else of.
    """

    family: str
    estimator: str | None = None
    search: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    prepare: Preparation = NOTHING


@dataclass(frozen=True, kw_only=True)
class Training:
    """How candidates are trained; `prepare` holds what single features say, by name."""

    candidates: tuple[Candidate, ...] = ()
    prepare: Mapping[str, Preparation] = field(default_factory=dict)
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
class ReplayGate:
    """How far a candidate's answers may differ from the logged ones of the last `days`; shares are of rows, 0 to 1.

    Nothing is judged on fewer than `min_rows` logged rows. `max_refused` bounds rows that its contract would refuse.
    """

    days: float = 7.0
    min_rows: int = 500
    max_changed_decisions: float | None = None
    max_mean_difference: float | None = None
    max_refused: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Gates:
    """What a candidate must satisfy. Beating the dummy is always required.

    `confidence` is that of the paired bootstrap against the live model; `require_improvement` asks for a significant
    gain of every candidate, otherwise only of those that the loop asked for; an upload's must not be significantly
    worse.
    """

    metrics: tuple[MetricGate, ...] = ()
    slices: tuple[SliceGate, ...] = ()
    confidence: float = 0.95
    require_improvement: bool = False
    max_model_kb: int = 8192
    replay: ReplayGate | None = None


@dataclass(frozen=True, kw_only=True)
class Serving:
    """How the model is served. `auth` is "iam", "jwt" or "none"; labels older than `feedback_days` are not checked.

    `target` is LAMBDA (an endpoint only where a model cannot be compiled) or SERVERLESS (always an endpoint).
    """

    auth: str = "iam"
    jwt_issuer: str | None = None
    jwt_audience: tuple[str, ...] = ()
    jwt_scopes: tuple[str, ...] = ()
    memory_mb: int = 512
    max_rows: int = 1000
    rollout: Rollout = CANARY
    keep_versions: int = 20
    feedback_days: int = 90
    target: str = LAMBDA
    serverless: Serverless = USUAL


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """All of a model.yaml, checked and complete."""

    model: str
    dataset: str
    contract: Contract
    split: Split = Split()
    objective: Objective = field(default_factory=Objective)
    training: Training = Training()
    decision: Decision = Decision()
    gates: Gates = Gates()
    serving: Serving = Serving()
    monitoring: Monitoring = field(default_factory=Monitoring)
    retraining: Retraining = field(default_factory=Retraining)
    features_sha256: str | None = None
    estimators_sha256: str | None = None
    schema: int = SCHEMA

    @cached_property
    def spec_id(self) -> str:
        """SHA-256 (hex) of the canonical spec: the name of its file."""
        return canonical.digest(to_plain(self))

    @property
    def file_name(self) -> str:
        """The name under which the spec travels."""
        return f"spec-{self.spec_id}.json"

    def to_bytes(self) -> bytes:
        """Return the bytes of the spec file."""
        return canonical.to_bytes(to_plain(self))

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
        listed = ({**c, "prepare": preparation_of(c.get("prepare", {}))} for c in training["candidates"])
        training["candidates"] = tuple(Candidate(**c) for c in listed)
        training["prepare"] = {name: preparation_of(one) for name, one in training.get("prepare", {}).items()}
        gates = dict(raw["gates"])
        gates["metrics"] = tuple(MetricGate(**g) for g in gates["metrics"])
        gates["slices"] = tuple(SliceGate(**g) for g in gates["slices"])
        gates["replay"] = ReplayGate(**gates["replay"]) if gates.get("replay") else None
        serving = dict(raw["serving"])
        serving["jwt_audience"] = tuple(serving["jwt_audience"])
        serving["jwt_scopes"] = tuple(serving["jwt_scopes"])
        serving["serverless"] = Serverless(**serving.get("serverless", {}))
        rollout = serving["rollout"]
        serving["rollout"] = Rollout(**{**rollout, "steps": tuple(rollout["steps"])})
        parts = {
            "contract": contract_of(raw["contract"]),
            "split": Split(**raw["split"]),
            "objective": Objective.from_plain(raw.get("objective", {})),
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
