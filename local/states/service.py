"""The Step Functions API: state machines and executions by name and ARN."""

import json
import re
import threading
import uuid
from collections.abc import MutableMapping, Sequence
from datetime import UTC, datetime
from typing import Any

from lifecycle import names
from local.api import ACCOUNT, ApiError, Caller, Clients, Emit, Operation
from local.clock import Clock
from local.keeping import NOWHERE, Keep, kept
from local.states import definition
from local.states.allowed import NAME_KEPT_SECONDS, NAME_LENGTH
from local.states.executions import PART, Around, Execution, Machine
from local.states.interpreter import Interpreter
from local.states.pages import page
from local.states.tasks import Finished, Tasks

_BAD_NAME = re.compile(r'[\s<>{}\[\]?*"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]')
_KEPT = ("loggingConfiguration", "tracingConfiguration", "encryptionConfiguration")


class StateMachines:
    """State machines, and executions that run in threads of the engine."""

    def __init__(
        self,
        clients: Clients,
        clock: Clock,
        emit: Emit,
        finished: Finished,
        region: str = "us-east-1",
        keep: Keep = NOWHERE,
    ) -> None:
        self._clock = clock
        self._region = region
        self._around = Around(clock, emit, keep)
        self._tasks = Tasks(clients, finished)
        self._interpreter = Interpreter(clock, self._tasks)
        self._lock = threading.RLock()
        self._machines: MutableMapping[str, dict[str, Any]] = kept(keep, "state machines")
        self._tags: MutableMapping[str, dict[str, str]] = kept(keep, "state machines' tags")
        rows = keep.rows(PART).items()
        self._executions = {arn: Execution.kept(row, self._around) for arn, row in rows}

    def operations(self) -> dict[tuple[str, str], Operation]:
        """Return what the gateway routes here."""
        found = {
            "CreateStateMachine": self.create,
            "UpdateStateMachine": self.update,
            "DescribeStateMachine": self.describe,
            "DeleteStateMachine": self.delete,
            "ListStateMachines": self.list,
            "ListTagsForResource": self.list_tags,
            "StartExecution": self.start_execution,
            "StopExecution": self.stop_execution,
            "DescribeExecution": self.describe_execution,
            "ListExecutions": self.list_executions,
            "GetExecutionHistory": self.history,
        }
        return {("states", name): operation for name, operation in found.items()}

    def tagged(self) -> dict[str, dict[str, str]]:
        """Return the tags of every state machine by ARN."""
        with self._lock:
            return {arn: dict(tags) for arn, tags in self._tags.items() if tags}

    def resume(self) -> None:
        """Go on with the executions that an earlier engine had not ended."""
        for execution in list(self._executions.values()):
            if execution.status == "RUNNING":
                execution.resume(self._interpreter)

    def close(self) -> None:
        """Abort everything that runs; the engine ends."""
        for execution in list(self._executions.values()):
            if execution.status == "RUNNING":
                execution.abort("Engine.Stopped", "the laptop engine was stopped")
        for execution in list(self._executions.values()):
            execution.join(2)
        self._tasks.close()

    def create(self, given: dict[str, Any], _: Caller) -> dict[str, Any]:
        """CreateStateMachine: asking twice for the same machine is asking once."""
        name = _checked_name(given["name"])
        if given.get("type", "STANDARD") != "STANDARD":
            raise ApiError("StateMachineTypeNotSupported", "only STANDARD state machines are used")
        machine = Machine(
            arn=f"arn:aws:states:{self._region}:{ACCOUNT}:stateMachine:{name}",
            name=name,
            role_arn=given["roleArn"],
            definition=definition.read(given["definition"]),
        )
        with self._lock:
            known = self._machines.get(machine.arn)
            if known is None:
                more = {key: given[key] for key in _KEPT if key in given}
                self._machines[machine.arn] = {
                    **more,
                    "machine": machine,
                    "definition": given["definition"],
                    "creationDate": self._now(),
                    "revisionId": str(uuid.uuid4()),
                }
                self._tags[machine.arn] = {tag["key"]: tag["value"] for tag in given.get("tags", [])}
            elif known["definition"] != given["definition"] or known["machine"].role_arn != machine.role_arn:
                raise ApiError("StateMachineAlreadyExists", f"State Machine Already Exists: '{machine.arn}'")
            created = self._machines[machine.arn]["creationDate"]
        return {"stateMachineArn": machine.arn, "creationDate": created}

    def update(self, given: dict[str, Any], _: Caller) -> dict[str, Any]:
        """UpdateStateMachine: running executions keep the definition that they began with."""
        with self._lock:
            known = self._known(given["stateMachineArn"])
            text = given.get("definition", known["definition"])
            before: Machine = known["machine"]
            known["machine"] = Machine(
                arn=before.arn,
                name=before.name,
                role_arn=given.get("roleArn", before.role_arn),
                definition=definition.read(text),
            )
            known |= {key: given[key] for key in _KEPT if key in given}
            known |= {"definition": text, "revisionId": str(uuid.uuid4())}
            self._machines[before.arn] = known
            return {"updateDate": self._now(), "revisionId": known["revisionId"]}

    def describe(self, given: dict[str, Any], _: Caller) -> dict[str, Any]:
        """DescribeStateMachine."""
        known = self._known(given["stateMachineArn"])
        answer = {key: value for key, value in known.items() if key != "machine"}
        return {**answer, **_listed(known), "status": "ACTIVE", "roleArn": known["machine"].role_arn}

    def delete(self, given: dict[str, Any], _: Caller) -> dict[str, Any]:
        """DeleteStateMachine: its executions are stopped; one that does not exist is no error."""
        arn = given["stateMachineArn"]
        with self._lock:
            self._machines.pop(arn, None)
            self._tags.pop(arn, None)
            running = [execution for execution in self._of(arn) if execution.status == "RUNNING"]
        for execution in running:
            execution.abort(None, None)
        return {}

    def list(self, given: dict[str, Any], _: Caller) -> dict[str, Any]:
        """ListStateMachines."""
        with self._lock:
            found = [_listed(known) for known in self._machines.values()]
        items, token = page(sorted(found, key=lambda item: str(item["name"])), given)
        return {"stateMachines": items, **token}

    def list_tags(self, given: dict[str, Any], _: Caller) -> dict[str, Any]:
        """ListTagsForResource."""
        self._known(given["resourceArn"])
        return {"tags": [{"key": key, "value": value} for key, value in self._tags[given["resourceArn"]].items()]}

    def start_execution(self, given: dict[str, Any], _: Caller) -> dict[str, Any]:
        """StartExecution: a name and its input are one execution while it runs; a name is free again after 90 days."""
        text = given.get("input", "{}")
        _check_input(text)
        name = _checked_name(given.get("name") or str(uuid.uuid4()))
        with self._lock:
            machine: Machine = self._known(given["stateMachineArn"])["machine"]
            execution = Execution(machine, name, text, self._around)
            known = self._executions.get(execution.arn)
            if known is not None and (known.stopped is None or self._clock.now() - known.stopped < NAME_KEPT_SECONDS):
                if known.status != "RUNNING" or known.input_text != text:
                    raise ApiError("ExecutionAlreadyExists", f"Execution Already Exists: '{known.arn}'")
                execution = known
            else:
                self._executions[execution.arn] = execution
                execution.start(self._interpreter)
        return {"executionArn": execution.arn, "startDate": datetime.fromtimestamp(execution.started, UTC)}

    def stop_execution(self, given: dict[str, Any], _: Caller) -> dict[str, Any]:
        """StopExecution; one that is over stays as it ended."""
        ended = self._execution(given["executionArn"]).abort(given.get("error"), given.get("cause"))
        return {"stopDate": datetime.fromtimestamp(ended, UTC)}

    def describe_execution(self, given: dict[str, Any], _: Caller) -> dict[str, Any]:
        """DescribeExecution."""
        return self._execution(given["executionArn"]).described()

    def list_executions(self, given: dict[str, Any], _: Caller) -> dict[str, Any]:
        """ListExecutions, the newest first."""
        self._known(given["stateMachineArn"])
        wanted = given.get("statusFilter")
        found = [one for one in self._of(given["stateMachineArn"]) if wanted in (None, one.status)]
        found.sort(key=lambda execution: execution.started, reverse=True)
        items, token = page([execution.listed() for execution in found], given)
        return {"executions": items, **token}

    def history(self, given: dict[str, Any], _: Caller) -> dict[str, Any]:
        """GetExecutionHistory."""
        events = self._execution(given["executionArn"]).history.events()
        if given.get("reverseOrder"):
            events.reverse()
        items, token = page(events, given, most=1000)
        return {"events": items, **token}

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)

    def _known(self, arn: str) -> dict[str, Any]:
        if arn not in self._machines:
            raise ApiError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
        return self._machines[arn]

    def _execution(self, arn: str) -> Execution:
        if arn not in self._executions:
            raise ApiError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
        return self._executions[arn]

    def _of(self, machine_arn: str) -> Sequence[Execution]:
        return [execution for execution in list(self._executions.values()) if execution.machine.arn == machine_arn]


def _listed(known: dict[str, Any]) -> dict[str, Any]:
    machine: Machine = known["machine"]
    return {
        "stateMachineArn": machine.arn,
        "name": machine.name,
        "type": "STANDARD",
        "creationDate": known["creationDate"],
    }


def _checked_name(name: str) -> str:
    if not 1 <= len(name) <= NAME_LENGTH or _BAD_NAME.search(name):
        raise ApiError("InvalidName", f"Invalid Name: '{name}' (1 to 80 characters, no spaces or brackets)")
    return name


def _check_input(text: str) -> None:
    if len(text.encode()) > names.STATE_BYTES:
        raise ApiError("InvalidExecutionInput", "Invalid State Machine Execution Input: larger than 262144 bytes")
    try:
        json.loads(text)
    except ValueError as error:
        raise ApiError("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'") from error
