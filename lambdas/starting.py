"""A data version announced (or asked for) -> a run that goes, or the reason why not.

The run's claim is taken first and names the version, so that whoever closes the execution finds everything it held.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cloud.claims import Claims
from cloud.executions import Executions
from lambdas.closing import RunCloser
from lifecycle import claims
from lifecycle.claims import RUN_LEASE_SECONDS, Claim, Refused, State, Taking
from lifecycle.errors import ClaimHeld
from lifecycle.runs import Asked, run_id

CLAIM_TRIES = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Going:
    """What was decided: "start" with the run's id and attempt, "wait" or "duplicate"."""

    decision: str
    run_id: str = ""
    attempt: int = 0


@dataclass(frozen=True, kw_only=True)
class RunStarter:
    """Decides whether an execution becomes the model's run."""

    stage: str
    model: str
    spec_id: str
    claims: Claims
    executions: Executions
    closer: RunCloser
    now: Callable[[], float]

    def start(self, execution: str, asked: Asked) -> Going:
        """Take the claims of a run, or queue what was asked, or find it done."""
        name = claims.version(self.model, asked.version, self.spec_id)
        if self._is_duplicate(self.claims.read(name), execution, asked):
            self.closer.unqueue(asked)
            return Going(decision="duplicate")
        if not self._take_run(execution, asked):
            self.closer.enqueue(asked)
            # whoever held the run may have ended, and looked for what waits, just before it waited
            if not self._take_run(execution, asked):
                return Going(decision="wait")
        return self._take_version(name, execution, asked)

    def _take_version(self, name: str, execution: str, asked: Asked) -> Going:
        wanted = Taking(claim=name, owner=execution, lease_seconds=RUN_LEASE_SECONDS, again=asked.rerun)
        taken = self._take(wanted)
        if isinstance(taken, Refused):
            self.claims.release(claims.run(self.model), execution)
            return Going(decision="duplicate")
        run = run_id(self.stage, self.model, asked.version, self.spec_id, taken.attempt)
        self.claims.hold(self._run_wish(execution, asked, {"run_id": run}), self.now())
        self.closer.unqueue(asked)
        return Going(decision="start", run_id=run, attempt=taken.attempt)

    def _take_run(self, execution: str, asked: Asked) -> bool:
        return isinstance(self._take(self._run_wish(execution, asked, {})), Claim)

    def _run_wish(self, execution: str, asked: Asked, more: dict[str, Any]) -> Taking:
        value = {"version": asked.version, **more}
        return Taking(claim=claims.run(self.model), owner=execution, lease_seconds=RUN_LEASE_SECONDS, value=value)

    def _take(self, wanted: Taking) -> Claim | Refused:
        """Take a claim, from a holder whose execution is over as well: its end may never have been told to us."""
        for _ in range(CLAIM_TRIES):
            taken = self.claims.take(wanted, self.now())
            if isinstance(taken, Claim) or taken.current.state is not State.HELD:
                return taken
            holder = taken.current.owner
            outcome = self.executions.outcome(holder)
            if not outcome.is_over:
                return taken
            self.closer.close(holder, outcome)
            self.claims.release(wanted.claim, holder)
        raise ClaimHeld(f"claim {wanted.claim} went from holder to holder {CLAIM_TRIES} times; try again")

    def _is_duplicate(self, current: Claim | None, execution: str, asked: Asked) -> bool:
        if current is None or current.owner == execution:
            return False
        if current.state is State.DONE:
            return not asked.rerun
        return current.held_by_other(execution, self.now()) and not self.executions.outcome(current.owner).is_over
