"""A definition's text -> the checked state machine, or the first thing in it that is wrong."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from local.api import ApiError
from local.states import allowed, paths
from local.states.expressions import expressions, parse

_PATH_FIELDS = ("ResultPath", "ItemsPath", "ErrorPath", "CausePath", "SecondsPath")
_TEMPLATES = ("Parameters", "ResultSelector", "ItemSelector")


def read(text: str) -> dict[str, Any]:
    """Return the definition as data. Raises ApiError InvalidDefinition, naming what is wrong and where."""
    if len(text.encode()) > allowed.DEFINITION_BYTES:
        raise _invalid("the definition is larger than 1 MB", "/")
    try:
        machine = json.loads(text)
    except ValueError as error:
        raise _invalid(f"INVALID_JSON_DESCRIPTION: {error}", "/") from error
    if not isinstance(machine, dict):
        raise _invalid("a definition is a JSON object", "/")
    _only(machine, allowed.MACHINE_FIELDS, "/")
    _positive(machine, "TimeoutSeconds", "")
    _scope(machine, "")
    return machine


def _invalid(message: str, where: str) -> ApiError:
    return ApiError("InvalidDefinition", f"Invalid State Machine Definition: '{message} at {where}'")


def _only(found: Mapping[str, Any], fields: Collection[str], where: str) -> None:
    for key in found:
        if key not in fields:
            raise _invalid(f"SCHEMA_VALIDATION_FAILED: Field {key} is not supported here ({sorted(fields)})", where)


def _positive(found: Mapping[str, Any], field: str, where: str) -> None:
    value = found.get(field, 1)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise _invalid(f"SCHEMA_VALIDATION_FAILED: {field} must be a positive integer", f"{where}/{field}")


def _scope(machine: Mapping[str, Any], where: str) -> None:
    states = machine.get("States")
    if not isinstance(states, dict) or not states:
        raise _invalid("SCHEMA_VALIDATION_FAILED: States must be an object with a state in it", f"{where}/States")
    if machine.get("StartAt") not in states:
        raise _invalid("MISSING_TRANSITION_TARGET: Missing 'StartAt' target", f"{where}/StartAt")
    reached = {machine["StartAt"]}
    for name, state in states.items():
        here = f"{where}/States/{name}"
        if len(name) > allowed.NAME_LENGTH or not isinstance(state, dict):
            raise _invalid("SCHEMA_VALIDATION_FAILED: a state has a name of 1 to 80 characters", here)
        _state(state, here)
        for target in _targets(state):
            if target not in states:
                raise _invalid(f"MISSING_TRANSITION_TARGET: Missing 'Next' target: {target}", here)
            reached.add(target)
    for name in states:
        if name not in reached:
            raise _invalid(f'MISSING_TRANSITION_TARGET: State "{name}" is not reachable.', f"{where}/States/{name}")


def _targets(state: Mapping[str, Any]) -> Iterator[str]:
    for holder in (state, *state.get("Choices", ()), *state.get("Catch", ())):
        if "Next" in holder:
            yield holder["Next"]
    if "Default" in state:
        yield state["Default"]


def _state(state: Mapping[str, Any], where: str) -> None:
    kind = str(state.get("Type"))
    if kind not in allowed.STATE_FIELDS:
        raise _invalid(f"state type {kind!r} is none of {', '.join(sorted(allowed.STATE_FIELDS))}", where)
    _only(state, allowed.STATE_FIELDS[kind], where)
    if "Next" in allowed.STATE_FIELDS[kind] and ("Next" in state) == (state.get("End") is True):
        raise _invalid("SCHEMA_VALIDATION_FAILED: exactly one of Next and End: true is needed", where)
    for field in allowed.REQUIRED.get(kind, ()):
        if field not in state:
            raise _invalid(f"SCHEMA_VALIDATION_FAILED: {kind} needs {field}", where)
    _positive(state, "Seconds", where)
    _paths(state, where)
    for retrier in state.get("Retry", ()):
        _only(retrier, allowed.RETRY_FIELDS, f"{where}/Retry")
    for catcher in state.get("Catch", ()):
        _only(catcher, allowed.CATCH_FIELDS, f"{where}/Catch")
    for field in ("Retry", "Catch"):
        _errors([entry.get("ErrorEquals") for entry in state.get(field, ())], f"{where}/{field}")
    if kind in _OF_TYPE:
        _OF_TYPE[kind](state, where)


def _paths(state: Mapping[str, Any], where: str) -> None:
    found = [(field, state[field]) for field in _PATH_FIELDS if state.get(field) is not None]
    found += [("ResultPath", entry["ResultPath"]) for entry in state.get("Catch", ()) if entry.get("ResultPath")]
    try:
        for _, path in found:
            paths.steps(path)
        for field in _TEMPLATES:
            for _, expression in expressions(state.get(field)):
                parse(expression)
    except (ValueError, TypeError, AttributeError) as error:
        raise _invalid(f"SCHEMA_VALIDATION_FAILED: {error}", where) from error


def _errors(lists: Sequence[Any], where: str) -> None:
    for at, names in enumerate(lists):
        if not isinstance(names, list) or not names:
            raise _invalid("SCHEMA_VALIDATION_FAILED: ErrorEquals must name errors", where)
        if "States.ALL" in names and (len(names) > 1 or at != len(lists) - 1):
            raise _invalid("SCHEMA_VALIDATION_FAILED: States.ALL must stand alone and last", where)


def _task(state: Mapping[str, Any], where: str) -> None:
    resource = str(state.get("Resource", ""))
    if not resource.startswith(allowed.FUNCTION_PREFIX) and resource not in allowed.SYNC_JOBS:
        known = ", ".join(allowed.SYNC_JOBS)
        raise _invalid(f"Resource {resource!r} is neither a function's ARN nor one of {known}", where)
    _positive(state, "TimeoutSeconds", where)


def _map(state: Mapping[str, Any], where: str) -> None:
    processor = state.get("ItemProcessor")
    if not isinstance(processor, dict):
        raise _invalid("SCHEMA_VALIDATION_FAILED: a Map needs an ItemProcessor", where)
    _only(processor, allowed.PROCESSOR_FIELDS, f"{where}/ItemProcessor")
    if processor.get("ProcessorConfig", {"Mode": "INLINE"}) != {"Mode": "INLINE"}:
        raise _invalid("only the INLINE mode of Map is used", f"{where}/ItemProcessor/ProcessorConfig")
    _scope(processor, f"{where}/ItemProcessor")


def _choice(state: Mapping[str, Any], where: str) -> None:
    if not state.get("Choices"):
        raise _invalid("SCHEMA_VALIDATION_FAILED: a Choice needs Choices", where)
    for rule in state["Choices"]:
        _only(rule, allowed.CHOICE_FIELDS, where)
        if set(rule) != allowed.CHOICE_FIELDS:
            raise _invalid("SCHEMA_VALIDATION_FAILED: a choice needs Variable, BooleanEquals and Next", where)
        try:
            paths.steps(rule["Variable"])
        except ValueError as error:
            raise _invalid(f"SCHEMA_VALIDATION_FAILED: {error}", where) from error


def _wait(state: Mapping[str, Any], where: str) -> None:
    if ("Seconds" in state) == ("SecondsPath" in state):
        raise _invalid("SCHEMA_VALIDATION_FAILED: a Wait needs exactly one of Seconds and SecondsPath", where)


_OF_TYPE = {"Task": _task, "Map": _map, "Choice": _choice, "Wait": _wait}
