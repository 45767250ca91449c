"""CloudWatch's event of an alarm + what is live since when -> whether the version before comes back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from lifecycle.live import Live

LATE_SECONDS: Final = 900  # an event may be delivered late; one that is older than this speaks of the past


def why_not(event: Mapping[str, Any], live: Live | None, bake_minutes: int, now: float) -> str | None:
    """Return why an alarm changes nothing, or None when the version before must come back.

    Only an alarm that was raised after the alias moved, and within the bake, speaks against what is live; a rollback
    leaves no way back, so the same event twice does nothing twice.
    """
    if live is None or live.back is None:
        return "there is no version to go back to"
    raised = datetime.fromisoformat(str(event["time"])).timestamp()
    if raised < live.since:
        return "it was raised before this version went live"
    if raised > live.since + bake_minutes * 60:
        return f"this version went live more than {bake_minutes} minutes before"
    if now > raised + LATE_SECONDS:
        return "it was raised too long ago"
    return None
