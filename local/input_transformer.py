"""A target's InputTransformer + an event -> the text that the target gets.

Source of the rules: EventBridge user guide, "Amazon EventBridge input transformation".
"""

import json
import re
from collections.abc import Mapping
from typing import Any

_STEP = re.compile(r"\.([\w-]+)|\[(\d+)\]|\['([^']*)'\]")
_PLACEHOLDER = re.compile(r"<([\w.-]+)>")
_ABSENT = object()


def target_input(target: Mapping[str, Any], event: Mapping[str, Any], rule: tuple[str, str]) -> str:
    """Return what `target` is sent for `event`; `rule` is the rule's name and ARN."""
    if "Input" in target:
        return str(target["Input"])
    transformer = target.get("InputTransformer")
    return render(transformer, event, rule) if transformer else json.dumps(event)


def render(transformer: Mapping[str, Any], event: Mapping[str, Any], rule: tuple[str, str]) -> str:
    """Fill the placeholders of an input template.

    Outside quotes a placeholder becomes a JSON value; inside quotes its bare text, escaped, so that the result stays
    JSON. A path that leads nowhere leaves an empty text.
    """
    values: dict[str, Any] = {name: at_path(event, path) for name, path in transformer.get("InputPathsMap", {}).items()}
    values |= {
        "aws.events.rule-name": rule[0],
        "aws.events.rule-arn": rule[1],
        "aws.events.event.ingestion-time": event["time"],
        "aws.events.event.json": event,
        "aws.events.event": {name: part for name, part in event.items() if name != "detail"},
    }
    template: str = transformer["InputTemplate"]
    rendered, quoted, position = [], False, 0
    for match in _PLACEHOLDER.finditer(template):
        between = template[position : match.start()]
        quoted ^= between.replace('\\"', "").count('"') % 2 == 1
        name = match[1]
        rendered += [between, _filled(values[name], quoted) if name in values else match[0]]
        position = match.end()
    return "".join(rendered) + template[position:]


def _filled(value: Any, quoted: bool) -> str:
    value = _plain(value)
    if not quoted:
        return json.dumps("" if value is None else value)
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
    return json.dumps(text)[1:-1]


def _plain(value: Any) -> Any:
    return None if value is _ABSENT else value


def at_path(event: Any, path: str) -> Any:
    """Return the value at `path` (`$.detail.bucket.name`, `$.resources[0]`), or a marker when there is none."""
    value = event
    for name, index, quoted_name in _STEP.findall(path):
        try:
            value = value[int(index)] if index else value[name or quoted_name]
        except (KeyError, IndexError, TypeError):
            return _ABSENT
    return value
