"""Templates of a cloud assembly -> what they use: types, properties, functions, states, event patterns, alarm forms."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from local.intrinsics import function_of, uses
from local.preflight import property_paths
from local.resources.catalogue import IGNORED, KINDS

Uses = dict[str, dict[str, set[str]]]
"""Section -> what is used -> what of it (properties, fields, forms)."""

ALARM_FORM = ("Statistic", "ComparisonOperator", "TreatMissingData")
_STATE_CALL = re.compile(r"\bStates\.[A-Z]\w+(?=\()")
_FUNCTION = "a function's ARN"


def uses_of(templates: Iterable[Mapping[str, Any]]) -> Uses:
    """Return what `templates` use, by section of docs/engine.md."""
    found: Uses = defaultdict(lambda: defaultdict(set))
    for template in templates:
        for resource in (r for r in template["Resources"].values() if r["Type"] not in IGNORED):
            _resource(resource, template["Resources"], found)
        for output in template.get("Outputs", {}).values():
            _functions(output.get("Value"), template["Resources"], found)
    return found


def _resource(resource: Mapping[str, Any], resources: Mapping[str, Any], found: Uses) -> None:
    kind, properties = resource["Type"], resource.get("Properties", {})
    open_below = [path[:-2] for path in KINDS[kind].properties.split() if path.endswith(".*")] if kind in KINDS else []
    named = found["resources"][kind]
    for path in property_paths(properties):
        whole = next((name for name in [*open_below, "Tags"] if path == name or path.startswith(f"{name}.")), None)
        if path:
            named.add(path if whole is None else whole)
    _functions(properties, resources, found)
    if kind == "AWS::StepFunctions::StateMachine":
        _machine(json.loads(_text(properties["DefinitionString"])), found["states"])
    elif kind == "AWS::Events::Rule":
        _rule(properties, found)
    elif kind == "AWS::CloudWatch::Alarm":
        found["alarms"][", ".join(str(properties.get(name)) for name in ALARM_FORM)].add(_window(properties))


def _functions(value: Any, resources: Mapping[str, Any], found: Uses) -> None:
    for use in uses(value):
        if use.function == "Fn::GetAtt" and use.target in resources:
            found["attributes"][resources[str(use.target)]["Type"]].add(str(use.attribute))
        pseudo = use.target if str(use.target).startswith("AWS::") else None
        found["functions"][use.function] |= {str(pseudo)} if pseudo else set()


def _text(value: Any) -> str:
    """Return a text with everything that is not known yet in angle brackets."""
    if function_of(value) == "Fn::Join":
        return "".join(_text(part) for part in value["Fn::Join"][1])
    return value if isinstance(value, str) else "<unknown>"


def _machine(machine: Mapping[str, Any], states: dict[str, set[str]]) -> None:
    states["machine"] |= set(machine)
    _states(machine, states)


def _states(scope: Mapping[str, Any], states: dict[str, set[str]]) -> None:
    for state in scope["States"].values():
        states[state["Type"]] |= set(state)
        for part, title in (("Retry", "retrier"), ("Catch", "catcher"), ("Choices", "choice")):
            for entry in state.get(part, ()):
                states[title] |= set(entry)
        if "Resource" in state:
            resource = state["Resource"]
            states["resource"].add(resource if resource.startswith("arn:aws:states:::") else _FUNCTION)
        if "ItemProcessor" in state:
            states["processor"] |= set(state["ItemProcessor"])
            _states(state["ItemProcessor"], states)
        states["function"] |= set(_STATE_CALL.findall(json.dumps(state)))


def _window(alarm: Mapping[str, Any]) -> str:
    points = alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"])
    return f"{points} of {alarm['EvaluationPeriods']} x {alarm['Period']} s"


def _rule(rule: Mapping[str, Any], found: Uses) -> None:
    if pattern := rule.get("EventPattern"):
        title = f"{', '.join(pattern['source'])}: {', '.join(pattern['detail-type'])}"
        found["patterns"][title] |= set(_matched(pattern.get("detail", {}), "detail"))
        found["patterns"][title] |= set(pattern) - {"source", "detail-type", "detail"}
    if schedule := rule.get("ScheduleExpression"):
        found["patterns"][re.sub(r"\d+", "n", _text(schedule))] |= set()


def _matched(pattern: Any, where: str) -> Iterator[str]:
    """Yield the fields that a pattern looks at, with how it does where it is not by equality."""
    if isinstance(pattern, dict) and function_of(pattern) is None:
        for key, value in pattern.items():
            yield from _matched(value, f"{where}.{key}")
        return
    how = {next(iter(item)) for item in pattern if isinstance(item, dict) and function_of(item) is None}
    yield from {f"{where} ({name})" for name in how} or {where}
