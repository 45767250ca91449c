"""What closes the executions of a state machine: the event of each end, and a look once a week for what no event tells.

Step Functions and SageMaker promise no event (docs/decisions/0103-what-no-event-tells.md).
"""

from typing import Final

from aws_cdk.aws_sqs import Queue
from constructs import Construct

from stacks.constructs.function import Function
from stacks.constructs.rules import Trigger, rule_to_function, rule_to_own_function
from stacks.patterns import executions_of

LOOK: Final = "rate(7 days)"


def close_executions(scope: Construct, title: str, machine_arn: str, closer: Function, lost: Queue) -> None:
    """Invoke `closer`, which no other rule invokes, at the end of each execution and once a week with the machine."""
    rule_to_own_function(scope, f"{title}Ended", executions_of(machine_arn), closer, lost)
    rule_to_function(scope, f"{title}LookedFor", Trigger(schedule=LOOK, told={"machine": machine_arn}), closer, lost)
