"""Metric alarms: their API, and their evaluation at every full minute of engine time at which one may change.

That is when a value reaches the age at which it counts for another of the alarm's periods, or for none of them any
more; CloudWatch evaluates at the minutes in between, too, and finds what it found. New values are looked at in the next
minute. Until then an alarm costs nothing and holds no time back, however fast idle time runs.
"""

import logging
import threading
import uuid
from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.api import ACCOUNT, ApiError, Caller, Emit, Operations
from local.clock import NEVER, Clock
from local.cloudwatch import alarm_rules
from local.cloudwatch.alarm_actions import Actions
from local.cloudwatch.alarm_rules import INSUFFICIENT_DATA, Settings, stamp
from local.cloudwatch.alarm_settings import described, settings_of
from local.cloudwatch.metric_queries import invalid
from local.cloudwatch.metrics import MINUTE, Metric, Metrics
from local.keeping import NOWHERE, Keep, kept

DETAIL_TYPE = "CloudWatch Alarm State Change"
_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class State:
    """What an alarm is in since `at`, and why."""

    value: str
    reason: str
    data: str
    at: float


@dataclass(slots=True, kw_only=True)
class Alarm:
    """An alarm; `id` names its metric in events, `due` is the minute of its next evaluation, NEVER while it rests."""

    id: str
    settings: Settings
    state: State
    changed_at: float
    tags: dict[str, str]
    due: float


class Alarms:
    """All alarms of the account."""

    def __init__(
        self, metrics: Metrics, clock: Clock, emit: Emit, actions: Actions, region: str, *, keep: Keep = NOWHERE
    ) -> None:
        self._actions = actions
        self._metrics = metrics
        self._clock = clock
        self._emit = emit
        self._region = region
        self._lock = threading.RLock()
        self._alarms: MutableMapping[str, Alarm] = kept(keep, "alarms")
        self._woken = threading.Event()
        self._watch()
        for alarm in self._alarms.values():
            alarm.due = NEVER
            self._wake(alarm)
        self._stopped = threading.Event()
        metrics.listen(self._hear)
        clock.heed(self._next)
        self._thread = threading.Thread(target=self._run, name="alarms", daemon=True)
        self._thread.start()

    def operations(self) -> Operations:
        """Return what the gateway routes here."""
        return {
            ("monitoring", "PutMetricAlarm"): self._put,
            ("monitoring", "DescribeAlarms"): self._describe,
            ("monitoring", "DeleteAlarms"): self._delete,
        }

    def tagged(self) -> dict[str, dict[str, str]]:
        """Return the tags of every alarm by ARN."""
        with self._lock:
            return {self._arn(name): dict(alarm.tags) for name, alarm in self._alarms.items()}

    def stop(self) -> None:
        """Evaluate no more."""
        self._stopped.set()
        self._woken.set()
        self._thread.join()

    def _arn(self, name: str) -> str:
        return f"arn:aws:cloudwatch:{self._region}:{ACCOUNT}:alarm:{name}"

    def _next(self) -> float:
        with self._lock:
            return min((alarm.due for alarm in self._alarms.values()), default=NEVER)

    def _hear(self, metric: Metric) -> None:
        if metric not in self._watched:
            return
        with self._lock:
            for alarm in self._alarms.values():
                if alarm.settings.metric == metric:
                    self._wake(alarm)

    def _wake(self, alarm: Alarm) -> None:
        minute = (self._clock.now() // MINUTE + 1) * MINUTE
        if minute < alarm.due:
            alarm.due = minute
            self._woken.set()

    def _run(self) -> None:
        while True:
            self._woken.clear()
            if self._stopped.is_set():
                return
            due = self._next()
            if due == NEVER:
                self._woken.wait()
            elif not self._clock.sleep(due - self._clock.now(), self._woken) and self._clock.now() >= due:
                self._evaluate(int(due))

    def _evaluate(self, at: int) -> None:
        """Evaluate what is due at the full minute `at`."""
        with self._lock:
            for alarm in self._alarms.values():
                if alarm.due > at:
                    continue
                settings = alarm.settings
                points = self._points(settings, at)
                value = alarm_rules.judge(settings, points, alarm.state.value)
                if value != alarm.state.value:
                    self._change(alarm, value, points, at)
                oldest = at - (settings.range + 1) * settings.period
                alarm.due = alarm_rules.following(settings, self._metrics.since(settings.metric, oldest), at)

    def _points(self, settings: Settings, at: int) -> list[float | None]:
        """Return the data points of the periods that end at `at` and before, the newest first."""
        found: list[float | None] = []
        for age in range(1, settings.range + 1):
            start = at - age * settings.period
            values = self._metrics.values(settings.metric, start, start + settings.period)
            found.append(None if values is None else values.statistic(settings.statistic))
        return found

    def _change(self, alarm: Alarm, value: str, points: list[float | None], at: int) -> None:
        before, settings = alarm.state, alarm.settings
        why = alarm_rules.reason(settings, points, at, (before.value, value))
        alarm.state = State(value=value, reason=why, data=alarm_rules.reason_data(settings, points, at), at=at)
        _log.info("alarm %s: %s -> %s: %s", settings.name, before.value, value, why)
        metric = settings.metric
        shown = {"namespace": metric.namespace, "name": metric.name, "dimensions": dict(sorted(metric.dimensions))}
        stat = {"metric": shown, "period": settings.period, "stat": settings.statistic}
        configuration = {
            "metrics": [{"id": alarm.id, "metricStat": stat, "returnData": True}],
            **({"description": settings.description} if settings.description else {}),
        }
        detail = {
            "alarmName": settings.name,
            "state": _told(alarm.state),
            "previousState": _told(before),
            "configuration": configuration,
        }
        arn = self._arn(settings.name)
        self._emit("aws.cloudwatch", DETAIL_TYPE, detail, [arn])
        self._alarms[settings.name] = alarm
        self._actions.of(settings, arn, (before.value, value), why, at)

    def _put(self, parameters: dict[str, Any], _: Caller) -> dict[str, Any]:
        settings = settings_of(parameters)
        now = self._clock.now()
        with self._lock:
            old = self._alarms.get(settings.name)
            first = State(value=INSUFFICIENT_DATA, reason="Unchecked: Initial alarm creation", data="", at=now)
            state = first if old is None else old.state
            given = {tag["Key"]: tag["Value"] for tag in parameters.get("Tags", ())}
            tags = given if old is None else old.tags  # tags of an existing alarm are not changed by PutMetricAlarm
            alarm = Alarm(id=str(uuid.uuid4()), settings=settings, state=state, changed_at=now, tags=tags, due=NEVER)
            self._alarms[settings.name] = alarm
            self._watch()
            self._wake(alarm)
        return {}

    def _watch(self) -> None:
        self._watched = frozenset(alarm.settings.metric for alarm in self._alarms.values())

    def _describe(self, parameters: dict[str, Any], _: Caller) -> dict[str, Any]:
        if unknown := sorted(set(parameters) - {"AlarmNames"}):
            raise invalid(f"The laptop engine does not know {', '.join(unknown)} here; it knows AlarmNames.")
        with self._lock:
            names = parameters.get("AlarmNames") or sorted(self._alarms)
            found = [self._shown(self._alarms[name]) for name in names if name in self._alarms]
        return {"MetricAlarms": found, "CompositeAlarms": []}

    def _shown(self, alarm: Alarm) -> dict[str, Any]:
        state = alarm.state
        moment = datetime.fromtimestamp(state.at, UTC)
        return described(alarm.settings) | {
            "AlarmArn": self._arn(alarm.settings.name),
            "AlarmConfigurationUpdatedTimestamp": datetime.fromtimestamp(alarm.changed_at, UTC),
            "ActionsEnabled": True,
            "StateValue": state.value,
            "StateReason": state.reason,
            "StateUpdatedTimestamp": moment,
            "StateTransitionedTimestamp": moment,
            **({"StateReasonData": state.data} if state.data else {}),
        }

    def _delete(self, parameters: dict[str, Any], _: Caller) -> dict[str, Any]:
        with self._lock:
            if missing := [name for name in parameters["AlarmNames"] if name not in self._alarms]:
                raise ApiError("ResourceNotFound", f"There are no alarms {', '.join(missing)}.", 404)
            for name in parameters["AlarmNames"]:
                del self._alarms[name]
            self._watch()
        return {}


def _told(state: State) -> dict[str, Any]:
    told = {"value": state.value, "reason": state.reason, "timestamp": stamp(state.at)}
    return told | ({"reasonData": state.data} if state.data else {})
