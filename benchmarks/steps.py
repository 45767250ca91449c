"""What the laptop engine adds to a step of a state machine beyond the work of its function or job.

    python benchmarks/steps.py          (half a minute)

- state: the interpreter alone; functions are Python calls, jobs end at once (the stand-ins of the engine's tests).
- function: a warm worker that returns its event, asked through boto3.
- job: a training job whose command is `true`, from CreateTrainingJob until it is described as completed; it has one
  small input and leaves an empty model.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import table  # noqa: E402
from tests.local import functions_world, jobs_world, states_world  # noqa: E402

STATES, ROUNDS, CALLS, JOBS = 100, 9, 300, 21


def main() -> None:
    print(table.machine())
    rows = [
        ["state: Pass", "20 ms", states({"Type": "Pass"})],
        ["state: Task of a function", "20 ms", states(states_world.task("nothing"))],
        ["function: warm invocation", "20 ms", function()],
        ["job: training job of `true`", "20 ms", job()],
    ]
    table.show(["what a step costs", "goal", "median", "fastest"], [[name, goal, *took] for name, goal, took in rows])


def states(state: dict[str, Any]) -> tuple[str, str]:
    """Return the time per state of a machine of many equal ones."""
    named = {f"S{n}": {**state, "Next": f"S{n + 1}"} for n in range(STATES)}
    for each in named.values():
        each.pop("End", None)
    definition = {"StartAt": "S0", "States": {**named, f"S{STATES}": {"Type": "Succeed"}}}
    with states_world.world() as here:
        here.functions["nothing"] = lambda event: event
        arn = here.create(definition)

        def run() -> None:
            started = here.call("StartExecution", stateMachineArn=arn, input='{"run": "r"}')["executionArn"]
            assert here.end(started)["status"] == "SUCCEEDED"

        return timed(run, ROUNDS, STATES)


def function() -> tuple[str, str]:
    with tempfile.TemporaryDirectory() as folder, contextmanager(functions_world.running)(Path(folder)) as engine:
        engine.clients.client("logs").create_log_group(logGroupName="/aws/lambda/f")
        engine.create()
        return timed(lambda: engine.invoke({"a": 1}), CALLS, 1)


def job() -> tuple[str, str]:
    with tempfile.TemporaryDirectory() as folder, jobs_world.account_in(Path(folder)) as account:
        account.put("in/row.csv", b"a,b\n1,2\n")
        names = iter(f"job-{n}" for n in range(JOBS + 1))
        inputs = [jobs_world.channel("data", "s3://bucket/in/")]

        def run() -> None:
            assert account.train("true", next(names), InputDataConfig=inputs)["TrainingJobStatus"] == "Completed"

        return timed(run, JOBS, 1)


def timed(run: Callable[[], Any], rounds: int, steps: int) -> tuple[str, str]:
    """Return (median, fastest) time per step; the first round is not counted."""
    taken = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        run()
        taken.append((time.perf_counter() - began) / steps)
    return table.seconds(statistics.median(taken[1:])), table.seconds(min(taken[1:]))


if __name__ == "__main__":
    main()
