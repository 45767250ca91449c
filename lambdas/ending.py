"""What is left to do when a deployment is over, however it ended: weights, ledger, claims, what was approved since.

Like `lambdas.closing`, every part may run twice; the deployment's claim goes last.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from cloud.executions import Outcome
from lambdas import wiring
from lambdas.observability import note
from lambdas.standing import plan
from lifecycle import claims, ledger, names
from lifecycle.claims import Claim, State
from lifecycle.ledger import Entry
from lifecycle.settings import Deploy


@dataclass(frozen=True, kw_only=True)
class DeploymentCloser:
    """Ends the deployments of one model. `tell` takes a subject and a text for people."""

    settings: Deploy
    tell: Callable[[str, str], None]

    def close(self, execution: str, outcome: Outcome) -> None:
        """End the deployment of an execution that is over, if it held the model's deployment."""
        table = wiring.claims(self.settings.claims_table)
        held = table.read(claims.deploy(self.settings.model))
        if held is None or held.state is not State.HELD or held.owner != execution:
            return
        self._take_traffic_back()
        if package := held.value.get("package"):
            if outcome.status == "SUCCEEDED":
                table.finish(package, execution)
            else:
                table.release(package, execution)
        if outcome.status != "SUCCEEDED":
            self._report(held, outcome)
        table.release(held.claim, execution)
        note("deployment ended", status=outcome.status, package=held.value.get("package_arn"), execution=execution)

    def look_again(self, machine: str) -> None:
        """End a deployment whose execution is over, and deploy what was approved, though nobody told of either."""
        table = wiring.claims(self.settings.claims_table)
        held = table.read(claims.deploy(self.settings.model))
        ended = "" if held is None else held.owner
        if held is not None:
            outcome = wiring.executions().outcome(ended)
            if not outcome.is_over:
                return
            self.close(ended, outcome)
            if package := held.value.get("package"):
                table.release(package, ended)  # one that was stopped may have taken it when it was closed already
        self.start_next(ended, machine, wiring.iso(wiring.now()))

    def start_next(self, ended: str, machine: str, looked: str = "") -> None:
        """Start a deployment of what was approved or changed meanwhile, unless it failed before or was just made.

        `looked` is when somebody looked without a deployment having ended just now.
        """
        table = wiring.claims(self.settings.claims_table)
        held = table.read(claims.deploy(self.settings.model))
        if held is not None and held.held_by_other("", wiring.now()):
            return
        decided, standing = plan(self.settings)
        if decided.package_arn is None or not machine:
            return
        tried = table.read(claims.package(decided.package_arn, standing.code))
        if tried is not None and (tried.state is State.FREE or tried.owner == ended):
            note("not deployed again by itself", package=decided.package_arn, reason=decided.reason)
            return
        name = hashlib.sha256(f"{ended} {decided.package_arn}{looked}".encode()).hexdigest()[:32]
        detail = {"reason": decided.reason, "package_arn": decided.package_arn}
        wiring.executions().start(machine, f"next-{name}", {"detail": detail})

    def _take_traffic_back(self) -> None:
        """Empty the alias's weights: an execution that was stopped or timed out may have left them."""
        functions, name = wiring.functions(), self.settings.predict_function
        alias = functions.alias(name, names.LIVE)
        if alias is not None and alias.weights:
            functions.point(name, names.LIVE, replace(alias, weights={}))
            note("weights emptied", version=alias.version, weights=dict(alias.weights))

    def _report(self, held: Claim, outcome: Outcome) -> None:
        cause = outcome.cause[:4000]
        what: dict[str, Any] = {"package_arn": held.value.get("package_arn"), "status": outcome.status}
        entry = Entry(
            subject=ledger.model(self.settings.model),
            kind=ledger.DEPLOYMENT_FAILED,
            id=f"{held.owner}#ended",
            at=wiring.iso(wiring.now()),
            detail={**what, "error": outcome.error, "cause": cause},
        )
        wiring.ledger(self.settings.ledger_writer).record(entry)
        subject = f"[{self.settings.stage}] {self.settings.model}: a deployment ended {outcome.status}"
        text = f"{what['package_arn'] or 'nothing planned yet'}\n{outcome.error}\n{cause}\nExecution: {held.owner}"
        self.tell(subject, text)
