"""What is known of a model's runs, labels and alerts -> start a run, wait until a named time, or leave it, and why.

An alarm that stays bad sends no second event, so the same question is asked again after every look of monitoring: what
had to wait is started then. Whoever asks first in a minute of a hundred alarms gets the run, the others its cooldown.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from lifecycle import names
from lifecycle.retraining import Retraining

START: Final = "start"
WAIT: Final = "wait"
NO: Final = "no"
CALLS_FOR_A_RUN: Final = frozenset({names.ALERT_DRIFT, names.ALERT_SCORES, names.ALERT_QUALITY})
FAILURES: Final = 3
"""Runs in a row that failed with the same spec, after which nothing starts by itself until something changes."""
UNCALLED: Final = "uncalled"
FAILING: Final = "failing"
FUTILE: Final = "futile"
TOLD: Final = frozenset({FAILING, FUTILE})
"""Rules whose NO is told; the others' is the ordinary state of things."""
JOBS_AT_ONCE: Final = 2
"""Of a run: its instance minutes are counted as its own minutes times this, which they never exceed."""


class Trigger(StrEnum):
    """Who asks: an alarm that was raised, a look of monitoring, the schedule, or a person."""

    ALARM = "alarm"
    LOOK = "monitor"
    SCHEDULE = "schedule"
    HAND = "hand"


@dataclass(frozen=True, kw_only=True, slots=True)
class Past:
    """A run that was: `trigger` says who started it, "upload" if nobody did; times are epoch seconds.

    `status` is a `lifecycle.runs.Status`; `approved` is whether its model passed the gates, None if it has none.
    """

    run_id: str
    trigger: str
    started: float
    ended: float | None
    status: str
    version: str
    spec_id: str
    approved: bool | None = None

    @property
    def minutes(self) -> float:
        """Instance minutes that its jobs took, at most."""
        return 0.0 if self.ended is None else (self.ended - self.started) / 60 * JOBS_AT_ONCE


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """Everything that a decision rests on.

    `alerts` are those that are on; `version` is the dataset's newest, None when there is none; `starts` are the times
    at which the loop started runs (epoch seconds); `busy` says what is under way; `fresh` counts labelled rows that
    are in no data version, None where feedback is not learned from; `look_seconds` is the time between two looks.
    """

    now: float
    trigger: Trigger
    alerts: frozenset[str]
    version: str | None
    spec_id: str
    runs: Sequence[Past]
    starts: Sequence[float]
    busy: str | None
    fresh: int | None
    look_seconds: float
    over_budget: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """START, WAIT (until epoch seconds) or NO, with the reason as a sentence, and the rule that said so.

    `about` names what the rule looked at, where that is one thing: two such decisions about two things are two.
    """

    what: str
    reason: str
    until: float | None = None
    rule: str = ""
    about: str = ""


def decide(known: Known, rules: Retraining) -> Decision:
    """Return what becomes of a wish for a new run; the first rule that objects is the reason."""
    for name, rule in _RULES.items():
        found = rule(known, rules)
        if found is not None:
            return replace(found, rule=name)
    return Decision(what=START, reason=_why(known))


def _why(known: Known) -> str:
    new = f", with {known.fresh} labelled rows that are in no data version yet" if known.fresh else ""
    if known.trigger is Trigger.HAND:
        return f"asked for by hand{new}"
    if known.trigger is Trigger.SCHEDULE:
        return f"the schedule says so{new}"
    return f"alerts that are on: {', '.join(sorted(known.alerts & CALLS_FOR_A_RUN))}{new}"


def _uncalled(known: Known, rules: Retraining) -> Decision | None:
    if known.trigger in (Trigger.HAND, Trigger.SCHEDULE):
        return None
    if not known.alerts & CALLS_FOR_A_RUN:
        return Decision(what=NO, reason="no alert calls for a run")
    if not rules.on_alarm:
        return Decision(what=NO, reason="model.yaml says `on_alarm: false`: alerts start no run")
    return None


def _nothing_there(known: Known, _: Retraining) -> Decision | None:
    if known.version is None and not known.fresh:
        return Decision(what=NO, reason="the dataset has no version to learn from: upload one")
    return None


def _busy(known: Known, _: Retraining) -> Decision | None:
    if known.busy is None:
        return None
    until = known.now + known.look_seconds
    reason = f"{known.busy} is under way; asked again after the next look"
    return Decision(what=WAIT, reason=reason, until=until, about=known.busy)


def _failing(known: Known, _: Retraining) -> Decision | None:
    if known.trigger is Trigger.HAND:
        return None
    last = sorted((run for run in known.runs if run.ended is not None), key=lambda run: run.started)[-FAILURES:]
    if len(last) < FAILURES or not all(_is_failure(run) and run.spec_id == known.spec_id for run in last):
        return None
    if last[-1].version != known.version:
        return None  # labels alone never get here: they become a version only when a run may start
    reason = (
        f"the last {FAILURES} runs failed ({last[-1].run_id} the newest, on these data); nothing starts by itself "
        "until the data or model.yaml change: see `perennial runs`, or start one by `perennial retrain --reason`"
    )
    return Decision(what=NO, reason=reason, about=last[-1].run_id)


def _futile(known: Known, rules: Retraining) -> Decision | None:
    if known.trigger is Trigger.HAND:
        return None
    if known.fresh is not None and known.fresh >= rules.min_new_labels:
        return None
    done = [run for run in known.runs if _same(run, known) and run.ended is not None and not _is_failure(run)]
    if not done:
        return None
    newest = max(done, key=lambda run: run.started)
    outcome = {True: "approved", False: "not good enough", None: "rejected with its data"}[newest.approved]
    reason = f"{newest.run_id} learned from these data already ({outcome}): the same again would give the same model"
    if known.fresh is None:
        return Decision(what=NO, reason=f"{reason}; upload new data", about=newest.run_id)
    needed = f"{known.fresh} of {rules.min_new_labels} new labels are there (retraining.min_new_labels)"
    until = known.now + known.look_seconds
    return Decision(what=WAIT, reason=f"{reason}; {needed}", until=until, about=newest.run_id)


def _cooling(known: Known, rules: Retraining) -> Decision | None:
    if known.trigger is Trigger.HAND or not known.starts:
        return None
    until = max(known.starts) + rules.cooldown_hours * 3600
    if until <= known.now:
        return None
    return Decision(what=WAIT, reason=f"a run was started less than {rules.cooldown_hours:g} hours ago", until=until)


def _over_budget(known: Known, rules: Retraining) -> Decision | None:
    if known.over_budget and known.trigger is Trigger.HAND:
        return None
    begin, end = month_of(known.now)
    started = sum(begin <= at < end for at in known.starts)
    if started >= rules.runs_per_month:
        reason = f"{started} runs were started this month, which is all (retraining.runs_per_month)"
        return Decision(what=WAIT, reason=reason, until=end)
    mine = [run for run in known.runs if run.trigger != "upload" and run.ended is not None]
    used = sum(run.minutes for run in mine if begin <= run.started < end)
    ended = [run for run in known.runs if run.ended is not None]
    expected = max(ended, key=lambda run: run.started).minutes if ended else 0.0
    if used + expected > rules.instance_minutes_per_month:
        reason = (
            f"{used:.0f} instance minutes are used this month, and a run takes about {expected:.0f}, of "
            f"{rules.instance_minutes_per_month} (retraining.instance_minutes_per_month)"
        )
        return Decision(what=WAIT, reason=reason, until=end)
    return None


_RULES: Final[Mapping[str, Callable[[Known, Retraining], Decision | None]]] = {
    UNCALLED: _uncalled,
    "nothing there": _nothing_there,
    "busy": _busy,
    FAILING: _failing,
    FUTILE: _futile,
    "cooldown": _cooling,
    "budget": _over_budget,
}
"""In this order: what cannot be helped by waiting comes first."""


def _same(run: Past, known: Known) -> bool:
    return run.version == known.version and run.spec_id == known.spec_id


def _is_failure(run: Past) -> bool:
    return run.status not in ("succeeded", "rejected")


def month_of(at: float) -> tuple[float, float]:
    """Return the calendar month (UTC) of a time: its first second, and the first one of the next.

    >>> [datetime.fromtimestamp(edge, UTC).strftime("%Y-%m-%d") for edge in month_of(1388534399.0)]
    ['2013-12-01', '2014-01-01']
    """
    begin = datetime.fromtimestamp(at, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = begin.replace(year=begin.year + begin.month // 12, month=begin.month % 12 + 1)
    return begin.timestamp(), end.timestamp()


def past_of(record: dict[str, Any]) -> Past:
    """Read what a decision needs of a run's record (`run.json`)."""
    ended = record.get("ended_at")
    return Past(
        run_id=record["run_id"],
        trigger=record.get("trigger", "upload"),
        started=_seconds(record["started_at"]),
        ended=_seconds(ended) if ended else None,
        status=record["status"],
        version=record["version"],
        spec_id=record["spec_id"],
        approved=(record.get("registration") or {}).get("passed"),
    )


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
