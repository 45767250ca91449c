"""A decision for a run -> the run, once: remembered before it is started, told in the ledger after."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from lambdas import wiring
from lambdas.retraining_facts import Asking
from lifecycle import canonical, keys, ledger
from lifecycle.ledger import Entry
from lifecycle.retrain_decision import NO, START, TOLD, Decision
from lifecycle.retrain_memory import Memory, Order, Pending
from lifecycle.runs import Asked
from lifecycle.settings import Retrain
from lifecycle.versions import Current

LASTING: Final = frozenset({"cooldown", "budget"})
"""Rules whose wait ends at a time that stays the same; the others' is only when the question is asked again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Because:
    """Why a run is wanted, who asked, and the person's ARN if one did."""

    reason: str
    trigger: str
    by: str


@dataclass
class Starts:
    """What the loop started of one model; every change of `memory` is written before anything follows from it."""

    settings: Retrain
    memory: Memory

    @classmethod
    def of(cls, settings: Retrain) -> "Starts":
        """Return what is remembered."""
        raw = wiring.bucket(settings.artifact_bucket).read_json(_key(settings))
        return cls(settings, Memory.from_plain(raw))

    def carry_out(self) -> None:
        """Tell and start what was remembered; by its name, what was told and started before is not made twice."""
        order = self.memory.order
        if order is None:
            return
        because = Because(reason=order.detail["reason"], trigger=order.detail["trigger"], by=order.by)
        self._record(Decision(what=START, reason=""), because, order.name, [order.name])
        wiring.executions().start(self.settings.training_machine, order.name, {"detail": dict(order.detail)})
        self._remember(self.memory.started())

    def expect(self, asking: Asking, decision: Decision, version: str | None) -> None:
        """Remember that harvested rows will become another version than the newest one of now, and why."""
        now = wiring.now()
        said, trigger = _said(asking, decision), str(asking.trigger)
        pending = Pending(at=now, reason=said, trigger=trigger, version=version, by=asking.by)
        self._remember(self.memory.starting(now, pending=pending))

    def uploaded(self) -> None:
        """Tell and remember that what was expected is on its way: the version that is cut of it starts the run."""
        coming = self.memory.pending
        if coming is None:
            return
        because = Because(reason=coming.reason, trigger=coming.trigger, by=coming.by)
        self._record(Decision(what=START, reason=""), because, None, [coming.at])
        self._remember(replace(self.memory, pending=replace(coming, uploaded=True)))

    @property
    def is_interrupted(self) -> bool:
        """Whether a harvest was decided on and perhaps not finished."""
        coming = self.memory.pending
        return coming is not None and not coming.uploaded and coming.is_due(wiring.now())

    def start(self, asking: Asking, decision: Decision) -> str:
        """Start a run on the newest version; return the execution's name."""
        because = Because(reason=_said(asking, decision), trigger=str(asking.trigger), by=asking.by)
        return self._order(self._newest(because), because.by, self.memory.starting(wiring.now()))

    def start_expected(self) -> str | None:
        """Start on the newest version the run that was to learn from harvested rows, for there are none after all."""
        coming = self.memory.pending
        if coming is None:
            return None
        because = Because(reason=coming.reason, trigger=coming.trigger, by=coming.by)
        return self._order(self._newest(because), coming.by, self.memory)

    def cut(self, detail: Mapping[str, Any]) -> str | None:
        """Start a run on the version that harvested rows became; None when none was expected."""
        coming = self.memory.pending
        if coming is None or not coming.is_due(wiring.now()):
            return None
        asked = Asked(
            dataset=detail["dataset"], version=detail["version"], reason=coming.reason, trigger=coming.trigger
        )
        return self._order(asked, coming.by, self.memory)

    def owe(self, *, owed: bool) -> None:
        """Remember whether the schedule's run is still to come."""
        if owed != self.memory.owed:
            self._remember(replace(self.memory, owed=owed))

    def tell(self, asking: Asking, decision: Decision) -> None:
        """Write to the ledger why a run waits or is not started: once, as long as the reason is the same."""
        if decision.what == NO and decision.rule not in TOLD:
            return
        until = _until(decision) if decision.rule in LASTING else None
        because = Because(reason=_said(asking, decision), trigger=str(asking.trigger), by=asking.by)
        named = [decision.what, decision.rule, decision.about, until, *self.memory.starts[-1:]]
        self._record(decision, because, None, named)

    def _newest(self, because: Because) -> Asked:
        spec = wiring.packaged_spec()
        raw = wiring.bucket(self.settings.data_bucket).need_json(keys.current(spec.dataset))
        version = Current.from_plain(raw).version
        return Asked(dataset=spec.dataset, version=version, rerun=True, reason=because.reason, trigger=because.trigger)

    def _order(self, asked: Asked, by: str, memory: Memory) -> str:
        detail = {"stage": self.settings.stage, **asked.to_plain()}
        name = f"retrain-{_digest([self.settings.model, detail, wiring.now()])}"
        self._remember(Memory(starts=memory.starts, order=Order(name=name, detail=detail, by=by)))
        self.carry_out()
        return name

    def _record(self, decision: Decision, because: Because, execution: str | None, named: list[Any]) -> None:
        entry = Entry(
            subject=ledger.model(self.settings.model),
            kind=ledger.RETRAINING_DECIDED,
            id=f"retraining#{_digest(named)}",
            at=wiring.iso(wiring.now()),
            detail={
                "decision": decision.what,
                "reason": because.reason,
                "trigger": because.trigger,
                "by": because.by,
                "until": _until(decision),
                "execution": execution,
            },
        )
        wiring.ledger(self.settings.ledger_writer).record(entry)

    def _remember(self, memory: Memory) -> None:
        wiring.bucket(self.settings.artifact_bucket).write_json(_key(self.settings), memory.to_plain())
        self.memory = memory


def _key(settings: Retrain) -> str:
    return keys.monitoring(settings.model, "retraining.json")


def _digest(value: Any) -> str:
    return hashlib.sha256(canonical.to_bytes(value)).hexdigest()[:32]


def _until(decision: Decision) -> str | None:
    return None if decision.until is None else wiring.iso(decision.until)


def _said(asking: Asking, decision: Decision) -> str:
    return f"{decision.reason} ({asking.said})" if asking.said else decision.reason
