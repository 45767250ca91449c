"""A decision for a run -> the run, once: remembered before it is started, told in the ledger after."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lambdas import wiring
from lambdas.retraining_facts import Asking
from lifecycle import canonical, keys, ledger
from lifecycle.ledger import Entry
from lifecycle.retrain_decision import NO, START, TOLD, Decision
from lifecycle.retrain_memory import Memory, Order, Pending
from lifecycle.runs import Asked
from lifecycle.settings import Retrain
from lifecycle.versions import Current


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
        """Start what was remembered and may not have been started; an execution's name is used once."""
        order = self.memory.order
        if order is None:
            return
        wiring.executions().start(self.settings.training_machine, order.name, {"detail": dict(order.detail)})
        self._remember(self.memory.started())

    def expect(self, asking: Asking, decision: Decision) -> None:
        """Remember that harvested rows will become a version, and why."""
        now = wiring.now()
        pending = Pending(at=now, reason=_said(asking, decision), trigger=str(asking.trigger))
        self._remember(self.memory.starting(now, pending=pending))

    def uploaded(self) -> None:
        """Remember that what was expected is on its way."""
        if self.memory.pending is not None:
            self._remember(replace(self.memory, pending=replace(self.memory.pending, uploaded=True)))

    @property
    def is_interrupted(self) -> bool:
        """Whether a harvest was decided on and perhaps not finished."""
        pending = self.memory.pending
        return pending is not None and not pending.uploaded and pending.is_due(wiring.now())

    def start(self, asking: Asking, decision: Decision, *, learned: bool) -> str | None:
        """Start a run on the newest version, unless harvested rows are about to become one; return its name."""
        if learned:
            return None  # the version that is cut of the harvest starts it
        spec = wiring.packaged_spec()
        current = Current.from_plain(wiring.bucket(self.settings.data_bucket).need_json(keys.current(spec.dataset)))
        asked = Asked(
            dataset=spec.dataset,
            version=current.version,
            rerun=True,
            reason=_said(asking, decision),
            trigger=str(asking.trigger),
        )
        now = wiring.now()
        return self._order(asked, now, self.memory.starting(now) if self.memory.pending is None else self.memory)

    def cut(self, detail: Mapping[str, Any]) -> str | None:
        """Start a run on the version that harvested rows became; None when none was expected."""
        now, pending = wiring.now(), self.memory.pending
        if pending is None or not pending.is_due(now):
            return None
        asked = Asked(
            dataset=detail["dataset"], version=detail["version"], reason=pending.reason, trigger=pending.trigger
        )
        return self._order(asked, now, self.memory)

    def _order(self, asked: Asked, now: float, memory: Memory) -> str:
        detail = {"stage": self.settings.stage, **asked.to_plain()}
        name = f"retrain-{hashlib.sha256(canonical.to_bytes([detail, now])).hexdigest()[:32]}"
        self._remember(Memory(starts=memory.starts, order=Order(name=name, detail=detail)))
        self.carry_out()
        return name

    def tell(self, asking: Asking, decision: Decision, execution: str | None) -> None:
        """Write a decision to the ledger; the same one again, before its time has come, is written once."""
        until = None if decision.until is None else wiring.iso(decision.until)
        detail = {
            "decision": decision.what,
            "reason": _said(asking, decision),
            "trigger": str(asking.trigger),
            "by": asking.by,
            "until": until,
            "execution": execution,
        }
        lasting = [decision.rule, until if decision.rule in ("cooldown", "budget") else None, *self.memory.starts[-1:]]
        named = [decision.what, *(lasting if decision.what != START else [wiring.now()])]
        entry = Entry(
            subject=ledger.model(self.settings.model),
            kind=ledger.RETRAINING_DECIDED,
            id=f"retraining#{hashlib.sha256(canonical.to_bytes(named)).hexdigest()[:32]}",
            at=wiring.iso(wiring.now()),
            detail=detail,
        )
        if decision.what == NO and decision.rule not in TOLD:
            return
        wiring.ledger(self.settings.ledger_writer).record(entry)

    def _remember(self, memory: Memory) -> None:
        wiring.bucket(self.settings.artifact_bucket).write_json(_key(self.settings), memory.to_plain())
        self.memory = memory


def _key(settings: Retrain) -> str:
    return keys.monitoring(settings.model, "retraining.json")


def _said(asking: Asking, decision: Decision) -> str:
    return f"{decision.reason} ({asking.said})" if asking.said else decision.reason
