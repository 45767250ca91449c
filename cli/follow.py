"""Following executions on the terminal: each step as it ends, what runs now on a line that moves."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from rich.padding import Padding
from rich.status import Status

from cli import output
from cloud.history import Execution, History
from lifecycle.progress import Step

POLL_SECONDS = 0.15

_SAID = {
    "StartRun": "claim the run",
    "ProfileObjects": "profile new objects",
    "ValidateVersion": "validate against the contract",
    "TrainFamilies": "train the candidate families",
    "EvaluateCandidates": "evaluate, compile, prove parity",
    "ReplayCandidate": "replay logged traffic with the winner",
    "RegisterModel": "gate and register",
    "Plan": "plan the deployment",
    "Publish": "publish code and model as a version",
    "Probe": "ask it for recorded rows",
    "Shift": "give it a share of the traffic",
    "Wait": "wait for traffic",
    "Judge": "judge it beside the live version",
    "RollBack": "take its traffic back",
    "Promote": "move the alias to it",
}


class Board:
    """The part of the terminal that shows progress; silent with --json."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._console = output.console(stderr=True)
        self._status: Status | None = None

    @contextmanager
    def doing(self, text: str) -> Iterator[None]:
        """Show `text` as what happens now, and the seconds it took once it is over; nothing more when it failed."""
        began = time.perf_counter()
        with self._moving(text):
            yield
        self.done(text, time.perf_counter() - began)

    def done(self, text: str, seconds: float | None = None, mark: str = "[green]done[/green]") -> None:
        """Print a finished line."""
        if not self._quiet:
            took = "" if seconds is None else f"{seconds:6.1f} s"
            self._console.print(f"  {mark} {output.escape(text):<66} {took}".rstrip(), soft_wrap=True)

    def note(self, text: str) -> None:
        """Print what explains the line above, folded under it."""
        if not self._quiet:
            self._console.print(Padding(output.escape(text), (0, 0, 0, 7)), style="red")

    def now(self, text: str) -> None:
        """Change the moving line."""
        if self._status is not None:
            self._status.update(text)

    @contextmanager
    def _moving(self, text: str) -> Iterator[None]:
        if self._quiet or not self._console.is_terminal:
            yield
            return
        self._status = self._console.status(text)
        try:
            with self._status:
                yield
        finally:
            self._status = None

    def watch(self, history: History, arn: str) -> Execution:
        """Show the steps of an execution until it is over, and return it."""
        shown = 0
        mark = time.perf_counter()
        with self._moving("starting"):
            while True:
                execution = history.describe(arn)
                steps = history.steps(arn)
                finished = [step for step in steps if step.status != "running"]
                for step in finished[shown:]:
                    # the machine's own time: on the laptop, engine time may have run faster meanwhile
                    self._step(step, time.perf_counter() - mark)
                    mark = time.perf_counter()
                shown = len(finished)
                if execution.is_over:
                    return execution
                if steps and steps[-1].status == "running":
                    self.now(step_text(steps[-1]))
                time.sleep(POLL_SECONDS)

    def _step(self, step: Step, seconds: float) -> None:
        mark = "[green]done[/green]" if step.status == "done" else "[red]fail[/red]"
        self.done(step_text(step), seconds, mark)
        if step.error:
            self.note(step.error)


def wait_for(find: Callable[[], Execution | None], seconds: float, what: str) -> Execution:
    """Return what `find` returns as soon as it is something.

    Ends the command when nothing appeared within `seconds`, naming `what` was awaited.
    """
    until = time.monotonic() + seconds
    while (found := find()) is None:
        if time.monotonic() > until:
            output.fail(f"{what} did not appear within {seconds:.0f} s. See `perennial logs` and `perennial status`.")
        time.sleep(POLL_SECONDS)
    return found


def first_after(
    history: History, machine: str, since: datetime, known: frozenset[str] = frozenset()
) -> Execution | None:
    """Return the oldest execution of a machine that began at or after `since` and is not `known`, or None."""
    fresh = [e for e in history.recent(machine) if e.started >= since and e.arn not in known]
    return min(fresh, key=lambda e: e.started) if fresh else None


def step_text(step: Step) -> str:
    """Return a step in a person's words, with the count of a Map's iterations."""
    text = _SAID.get(step.name, step.name)
    if step.total:
        text += f" ({step.done} of {step.total}" + (f", {step.failed} failed)" if step.failed else ")")
    return text
