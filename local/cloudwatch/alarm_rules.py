"""Data points of a metric + an alarm's settings -> its state, and the words in which CloudWatch says why.

Pure. Sources: CloudWatch user guide, "Evaluating an alarm" and "Configuring how CloudWatch alarms treat missing data"
with its tables of examples, which the tests repeat.
"""

import json
import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from local.cloudwatch.metrics import MINUTE, Metric

OK: Final = "OK"
ALARM: Final = "ALARM"
INSUFFICIENT_DATA: Final = "INSUFFICIENT_DATA"

MORE_POINTS: Final = 2
"""Data points that CloudWatch looks at beyond the evaluation periods, as in its examples; no number is documented."""

COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
}
TREATMENTS: Final = ("missing", "ignore", "notBreaching")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """An alarm as PutMetricAlarm sets it; `period` in seconds, `periods` the evaluation periods, `points` to alarm."""

    name: str
    description: str
    metric: Metric
    statistic: str
    period: int
    periods: int
    points: int
    threshold: float
    comparison: str
    missing: str
    alarm_actions: tuple[str, ...] = ()
    ok_actions: tuple[str, ...] = ()

    @property
    def range(self) -> int:
        """How many periods back CloudWatch looks for data points."""
        return self.periods + MORE_POINTS

    def breaches(self, value: float) -> bool:
        """Return whether a data point counts towards the alarm."""
        return COMPARISONS[self.comparison](value, self.threshold)


def judge(settings: Settings, points: Sequence[float | None], state: str) -> str:
    """Return the state that follows from `points`, the newest first, None where a period has no data.

    Enough data points among them decide alone, however old; only what is lacking then is treated as missing.
    """
    found = [settings.breaches(value) for value in points if value is not None][: settings.periods]
    lacking = settings.periods - len(found)
    if not lacking or settings.missing == "notBreaching" or False in found:
        return ALARM if sum(found) >= settings.points else OK
    if settings.missing == "ignore":
        return state
    if not found:
        return INSUFFICIENT_DATA
    oldest = max(age for age, value in enumerate(points, 1) if value is not None)
    # every data point breaches: CloudWatch waits until the oldest of them has the age that the alarm asks for
    return ALARM if oldest >= settings.points else state


def following(settings: Settings, minutes: Iterable[int], at: int) -> float:
    """Return the first full minute after `at` at which data of some minutes counts for another period than at `at`.

    Infinity, when none of it will.
    """
    found = []
    for minute in minutes:
        age = max(0, (at - MINUTE - minute) // settings.period + 1)  # in periods; 0: it counts for none yet
        if age <= settings.range:
            found.append(minute + age * settings.period + MINUTE)
    return min(found, default=math.inf)


def reason(settings: Settings, points: Sequence[float | None], at: int, change: tuple[str, str]) -> str:
    """Return why an alarm went from the first to the second state of `change` when it was evaluated at `at`."""
    dated = [
        f"{value!r} ({datetime.fromtimestamp(at - (age + 1) * settings.period, UTC):%d/%m/%y %H:%M:%S})"
        for age, value in enumerate(points)
        if value is not None
    ][: settings.periods]
    if not dated:
        many = "period" if settings.periods == 1 else "periods"
        if settings.missing != "notBreaching":
            return f"Insufficient Data: {settings.periods} datapoint(s) were unknown."
        return (
            f"Threshold Crossed: no datapoints were received for {settings.periods} {many} and {settings.periods} "
            f"missing datapoint(s) were treated as [NonBreaching]."
        )
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in settings.comparison).strip()
    verb = "was" if change[1] == ALARM else "was not"
    return (
        f"Threshold Crossed: {len(dated)} out of the last {settings.periods} datapoints [{', '.join(dated)}] {verb} "
        f"{words.replace(' threshold', '')} the threshold ({settings.threshold!r}) (minimum {settings.points} "
        f"datapoint(s) for {change[0]} -> {change[1]} transition)."
    )


def reason_data(settings: Settings, points: Sequence[float | None], at: int) -> str:
    """Return the same for programs, as a JSON document."""
    found = [(age, value) for age, value in enumerate(points) if value is not None][: settings.periods]
    told: dict[str, object] = {"version": "1.0", "queryDate": stamp(at)}
    if found:
        told["startDate"] = stamp(at - (found[-1][0] + 1) * settings.period)
    told |= {"statistic": settings.statistic, "period": settings.period}
    told |= {"recentDatapoints": [value for _, value in reversed(found)], "threshold": settings.threshold}
    return json.dumps(told, separators=(",", ":"))


def stamp(at: float) -> str:
    """Return engine time as alarms write it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
