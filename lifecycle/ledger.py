"""Entries of the ledger: what is written, under which subject, and what a writer's transaction must hold.

The ledger is the numbered history of a model or a dataset: versions, verdicts, approvals, deployments. One function
writes it (`lambdas/record_event.py`); an entry's id makes sending it twice harmless.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

VERSION_CUT: Final = "version cut"
DATASET_EMPTIED: Final = "dataset emptied"
UPLOAD_REFUSED: Final = "upload refused"
RUN_STARTED: Final = "run started"
RUN_ENDED: Final = "run ended"
VERSION_REJECTED: Final = "version rejected"
CANDIDATE_REGISTERED: Final = "candidate registered"
DEPLOYMENT_STARTED: Final = "deployment started"
VERSION_PROBED: Final = "version probed"
TRAFFIC_SHIFTED: Final = "traffic shifted"
ROLLOUT_JUDGED: Final = "rollout judged"
VERSION_WITHDRAWN: Final = "version withdrawn"
MODEL_LIVE: Final = "live"
ROLLBACK_ASKED: Final = "rollback asked"
ROLLED_BACK: Final = "rolled back"
DEPLOYMENT_FAILED: Final = "deployment failed"
FEEDBACK_READ: Final = "feedback read"
FEEDBACK_REFUSED: Final = "feedback refused"
ALERT_BEGUN: Final = "alert begun"
ALERT_ENDED: Final = "alert ended"
RETRAINING_DECIDED: Final = "retraining decided"
LIVE_JUDGED: Final = "live judged"

HEAD: Final = "head"
HIGHEST: Final = 10**12 - 1
"""The last number that a sort key has room for."""


def model(name: str) -> str:
    """Return the subject of a model's history."""
    return f"model#{name}"


def dataset(name: str) -> str:
    """Return the subject of a dataset's history."""
    return f"dataset#{name}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One thing that happened. `id` is unique within the subject; `at` is ISO 8601, UTC; `detail` is JSON."""

    subject: str
    kind: str
    id: str
    at: str
    detail: dict[str, Any] = field(default_factory=dict)

    def to_plain(self) -> dict[str, Any]:
        """Return the payload of the ledger's writer."""
        return {"subject": self.subject, "kind": self.kind, "id": self.id, "at": self.at, "detail": self.detail}

    @classmethod
    def from_plain(cls, raw: Mapping[str, Any]) -> "Entry":
        """Read the payload of the ledger's writer. Raises KeyError when a member is missing."""
        return cls(
            subject=raw["subject"], kind=raw["kind"], id=raw["id"], at=raw["at"], detail=dict(raw.get("detail", {}))
        )


def event_key(number: int) -> str:
    """Return the sort key of entry `number`.

    >>> event_key(7)
    'event#000000000007'
    """
    return f"event#{number:012d}"


def marker_key(entry_id: str) -> str:
    """Return the sort key that says which number an entry id got."""
    return f"id#{entry_id}"


def items(entry: Entry, number: int) -> list[dict[str, Any]]:
    """Return the event, the marker and the head that one transaction writes for entry `number`."""
    event = {
        "subject": entry.subject,
        "entry": event_key(number),
        "number": number,
        "kind": entry.kind,
        "id": entry.id,
        "at": entry.at,
        "detail": json.dumps(entry.detail, sort_keys=True, allow_nan=False),
    }
    marker = {"subject": entry.subject, "entry": marker_key(entry.id), "number": number}
    head = {"subject": entry.subject, "entry": HEAD, "number": number}
    return [event, marker, head]
