"""CloudWatch alarms: which state each is in, and since when."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from cloud.faults import translated

PAGE: Final = 100  # names that one DescribeAlarms takes
IN_ALARM: Final = "ALARM"


@dataclass(frozen=True, kw_only=True, slots=True)
class AlarmState:
    """An alarm: `value` is OK, ALARM or INSUFFICIENT_DATA; `since` is epoch seconds."""

    name: str
    value: str
    since: float
    reason: str


class Alarms:
    """Alarms of the account, by name."""

    def __init__(self, cloudwatch: Any) -> None:
        self._cloudwatch = cloudwatch

    def states(self, names: Sequence[str]) -> list[AlarmState]:
        """Return the state of each alarm that exists, in the order of `names`.

        `since` is when it came into this state. Raises Throttled or Unavailable when CloudWatch does not answer.
        """
        found: dict[str, AlarmState] = {}
        for start in range(0, len(names), PAGE):
            with translated("read the alarms"):
                answer = self._cloudwatch.describe_alarms(AlarmNames=list(names[start : start + PAGE]))
            for alarm in answer["MetricAlarms"]:
                since = alarm.get("StateTransitionedTimestamp") or alarm["StateUpdatedTimestamp"]
                found[alarm["AlarmName"]] = AlarmState(
                    name=alarm["AlarmName"],
                    value=alarm["StateValue"],
                    since=since.timestamp(),
                    reason=alarm.get("StateReason", ""),
                )
        return [found[name] for name in names if name in found]
