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


def answer(kept: Mapping[str, Any], sent: float | None, now: float) -> int | None:
    """Return the seconds after which a message must come again, 0 for never, None when it needs a look of its own.

    Parameters
    ----------
    kept
        what `said` returned, or nothing.
    sent
        when the message was sent, by the queue's clock (epoch seconds); None for one that looks in any case.
    now
        the time by ours.

    A dataset that was not settled needs no other look until it may be, whatever came meanwhile: its message comes again
    then, and looks.

    >>> answer(said(100.0, None), 94.0, 103.0), answer(said(100.0, 110.0), 102.0, 103.0)
    (0, 7)
    >>> answer(said(100.0, None), 99.0, 103.0) is None
    True
    """
    if not kept or sent is None:
        return None
    if kept["again"] is None:
        return 0 if sent + CLOCKS_SECONDS <= kept["looked"] else None
    return max(0, ceil(kept["again"] - now)) or None
