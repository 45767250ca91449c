"""One execution: its thread, its status, its history, and the event at every change of status."""

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lifecycle import names
from local.api import Emit
from local.clock import Clock, Hold
from local.keeping import NOWHERE, Keep
from local.states.branch import Branch
from local.states.control import Control, Interrupted, Reason
from local.states.failures import RUNTIME, TIMEOUT, StateFailed
from local.states.history import History, HistoryFull, Trail
from local.states.interpreter import Interpreter, stamp
from local.states.steps import Done, Steps, done_part
from local.states.tasks import dumps

PART = "executions"
_KEPT = ("machine", "name", "input_text", "started", "stopped", "status", "output", "error", "cause", "redriven")
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A state machine as an execution uses it; an update makes a new one and leaves running executions alone."""

    arn: str
    name: str
    role_arn: str
    definition: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Around:
    """What every execution works with."""

    clock: Clock
    emit: Emit
    keep: Keep = NOWHERE


class Execution:
    """An execution of a machine. `input_text` is the JSON text as it was given, `redriven` how often it was resumed."""

    def __init__(
        self,
        machine: Machine,
        name: str,
        input_text: str,
        around: Around,
        started: float | None = None,
    ) -> None:
        self.machine = machine
        self.name = name
        self.arn = f"{machine.arn.replace(':stateMachine:', ':execution:')}:{name}"
        self.input_text = input_text
        self.started = around.clock.now() if started is None else started
        self.stopped: float | None = None
        self.status = "RUNNING"
        self.output: str | None = None
        self.error: str | None = None
        self.cause: str | None = None
        self.redriven = 0
        self._clock = around.clock
        self._emit = around.emit
        self._keep = around.keep
        self._lock = threading.Lock()
        limit = machine.definition.get("TimeoutSeconds")
        self._control = Control(self._clock, None if limit is None else self.started + limit)
        self.history = History(self._clock.now, self.arn, self._keep)
        self._trail = Trail(self.history)
        self._thread: threading.Thread | None = None

    @classmethod
    def kept(cls, row: Mapping[str, Any], around: Around) -> "Execution":
        """Return the execution of a row that an earlier engine kept."""
        execution = cls(row["machine"], row["name"], row["input_text"], around, row["started"])
        for name in _KEPT:
            setattr(execution, name, row[name])
        return execution

    def _keep_now(self) -> None:
        self._keep.put(PART, self.arn, {name: getattr(self, name) for name in _KEPT})

    def start(self, interpreter: Interpreter) -> None:
        """Begin to run."""
        self._keep_now()
        self._trail.add("ExecutionStarted", input=self.input_text, roleArn=self.machine.role_arn)
        self._announce()
        self._run_in_thread(interpreter)

    def resume(self, interpreter: Interpreter) -> None:
        """Go on after the last state that an earlier engine finished, as a redrive does."""
        self.redriven += 1
        self._keep_now()
        self._trail.last = len(self.history.events())
        self._trail.add("ExecutionRedriven", redriveCount=self.redriven)
        self._run_in_thread(interpreter)

    def _run_in_thread(self, interpreter: Interpreter) -> None:
        self._thread = threading.Thread(
            target=self._run, args=(interpreter, self._clock.hold()), name=self.name, daemon=True
        )
        self._thread.start()

    def abort(self, error: str | None, cause: str | None) -> float:
        """End with status ABORTED unless it is over, and return when it ended (engine time)."""
        self._end("ABORTED", error=error, cause=cause)
        self._control.end(Reason.ABORTED)
        assert self.stopped is not None
        return self.stopped

    def join(self, seconds: float) -> None:
        """Wait until the thread has ended, at most `seconds` of machine time."""
        if self._thread is not None:
            self._thread.join(seconds)

    def described(self) -> dict[str, Any]:
        """Return the members of DescribeExecution's answer."""
        answer = {**self.listed(), "input": self.input_text, "inputDetails": {"included": True}}
        if self.output is not None:
            answer |= {"output": self.output, "outputDetails": {"included": True}}
        return answer | {
            key: value for key, value in (("error", self.error), ("cause", self.cause)) if value is not None
        }

    def listed(self) -> dict[str, Any]:
        """Return the members of an item of ListExecutions."""
        item = {
            "executionArn": self.arn,
            "stateMachineArn": self.machine.arn,
            "name": self.name,
            "status": self.status,
            "startDate": datetime.fromtimestamp(self.started, UTC),
            "redriveCount": self.redriven,
        }
        return item if self.stopped is None else {**item, "stopDate": datetime.fromtimestamp(self.stopped, UTC)}

    def _run(self, interpreter: Interpreter, hold: Hold) -> None:
        try:
            output = dumps(interpreter.run(self.machine.definition, json.loads(self.input_text), self._branch(hold)))
        except StateFailed as failure:
            self._end("FAILED", error=failure.error, cause=failure.cause)
        except HistoryFull:
            cause = "The execution reached the maximum number of history events (25000)."
            self._end("FAILED", error=RUNTIME, cause=cause)
        except Interrupted as interrupted:
            timed_out = interrupted.reason is Reason.TIMED_OUT
            self._end("TIMED_OUT", error=TIMEOUT) if timed_out else self._end("ABORTED")
        except Exception as error:  # noqa: BLE001 - root of this thread: no execution may stay running for ever
            _LOG.exception("execution %s", self.arn)
            self._end("FAILED", error=RUNTIME, cause=f"the laptop engine failed: {type(error).__name__}: {error}")
        else:
            self._end("SUCCEEDED", output=output)
        finally:
            hold.release()

    def _branch(self, hold: Hold) -> Branch:
        execution = {
            "Id": self.arn,
            "Name": self.name,
            "StartTime": stamp(self.started),
            "Input": json.loads(self.input_text),
            "RoleArn": self.machine.role_arn,
        }
        machine = {"Id": self.machine.arn, "Name": self.machine.name}
        steps = Steps(Done(self.arn, self._keep))
        return Branch({"Execution": execution, "StateMachine": machine}, self._control, self._trail, hold, steps)

    def _end(self, status: str, **result: str | None) -> None:
        """Take the first end that comes: later ones find the execution over."""
        with self._lock:
            if self.stopped is not None:
                return
            self.stopped = self._clock.now()
            self.output, self.error, self.cause = (result.get(key) for key in ("output", "error", "cause"))
            self.status = status
        event = {"TIMED_OUT": "TimedOut"}.get(status, status.capitalize())
        self._trail.close(f"Execution{event}", **result)
        # told before it is kept: an engine that is killed between the two ends it, and tells it, once more
        self._announce()
        self._keep_now()
        self._keep.forget(done_part(self.arn))

    def _announce(self) -> None:
        described = self.described()
        detail = {
            **dict.fromkeys(("stopDate", "output", "outputDetails", "error", "cause")),
            **{
                key: int(value.timestamp() * 1000) if isinstance(value, datetime) else value
                for key, value in described.items()
            },
        }
        self._emit("aws.states", names.EXECUTION_CHANGED, detail, [self.arn])
