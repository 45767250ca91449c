"""A deployment execution is over -> its claims are given back, and what was approved meanwhile is started.

Once a week it looks for an end or an approval that nobody told (docs/decisions/0103-what-no-event-tells.md).
"""

from typing import Any

from lambdas import wiring
from lambdas.ending import DeploymentCloser
from lifecycle.errors import NotReady
from lifecycle.settings import Deploy


def handler(event: dict[str, Any], _context: Any) -> None:
    """Close the deployment of the execution that an EventBridge event names; a schedule names the machine."""
    settings = wiring.settings(Deploy)
    closer = DeploymentCloser(settings=settings, tell=wiring.notices(settings.topic).tell)
    if "machine" in event:
        closer.look_again(event["machine"])
        return
    execution = event["detail"]["executionArn"]
    outcome = wiring.executions().outcome(execution)
    if not outcome.is_over:
        raise NotReady(f"{execution} is {outcome.status}: DescribeExecution lags behind its event; try again")
    closer.close(execution, outcome)
    closer.start_next(execution, outcome.machine)
