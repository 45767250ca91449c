"""A time as people write it on a command line -> epoch seconds."""

import re
from datetime import UTC, datetime
from typing import Final

from cli import output

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def moment(text: str, now: float) -> float:
    """Return a time in epoch seconds: ISO 8601 (UTC when it names no zone), or so long before `now`.

    Ends the command when it is neither.

    >>> moment("2h", 10_000.0), moment("1970-01-01T01:00", 0.0)
    (2800.0, 3600.0)
    """
    if age := re.fullmatch(r"(\d+)([smhd])", text):
        return now - int(age[1]) * _UNITS[age[2]]
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        output.fail(f"{text!r} is no time; write 2026-11-21T09:30:00Z, or 2h for two hours ago", output.EXIT_USAGE)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
