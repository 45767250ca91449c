"""State errors: their names, which Retry and Catch they match, and how long a retry waits.

Source: Step Functions guide, "Handling errors in Step Functions workflows".
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

TIMEOUT: Final = "States.Timeout"
RUNTIME: Final = "States.Runtime"
DATA_LIMIT: Final = "States.DataLimitExceeded"
RESULT_PATH: Final = "States.ResultPathMatchFailure"
INTRINSIC: Final = "States.IntrinsicFailure"
NO_CHOICE: Final = "States.NoChoiceMatched"
TASK_FAILED: Final = "States.TaskFailed"


class StateFailed(Exception):
    """A state ended with an error. `of_task` tells that a task itself reported it."""

    def __init__(self, error: str | None, cause: str | None, *, of_task: bool = False) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause
        self.of_task = of_task


def matches(equals: Sequence[str], failure: StateFailed) -> bool:
    """Tell whether an ErrorEquals list names a failure.

    States.ALL leaves out States.DataLimitExceeded and States.Runtime; the latter is matched by nothing at all.
    States.TaskFailed names every error of a task but its time-out.
    """
    if failure.error == RUNTIME:
        return False
    if failure.error in equals:
        return True
    if "States.ALL" in equals:
        return failure.error != DATA_LIMIT
    return TASK_FAILED in equals and failure.of_task and failure.error not in (TIMEOUT, DATA_LIMIT)


class Retries:
    """Counts what the Retry entries of one state have used up."""

    def __init__(self, entries: Sequence[Mapping[str, Any]]) -> None:
        self._entries = entries
        self._used = [0] * len(entries)

    @property
    def count(self) -> int:
        """Retries so far, of all entries together (`$$.State.RetryCount`)."""
        return sum(self._used)

    def delay(self, failure: StateFailed) -> float | None:
        """Return the seconds to wait before the state runs again, or None when it may not; counts the retry."""
        for at, entry in enumerate(self._entries):
            if not matches(entry["ErrorEquals"], failure):
                continue
            used = self._used[at]
            if used >= entry.get("MaxAttempts", 3):
                return None
            self._used[at] += 1
            return float(entry.get("IntervalSeconds", 1) * entry.get("BackoffRate", 2.0) ** used)
        return None
