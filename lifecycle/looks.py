"""(what the last look at a dataset said, when a message was sent) -> what that look says to the message, if anything.

A message is sent after the change that it tells of, and S3 lists whatever changed before it was asked. So a look that
began to list after a message was sent has seen what the message tells of, and its answer is the message's as well.
Only a look that came to its end answers: one that is under way may die with the messages that it was started by.
"""

from collections.abc import Mapping
from math import ceil
from typing import Any, Final

CLOCKS_SECONDS: Final = 5
"""By how much a queue's clock may differ from a function's: AWS keeps both within milliseconds of UTC, and a message
that comes a minute after it was sent loses nothing by a few seconds."""


def said(began: float, again: float | None) -> dict[str, float | None]:
    """Return what the claim keeps of a look that ended: when it began to list, when to look again (None: never)."""
    return {"looked": began, "again": again}


def answer(kept: Mapping[str, Any], sent: float, now: float) -> int | None:
    """Return the seconds after which a message must come again, 0 for never, None when it needs a look of its own.

    Parameters
    ----------
    kept
        what `said` returned, or nothing.
    sent, now
        when the message was sent, by the queue's clock, and the time by ours (epoch seconds).

    >>> answer(said(100.0, None), 94.0, 103.0), answer(said(100.0, 110.0), 94.0, 103.0)
    (0, 7)
    >>> answer(said(100.0, None), 99.0, 103.0) is None
    True
    """
    if not kept or sent + CLOCKS_SECONDS > kept["looked"]:
        return None
    if kept["again"] is None:
        return 0
    return max(0, ceil(kept["again"] - now)) or None
