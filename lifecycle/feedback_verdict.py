"""What became of one item of a feedback document.

recorded     stored (with `correct`: in place of another label, which stays in its history)
duplicate    the same label is stored already: harmless
contradicts  another label is stored, or the document itself names several: the first stored one stays
unknown      no prediction of this model has the id
pending      stored; whether the prediction exists could not be told yet, because it is too young to be in the log or
             too much of the log would have to be read
late         stored; the prediction is older than `serving.feedback_days`, so nobody looked for it in the log
invalid      no label that the contract allows
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from lifecycle.feedback_label import Value


class Status(StrEnum):
    """What became of one item."""

    RECORDED = "recorded"
    DUPLICATE = "duplicate"
    CONTRADICTS = "contradicts"
    UNKNOWN = "unknown"
    PENDING = "pending"
    LATE = "late"
    INVALID = "invalid"


REFUSED: Final = frozenset({Status.CONTRADICTS, Status.UNKNOWN, Status.INVALID})


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What became of the item at `place`. `stored` is the label that counts now, where that is not the item's own."""

    place: int
    prediction_id: str | None
    status: Status
    message: str = ""
    stored: Value | None = None

    def to_plain(self, numbered: str) -> dict[str, Any]:
        """Return JSON values, empty ones left out; `numbered` is the name under which the place is told."""
        facts = {numbered: self.place, "prediction_id": self.prediction_id, "status": str(self.status)}
        extra = {"message": self.message or None, "stored": self.stored}
        return facts | {name: value for name, value in extra.items() if value is not None}


def counts(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """Return how many items have each status; all statuses are named."""
    found = dict.fromkeys(map(str, Status), 0)
    for verdict in verdicts:
        found[verdict.status] += 1
    return found
