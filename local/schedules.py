"""Rules with a rate instead of a pattern: an event at each interval of engine time, first one interval after creation.

Source: EventBridge user guide, "Creating a rule that runs on a schedule": a rate starts with the rule, and the event of
a schedule goes to the rule's own targets.
"""

import math
import re
import threading
from dataclasses import dataclass
from typing import Final

from local.clock import NEVER, NOW, Clock
from local.events import Bus
from local.keeping import NOWHERE, Keep
from local.moto_state import ScheduledRule, scheduled_rules
from local.wire import HttpAnswer, HttpCall

_PART: Final = "schedules"
_RATE: Final = re.compile(r"rate\((?:1 (minute|hour|day)|(\d+) (minute|hour|day)s)\)")
_SECONDS: Final = {"minute": 60, "hour": 3_600, "day": 86_400}


@dataclass(frozen=True, slots=True)
class _Next:
    expression: str
    due: float


class Schedules:
    """Every scheduled rule of the account."""

    def __init__(self, bus: Bus, clock: Clock, region: str, keep: Keep = NOWHERE) -> None:
        self._bus = bus
        self._clock = clock
        self._region = region
        self._keep = keep
        self._known = {arn: self._not_missed(kept) for arn, kept in keep.rows(_PART).items()}
        self._lock = threading.RLock()
        self._changed = threading.Event()
        self._stopped = False
        clock.heed(self._due)
        self._thread = threading.Thread(target=self._run, name="schedules", daemon=True)
        self._thread.start()

    def __call__(self, call: HttpCall, _: HttpAnswer) -> None:
        """See a change of rules after the fact (`Dispatcher.observe`)."""
        if call.headers.get("x-amz-target", "").endswith(("PutRule", "DeleteRule", "EnableRule", "DisableRule")):
            # at once: with fast idle time, an hour may pass before the thread gets to look
            self._refreshed()
            self._changed.set()

    def stop(self) -> None:
        """Fire no more."""
        self._stopped = True
        self._changed.set()
        self._thread.join()

    def _run(self) -> None:
        with self._clock.hold(NEVER) as hold:
            self._refreshed()
            while not self._stopped:
                self._changed.clear()
                due = self._due()
                if due == NEVER:
                    hold.at = NEVER
                    self._changed.wait()
                elif not self._clock.sleep(due - self._clock.now(), self._changed, hold):
                    hold.at = NOW
                    self._fire(due)

    def _due(self) -> float:
        with self._lock:
            return min((following.due for following in self._known.values()), default=NEVER)

    def _refreshed(self) -> dict[str, ScheduledRule]:
        with self._lock:
            rules = {rule.arn: rule for rule in scheduled_rules(self._region)}
            self._know({arn: self._next(arn, rule) for arn, rule in rules.items()})
            return rules

    def _not_missed(self, kept: _Next) -> _Next:
        """Keep a rule's rhythm; what was due while there was no engine is not made up for."""
        every = interval(kept.expression)
        late = max(0.0, self._clock.now() - kept.due)
        return _Next(kept.expression, kept.due + math.ceil(late / every) * every)

    def _know(self, found: dict[str, _Next]) -> None:
        for arn in self._known.keys() - found.keys():
            self._keep.remove(_PART, arn)
        for arn, following in found.items():
            if self._known.get(arn) != following:
                self._keep.put(_PART, arn, following)
        self._known = found

    def _next(self, arn: str, rule: ScheduledRule) -> _Next:
        known = self._known.get(arn)
        if known is not None and known.expression == rule.expression:
            return known
        return _Next(rule.expression, self._clock.now() + interval(rule.expression))

    def _fire(self, at: float) -> None:
        with self._lock:
            rules = self._refreshed()
            due = {arn: known for arn, known in self._known.items() if known.due <= at}
            self._know(
                self._known
                | {arn: _Next(old.expression, old.due + interval(old.expression)) for arn, old in due.items()}
            )
        for arn in due:
            self._bus.fire(rules[arn].rule)


def interval(expression: str) -> int:
    """Return the seconds of a rate.

    Raises
    ------
    ValueError
        for anything that is no rate as EventBridge writes it, cron included: the stacks use none.

    Examples
    --------
    >>> interval("rate(1 hour)"), interval("rate(2 days)")
    (3600, 172800)
    """
    found = _RATE.fullmatch(expression)
    if found is None or found[2] in ("0", "1"):
        raise ValueError(f"the laptop engine knows rate(1 hour), rate(5 minutes), rate(2 days), not {expression!r}")
    return _SECONDS[found[1] or found[3]] * int(found[2] or 1)
