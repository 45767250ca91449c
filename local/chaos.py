"""What AWS may do to events and executions at any time, made likely: drawn from a seed, so that a run can be repeated.

Which events may be lost for good: the EventBridge reference, "Delivery level for AWS service events" (docs/decisions/
0102-what-chaos-does.md).
"""

import logging
import random
import threading
from dataclasses import dataclass
from typing import Any, Final

from local.api import Caller, Operations
from local.clock import Clock

BEST_EFFORT: Final = frozenset({"aws.states", "aws.sagemaker"})
"""Services of which "in some rare cases an event might not be delivered"; all others that we hear deliver durably."""

KILLED: Final = "Engine.Chaos"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chaos:
    """Probabilities, each of one event or one execution; seconds are engine time.

    An event that is not delivered now never comes where its service promises no more, and comes `latest_seconds`
    later at most where it does. An execution that is killed ends as one that somebody stopped, ABORTED, between
    `soonest_kill_seconds` and `latest_kill_seconds` after its start, as often within each tenfold of them.
    """

    seed: int
    duplicate_probability: float = 0.5
    max_duplicates: int = 2
    max_delay_seconds: float = 2.0
    missing_probability: float = 0.15
    latest_seconds: float = 3_600.0
    kill_probability: float = 0.2
    soonest_kill_seconds: float = 0.05
    latest_kill_seconds: float = 300.0

    def loses(self, source: str, draw: random.Random) -> bool:
        """Tell whether an event of `source` never reaches the bus."""
        return source in BEST_EFFORT and draw.random() < self.missing_probability

    def delays(self, draw: random.Random) -> list[float]:
        """Return the delay of each delivery, one to three, of one event to one target."""
        if draw.random() < self.missing_probability:
            return [draw.uniform(self.max_delay_seconds, self.latest_seconds)]
        return [draw.uniform(0, self.max_delay_seconds) for _ in range(self.copies(draw))]

    def copies(self, draw: random.Random) -> int:
        """Return how often something is delivered, one to three times."""
        return 1 + sum(draw.random() < self.duplicate_probability for _ in range(self.max_duplicates))

    def kill_after(self, draw: random.Random) -> float | None:
        """Return the seconds after which an execution is killed, None when it is not."""
        if draw.random() >= self.kill_probability:
            return None
        span: float = (self.latest_kill_seconds / self.soonest_kill_seconds) ** draw.random()
        return self.soonest_kill_seconds * span


def killing(chaos: Chaos, operations: Operations, clock: Clock) -> Operations:
    """Return StartExecution as it is, but that some of what it starts is killed."""
    start, stop = operations["states", "StartExecution"], operations["states", "StopExecution"]
    draw = random.Random(chaos.seed)

    def kill(execution: str, seconds: float, caller: Caller) -> None:
        if not clock.sleep(seconds):
            _log.warning("chaos: %s is killed unless it is over", execution)
            stop({"executionArn": execution, "error": KILLED, "cause": f"killed after {seconds:.1f} s"}, caller)

    def started(parameters: dict[str, Any], caller: Caller) -> Any:
        answer = start(parameters, caller)
        seconds = chaos.kill_after(draw)
        if seconds is not None:
            arguments = (answer["executionArn"], seconds, caller)
            threading.Thread(target=kill, args=arguments, name="chaos", daemon=True).start()
        return answer

    return {("states", "StartExecution"): started}
