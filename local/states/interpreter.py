"""A checked definition and an input -> an output: the states of one execution, run one after another."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from lifecycle import names
from local.clock import Clock
from local.states import choices, paths
from local.states.allowed import MAP_CONCURRENCY, WAIT_SECONDS
from local.states.branch import Branch
from local.states.control import Interrupted
from local.states.expressions import IntrinsicFailed, resolve
from local.states.failures import (
    DATA_LIMIT,
    INTRINSIC,
    NO_CHOICE,
    RESULT_PATH,
    RUNTIME,
    Retries,
    StateFailed,
    matches,
)
from local.states.iterations import Iterations
from local.states.paths import PathMissing
from local.states.tasks import Task, Tasks, dumps


class Interpreter:
    """Runs state machines. Holds nothing of an execution."""

    def __init__(self, clock: Clock, tasks: Tasks) -> None:
        self._clock = clock
        self._tasks = tasks

    def run(self, machine: Mapping[str, Any], data: Any, branch: Branch) -> Any:
        """Return the output of the last state. Raises StateFailed, Interrupted or HistoryFull."""
        name: str | None = machine["StartAt"]
        while name is not None:
            place = branch.steps.next()
            known = branch.steps.done.recall(place)
            if known is None:
                data, name = self._state(name, machine["States"][name], data, branch)
                branch.steps.done.keep(place, (data, name))
            else:
                data, name = known
        return data

    def _state(self, name: str, state: Mapping[str, Any], data: Any, branch: Branch) -> tuple[Any, str | None]:
        """Run one state with its retries; return its output and the next state's name."""
        branch.control.check()
        kind = state["Type"]
        branch.trail.add(f"{kind}StateEntered", name=name, input=dumps(data))
        entered = stamp(self._clock.now())
        retries = Retries(state.get("Retry", ()))
        while True:
            here = {"Name": name, "EnteredTime": entered, "RetryCount": retries.count}
            inside = replace(branch, context={**branch.context, "State": here})
            try:
                output, following = self._attempt(name, state, data, inside)
                break
            except StateFailed as failure:
                if (delay := retries.delay(failure)) is not None:
                    branch.control.sleep(delay, branch.hold)
                    continue
                output, following = _caught(state, data, failure)
                break
            except Interrupted:
                if kind in ("Task", "Map", "Wait"):
                    branch.trail.add(f"{kind}StateAborted")
                raise
        branch.trail.add(f"{kind}StateExited", name=name, output=dumps(output))
        return output, following

    def _attempt(self, name: str, state: Mapping[str, Any], data: Any, branch: Branch) -> tuple[Any, str | None]:
        where = f"An error occurred while executing the state '{name}' (entered at the event id #{branch.trail.last}). "
        try:
            output, following = self._evaluate(name, state, data, branch)
        except PathMissing as missing:
            cause = f"{where}The JSONPath '{missing}' could not be found in the input '{dumps(data)}'"
            raise StateFailed(RUNTIME, cause) from missing
        except IntrinsicFailed as failed:
            raise StateFailed(INTRINSIC, f"{where}{failed}") from failed
        if len(dumps(output).encode()) > names.STATE_BYTES:
            cause = f"The state/task '{name}' returned a result with a size exceeding the maximum number of bytes"
            raise StateFailed(DATA_LIMIT, f"{cause} service limit.")
        return output, following

    def _evaluate(self, name: str, state: Mapping[str, Any], raw: Any, branch: Branch) -> tuple[Any, str | None]:
        context, following, data = branch.context, state.get("Next"), raw
        match state["Type"]:
            case "Choice":
                following = choices.choose(state["Choices"], data, context) or state.get("Default")
                if following is None:
                    raise StateFailed(NO_CHOICE, f"No choice of the state '{name}' matched and it has no Default")
            case "Fail":
                raise StateFailed(*(str(paths.read(state[path], data, context)) for path in ("ErrorPath", "CausePath")))
            case "Wait":
                until = branch.steps.done.once(
                    f"{branch.steps.place} until", lambda: self._clock.now() + _seconds(state, data, context)
                )
                branch.control.sleep(until - self._clock.now(), branch.hold)
            case "Pass":
                result = resolve(state["Parameters"], data, context) if "Parameters" in state else data
                data = _placed(state, raw, result)
            case "Task" | "Map":
                result = (
                    self._task(state, data, branch) if state["Type"] == "Task" else self._map(name, state, data, branch)
                )
                if "ResultSelector" in state:
                    result = resolve(state["ResultSelector"], result, context)
                data = _placed(state, raw, result)
        return data, following

    def _task(self, state: Mapping[str, Any], data: Any, branch: Branch) -> Any:
        payload = resolve(state["Parameters"], data, branch.context) if "Parameters" in state else data
        limit = state.get("TimeoutSeconds")
        until = None if limit is None else self._clock.now() + limit
        role = branch.context["Execution"]["RoleArn"]
        task = Task(
            resource=state["Resource"],
            payload=payload,
            role_arn=role,
            timeout_seconds=limit,
            until=until,
            control=branch.control,
            trail=branch.trail,
            done=branch.steps.done,
            place=f"{branch.steps.place} attempt {branch.context['State']['RetryCount']}",
        )
        return self._tasks.run(task)

    def _map(self, name: str, state: Mapping[str, Any], data: Any, branch: Branch) -> Any:
        items = paths.read(state.get("ItemsPath", "$"), data, branch.context)
        if not isinstance(items, list):
            raise StateFailed(RUNTIME, f'Reference path "{state.get("ItemsPath", "$")}" must point to array.')
        branch.trail.add("MapStateStarted", length=len(items))
        selector, processor = state.get("ItemSelector"), state["ItemProcessor"]

        def iterate(index: int, inside: Branch) -> Any:
            item = items[index] if selector is None else resolve(selector, data, inside.context)
            return self.run(processor, item, inside)

        iterations = Iterations(name, branch, items, iterate, self._clock)
        iterations.work(state.get("MaxConcurrency", 0) or MAP_CONCURRENCY)
        if iterations.failure is not None:
            branch.trail.add("MapStateFailed")
            raise iterations.failure
        branch.trail.add("MapStateSucceeded")
        return iterations.results


def stamp(seconds: float) -> str:
    """Return epoch seconds as the context object shows time."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _seconds(state: Mapping[str, Any], data: Any, context: Mapping[str, Any]) -> int:
    """Return how long a Wait lasts. Raises StateFailed when its path names no such number."""
    found = state["Seconds"] if "Seconds" in state else paths.read(state["SecondsPath"], data, context)
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= WAIT_SECONDS:
        cause = f"The SecondsPath parameter must be a whole number from 0 to {WAIT_SECONDS}, not {dumps(found)}."
        raise StateFailed(RUNTIME, cause)
    return found


def _placed(state: Mapping[str, Any], raw: Any, result: Any) -> Any:
    path = state.get("ResultPath", "$")
    if path is None:
        return raw
    try:
        return paths.put(path, raw, result)
    except PathMissing as error:
        raise StateFailed(RESULT_PATH, f"Unable to apply ReferencePath {path} to input {dumps(raw)}") from error


def _caught(state: Mapping[str, Any], raw: Any, failure: StateFailed) -> tuple[Any, str]:
    """Return the output and target of the first Catch that names the failure. Raises it when none does."""
    for entry in state.get("Catch", ()):
        if matches(entry["ErrorEquals"], failure):
            caught = {"Error": failure.error, "Cause": failure.cause or ""}
            return _placed(entry, raw, caught), entry["Next"]
    raise failure
