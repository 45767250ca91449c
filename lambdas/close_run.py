"""A training execution is over -> its run is ended and what waited is started. The only way a run ends.

Once a week it looks for an end that nobody told (docs/decisions/0103-what-no-event-tells.md).
"""

from typing import Any

from lambdas import wiring
from lambdas.closing import RunCloser
from lifecycle.errors import NotReady
from lifecycle.settings import CloseRun


def handler(event: dict[str, Any], _context: Any) -> None:
    """Close the run of the execution that an EventBridge event names; a schedule names the machine."""
    settings = wiring.settings(CloseRun)
    closer = RunCloser(
        stage=settings.stage,
        model=settings.model,
        spec_id=settings.spec_id,
        artifacts=wiring.bucket(settings.artifact_bucket),
        claims=wiring.claims(settings.claims_table),
        ledger=wiring.ledger(settings.ledger_writer),
        executions=wiring.executions(),
        tell=wiring.notices(settings.topic).tell,
        now=wiring.now,
    )
    if "machine" in event:
        closer.look_again(event["machine"])
        return
    execution = event["detail"]["executionArn"]
    outcome = wiring.executions().outcome(execution)
    if not outcome.is_over:
        raise NotReady(f"{execution} is {outcome.status}: DescribeExecution lags behind its event; try again")
    closer.close(execution, outcome)
    closer.start_waiting(execution, outcome)
