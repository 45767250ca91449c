"""A data version and who runs now -> a run: its id, whether it goes, what it profiles, and its record.

The record (`run.json`) is what tracking, lineage and reproduction read later; each step adds its part to it.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil
from typing import Any, Final

from lifecycle.spec import ModelSpec
from lifecycle.versions import Current, Entry

SCHEMA: Final = 1
UPLOAD: Final = "upload"
NEW_DATA: Final = "new data version"
BATCH_OBJECTS: Final = 25
BATCH_BYTES: Final = 200_000_000
BATCHES: Final = 400  # about 80 bytes each, so that the state of the machine stays below its 262,144 bytes


class Status(StrEnum):
    """How a run stands. `rejected`: its data were refused; every other end is the execution's own."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    REJECTED = "rejected"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    ABORTED = "aborted"


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What an event asks for. `sequence` is missing when a person asks; `rerun` wants it although it was run.

    `trigger` is UPLOAD, or what made the loop ask (`lifecycle.retrain_decision.Trigger`).
    """

    dataset: str
    version: str
    sequence: int | None = None
    rerun: bool = False
    reason: str = NEW_DATA
    trigger: str = UPLOAD

    def to_plain(self) -> dict[str, Any]:
        """Return the value as it waits, or as an event's detail."""
        return {
            "dataset": self.dataset,
            "version": self.version,
            "sequence": self.sequence,
            "rerun": self.rerun,
            "reason": self.reason,
            "trigger": self.trigger,
        }

    @classmethod
    def from_plain(cls, raw: Mapping[str, Any]) -> "Asked":
        """Read an event's detail; members that are not ours are ignored."""
        known = {name: raw[name] for name in ("sequence", "rerun", "reason", "trigger") if raw.get(name) is not None}
        return cls(dataset=raw["dataset"], version=raw["version"], **known)


def is_superseded(asked: Asked, current: Current | None) -> bool:
    """Tell whether the dataset has a newer version than the one an event announced.

    A version asked for by a person is run whatever came after it.
    """
    if asked.rerun or asked.sequence is None or current is None:
        return False
    return current.version != asked.version and current.sequence >= asked.sequence


def run_id(stage: str, model: str, version: str, spec_id: str, attempt: int) -> str:
    """Return the id of a run: the same content and spec in one stage give the same id, the attempt aside.

    Jobs are named after it, and the stages of one account share SageMaker's job names.

    >>> run_id("dev", "flights", "ab" * 32, "cd" * 32, 2)
    'flights-7fc5dadc-a2'
    """
    return f"{model}-{hashlib.sha256((stage + version + spec_id).encode()).hexdigest()[:8]}-a{attempt}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Queue:
    """What waits for a model's running run: the newest data version, and runs asked for by name, oldest first."""

    newest: Asked | None = None
    named: tuple[Asked, ...] = ()

    def add(self, asked: Asked) -> "Queue":
        """Return the queue with one more; an older data version gives way to a newer one, the same is kept once."""
        if asked.rerun or asked.sequence is None:
            return Queue(newest=self.newest, named=self.named if asked in self.named else (*self.named, asked))
        if self.newest is not None and (self.newest.sequence or 0) > asked.sequence:
            return self
        return Queue(newest=asked, named=self.named)

    def __contains__(self, asked: Asked) -> bool:
        return asked == self.newest or asked in self.named

    def first(self) -> Asked | None:
        """Return what to start next: new data before runs asked for by name."""
        return self.newest or next(iter(self.named), None)

    def without(self, asked: Asked) -> "Queue":
        """Return the queue without an entry (the newest one only if it still is the same)."""
        newest = None if self.newest == asked else self.newest
        return Queue(newest=newest, named=tuple(entry for entry in self.named if entry != asked))

    def to_plain(self) -> dict[str, Any]:
        """Return the value of the `waiting#` claim."""
        return {
            "newest": self.newest.to_plain() if self.newest else None,
            "named": [entry.to_plain() for entry in self.named],
        }

    @classmethod
    def from_plain(cls, raw: Mapping[str, Any]) -> "Queue":
        """Read the value of the `waiting#` claim."""
        newest = raw.get("newest")
        return cls(
            newest=Asked.from_plain(newest) if newest else None,
            named=tuple(Asked.from_plain(entry) for entry in raw.get("named", ())),
        )


def batches(objects: Sequence[Entry], profiled: Iterable[str]) -> list[list[Entry]]:
    """Return the objects whose content (SHA-256) is not yet profiled, in lists that one function call can work off.

    At most 25 objects or 200 MB each; both grow when there would be more than 400 lists.
    """
    known = set(profiled)
    fresh: dict[str, Entry] = {}
    for entry in objects:
        if entry.sha256 not in known:
            fresh.setdefault(entry.sha256, entry)
    most = max(BATCH_OBJECTS, ceil(len(fresh) / (BATCHES / 2)))
    heaviest = max(BATCH_BYTES, ceil(sum(entry.size for entry in fresh.values()) / (BATCHES / 2)))
    found: list[list[Entry]] = []
    weight = 0
    for entry in fresh.values():
        if not found or len(found[-1]) >= most or weight + entry.size > heaviest:
            found.append([])
            weight = 0
        found[-1].append(entry)
        weight += entry.size
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """What a run is made of, besides its data: who started it, with which code, locks and image."""

    stage: str
    execution: str
    started_at: str
    code_asset: str
    lock_sha256: str
    image: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Begun:
    """A run that goes: its id and attempt, what was asked, and the run id of the live model, if any."""

    run_id: str
    attempt: int
    asked: Asked
    parent: str | None = None
    families: Sequence[str] = field(default_factory=tuple)


def record(spec: ModelSpec, origin: Origin, begun: Begun) -> dict[str, Any]:
    """Return the record of a run that begins."""
    return {
        "schema": SCHEMA,
        "run_id": begun.run_id,
        "model": spec.model,
        "stage": origin.stage,
        "status": str(Status.RUNNING),
        "dataset": spec.dataset,
        "version": begun.asked.version,
        "contract_id": spec.contract.contract_id,
        "spec_id": spec.spec_id,
        "features_sha256": spec.features_sha256,
        "estimators_sha256": spec.estimators_sha256,
        "code_asset": origin.code_asset,
        "lock_sha256": origin.lock_sha256,
        "image": origin.image,
        "seed": spec.training.seed,
        "families": list(begun.families),
        "attempt": begun.attempt,
        "rerun": begun.asked.rerun,
        "reason": begun.asked.reason,
        "trigger": begun.asked.trigger,
        "parent": begun.parent,
        "execution": origin.execution,
        "started_at": origin.started_at,
    }


def ended_status(execution_status: str, accepted: bool | None) -> Status:
    """Return how a run ended, from its execution's status and whether its data were accepted (None: never judged)."""
    if execution_status == "SUCCEEDED":
        return Status.REJECTED if accepted is False else Status.SUCCEEDED
    return {"TIMED_OUT": Status.TIMED_OUT, "ABORTED": Status.ABORTED, "GONE": Status.ABORTED}.get(
        execution_status, Status.FAILED
    )
