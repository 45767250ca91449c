"""What is left to do when a training execution is over, however it ended: record, ledger, claims, what waited.

Everything here may run twice, or stop between any two calls and run again: the run's claim goes last, and only then is
what waited started.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from cloud.claims import Claims
from cloud.executions import Executions, Outcome
from cloud.ledger import Ledger
from cloud.objects import Bucket
from lambdas.observability import note
from lambdas.wiring import iso
from lifecycle import claims, keys, ledger
from lifecycle.claims import Claim, State
from lifecycle.ledger import Entry
from lifecycle.runs import Asked, Queue, Status, ended_status


@dataclass(frozen=True, kw_only=True)
class RunCloser:
    """Ends the runs of one model. `tell` takes a subject and a text for people."""

    stage: str
    model: str
    spec_id: str
    artifacts: Bucket
    claims: Claims
    ledger: Ledger
    executions: Executions
    tell: Callable[[str, str], None]
    now: Callable[[], float]

    def close(self, execution: str, outcome: Outcome) -> None:
        """End the run of an execution that is over, if it held the model's run."""
        held = self.claims.read(claims.run(self.model))
        if held is None or held.state is not State.HELD or held.owner != execution:
            return
        status = self._finish_record(held, outcome)
        version = claims.version(self.model, held.value["version"], self.spec_id)
        if status in (Status.SUCCEEDED, Status.REJECTED):
            self.claims.finish(version, execution, {"run_id": held.value.get("run_id"), "status": str(status)})
        else:
            self.claims.release(version, execution)
        self.claims.release(held.claim, execution)
        note("run ended", run_id=held.value.get("run_id"), status=str(status), execution=execution)

    def look_again(self, machine: str) -> None:
        """End a run whose execution is over though nobody told, and start what waits as an execution of `machine`.

        AWS promises no event of an execution's end, and one that is stopped while its first function works may take
        the run's claim when its end was told already.
        """
        held = self.claims.read(claims.run(self.model))
        if held is None or (held.state is State.FREE and self._waiting().first() is None):
            return
        outcome = self.executions.outcome(held.owner)
        if outcome.is_over:
            self.close(held.owner, outcome)
            self.start_waiting(f"{held.owner} {iso(self.now())}", replace(outcome, machine=machine))

    def end_if_closed(self, execution: str, run_id: str) -> None:
        """End the record of a run whose execution was stopped, and closed, before the record was written."""
        held = self.claims.read(claims.run(self.model))
        if held is not None and held.state is State.HELD and held.owner == execution:
            return
        key = keys.run_record(self.model, run_id)
        record = self.artifacts.need_json(key)
        self.artifacts.write_json(key, {**record, "status": str(Status.ABORTED), "ended_at": iso(self.now())})
        note("run was closed before it began", run_id=run_id, execution=execution)

    def start_waiting(self, ended: str, outcome: Outcome) -> None:
        """Start what waits, unless another execution runs; `ended` makes the new execution's name.

        What waits leaves the queue when its run starts (`lambdas.starting`), or here when its execution failed before
        it became a run: it would fail again for ever.
        """
        held = self.claims.read(claims.run(self.model))
        if held is not None and held.held_by_other("", self.now()):
            return
        if outcome.status != "SUCCEEDED":
            self._drop_failed(ended, outcome)
        first = self._waiting().first()
        if first is None or not outcome.machine:
            return
        detail = {"stage": self.stage, **first.to_plain()}
        name = hashlib.sha256(json.dumps([ended, detail], sort_keys=True).encode()).hexdigest()[:32]
        started = self.executions.start(outcome.machine, f"waited-{name}", {"detail": detail})
        note("waiting run started", version=first.version, new=started)

    def _drop_failed(self, ended: str, outcome: Outcome) -> None:
        detail = json.loads(outcome.input).get("detail", {}) if outcome.input else {}
        if not {"dataset", "version"} <= detail.keys():
            return  # started by hand with something else: it never waited
        failed = Asked.from_plain(detail)
        if failed in self._waiting():
            self.unqueue(failed)
            text = (
                f"The run that waited on version {failed.version} did not start: {outcome.status}.\nExecution: {ended}"
            )
            self.tell(f"[{self.stage}] {self.model}: a waiting run could not start", text)

    def enqueue(self, asked: Asked) -> None:
        """Keep what was asked for until the running run ends."""
        self._requeue(lambda queue: queue.add(asked))

    def unqueue(self, asked: Asked) -> None:
        """Forget what does not wait any more; anything newer stays."""
        self._requeue(lambda queue: queue.without(asked))

    def _requeue(self, change: Callable[[Queue], Queue]) -> None:
        name = claims.waiting(self.model)
        while True:
            current = self.claims.read(name)
            before = self._queue(current)
            after = change(before)
            if after == before:
                return
            attempt = current.attempt + 1 if current else 1
            value = after.to_plain()
            changed = Claim(claim=name, owner="-", attempt=attempt, expires_at=0, state=State.FREE, value=value)
            if self.claims.put(current, changed):
                return

    def _waiting(self) -> Queue:
        return self._queue(self.claims.read(claims.waiting(self.model)))

    @staticmethod
    def _queue(waiting: Claim | None) -> Queue:
        return Queue.from_plain(waiting.value) if waiting else Queue()

    def _finish_record(self, held: Claim, outcome: Outcome) -> Status:
        run_id = held.value.get("run_id")
        key = keys.run_record(self.model, run_id) if run_id else ""
        record = self.artifacts.read_json(key) if run_id else None
        accepted = (record or {}).get("validation", {}).get("accepted")
        status = ended_status(outcome.status, accepted)
        fault = {"error": outcome.error, "cause": outcome.cause[:4000]} if outcome.error else {}
        if record is not None:
            ended_at = iso(outcome.ended if outcome.ended is not None else self.now())
            seconds = round(outcome.ended - outcome.started, 3) if outcome.ended is not None else None
            ending = {"status": str(status), "ended_at": ended_at, "seconds": seconds, **fault}
            self.artifacts.write_json(key, {**record, **ending, **self._results(str(run_id))})
        what = run_id or f"{self.model} on version {held.value['version'][:12]}"
        detail = {"run_id": run_id, "version": held.value["version"], "status": str(status), **fault}
        self._record(f"{held.owner}#ended", detail)
        if status not in (Status.SUCCEEDED, Status.REJECTED):
            text = f"{what} ended {status}.\n{outcome.error}\n{outcome.cause[:4000]}\nExecution: {held.owner}"
            self.tell(f"[{self.stage}] {what} ended {status}", text)
        return status

    def _results(self, run_id: str) -> dict[str, Any]:
        scorecard = self.artifacts.read_json(keys.run(self.model, run_id, "evaluation", "scorecard.json"))
        trials = self.artifacts.read_json(keys.run(self.model, run_id, "evaluation", "trials.json"))
        found: dict[str, Any] = {} if trials is None else {"trials": trials}
        if scorecard is not None:
            kept = ("rows", "winner", "metrics", "comparison", "failed_families")
            found |= {name: scorecard[name] for name in kept if name in scorecard}
        return found

    def _record(self, entry_id: str, detail: dict[str, Any]) -> None:
        subject = ledger.model(self.model)
        self.ledger.record(
            Entry(subject=subject, kind=ledger.RUN_ENDED, id=entry_id, at=iso(self.now()), detail=detail)
        )
