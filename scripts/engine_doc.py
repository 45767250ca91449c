"""Records of runs and synthesized templates -> local/closed_set.json and docs/engine.md.

    python -m scripts.engine_doc [--records DIR [--add]]

With --records the calls and events are those that the files in DIR hold (`make engine-doc` makes them), with --add
besides those known already; without, those of local/closed_set.json stay. What templates use is read from a synthesis
of the models of the tests, each time.
"""

import argparse
import itertools
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import botocore.session

from local.closed_set import FILE, LOOKING
from local.engine import Engine
from local.options import Options
from local.service_models import BOTOCORE_NAMES
from scripts.template_uses import uses_of
from stacks.project import Project
from stacks.synthesis import synthesize

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "engine.md"
MODELS = ROOT / "tests" / "infrastructure" / "fixtures"
STAGES = ("dev", "prod")

BY_HAND = ({"call": ["sagemaker", "StopProcessingJob"], "caller": "engine", "parameter": "ProcessingJobName"},)
"""What no test asks for: an execution that is stopped just while its evaluation runs stops the job."""

HEAD = """# What the laptop engine plays

Written by `make engine-doc` from a full run of the product and from its templates: what the product calls, with the
parameters it uses, and what its stacks hold. The engine answers nothing else: a call, a parameter, a resource type, a
property, a state or an intrinsic function that is not on this page is refused by name (`local/closed_set.py`,
`local/preflight.py`, `local/states/allowed.py`), and a test fails when the engine has something that is not on it.
"""


def lines_of(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was recorded before, as lines of a record."""
    for service, operations in content["calls"].items():
        for name, call in operations.items():
            for caller, parameter in itertools.product(call["callers"], call["parameters"] or [""]):
                yield json.dumps({"call": [service, name], "caller": caller, "parameter": parameter})
    for title, event in content["events"].items():
        source, _, kind = title.partition(": ")
        told = {"source": source, "detail-type": kind, "detail": event["detail"]}
        yield json.dumps({"event": told, "matched": event["taken"]})


def recorded(lines: Iterable[str]) -> dict[str, Any]:
    """Return calls and events of the lines of records."""
    calls: dict[str, dict[str, dict[str, set[str]]]] = {}
    events: dict[str, dict[str, Any]] = {}
    for line in lines:
        found = json.loads(line)
        if "call" in found:
            service, operation = found["call"]
            known = calls.setdefault(service, {}).setdefault(operation, {"callers": set(), "parameters": set()})
            known["callers"].add(found["caller"])
            known["parameters"] |= {found["parameter"]} - {""}
        elif "event" in found:
            event = found["event"]
            title = f"{event['source']}: {event['detail-type']}"
            told = events.setdefault(title, {"detail": set(), "taken": False})
            told["detail"] |= set(event["detail"])
            told["taken"] |= found["matched"]
    return {"calls": calls, "events": events}


def with_pages(calls: Mapping[str, Any]) -> None:
    """Add what asks for the next page of an answer: the tests' tables and buckets are too small to have one."""
    session = botocore.session.get_session()
    for service, operations in calls.items():
        model = session.get_paginator_model(BOTOCORE_NAMES.get(service, service))
        for name, call in operations.items():
            with suppress(ValueError):  # has no pages
                tokens = model.get_paginator(name)["input_token"]
                call["parameters"] |= {tokens} if isinstance(tokens, str) else set(tokens)


def templates_of(home: Path, stages: Iterable[str] = STAGES) -> list[dict[str, Any]]:
    """Return the templates of the models of `home`, for each stage."""
    found = []
    for stage in stages:
        with tempfile.TemporaryDirectory() as folder:
            synthesize(Project(code=ROOT, home=home), stage=stage, outdir=Path(folder))
            found += [json.loads(file.read_bytes()) for file in sorted(Path(folder).glob("*.template.json"))]
    return found


def own_operations() -> dict[str, list[str]]:
    """Return the operations that the engine answers itself, by service."""
    with tempfile.TemporaryDirectory() as folder:
        manifest = Path(folder) / "manifest.json"
        manifest.write_text(json.dumps({"version": "55.0.0", "artifacts": {}}))
        with Engine(Path(folder), Options(any_call=True)) as engine:
            own = sorted(engine.dispatch.own)
    return {service: [name for of, name in own if of == service] for service in sorted({of for of, _ in own})}


def plain(value: Any) -> Any:
    """Return `value` with its sets as sorted lists and its mappings sorted."""
    if isinstance(value, Mapping):
        return {key: plain(value[key]) for key in sorted(value)}
    return sorted(value) if isinstance(value, set | frozenset) else value


def document(content: Mapping[str, Any]) -> str:
    """Return docs/engine.md of what local/closed_set.json holds."""
    return "\n".join([HEAD, *_templates(content["templates"]), *_events(content["events"]), *_calls(content)]) + "\n"


def _templates(uses: Mapping[str, Any]) -> Iterator[str]:
    yield "## Templates\n\n| resource type | properties (`X` with everything below it) | attributes |\n|---|---|---|"
    for kind, names in uses["resources"].items():
        yield f"| {kind} | {_code(names)} | {_code(uses['attributes'].get(kind, []))} |"
    for title, section, what in (
        ("Functions of templates", "functions", "pseudo parameters"),
        ("State machines", "states", "fields"),
        ("Rules: event patterns and schedules", "patterns", "what a pattern looks at"),
        ("Alarms: statistic, comparison, missing data", "alarms", "data points of periods"),
    ):
        yield f"\n## {title}\n\n| | {what} |\n|---|---|"
        yield from (f"| {name} | {_code(values)} |" for name, values in uses[section].items())


def _events(events: Mapping[str, Any]) -> Iterator[str]:
    yield "\n## Events\n\n| event | detail | taken by a rule |\n|---|---|---|"
    for title, event in events.items():
        yield f"| {title} | {_code(event['detail'])} | {'yes' if event['taken'] else 'no'} |"


def _calls(content: Mapping[str, Any]) -> Iterator[str]:
    yield "\n## Operations\n"
    yield "Callers: `role` is a function, state machine, job or delivery stream; `operator` is the command line;"
    yield "`engine` is the laptop engine doing what AWS does inside (deploying, delivering, polling)."
    for service, operations in content["calls"].items():
        own = content["own"].get(service, [])
        yield f"\n### {service}\n\n| operation | callers | answered by | parameters |\n|---|---|---|---|"
        for name, call in operations.items():
            by = "engine" if name in own else "moto"
            yield f"| {name} | {', '.join(call['callers'])} | {by} | {_code(call['parameters'])} |"
    yield "\n### What people may look with besides\n\n| service | operations |\n|---|---|"
    yield from (f"| {service} | {_code(sorted(names))} |" for service, names in sorted(LOOKING.items()))


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description="Write local/closed_set.json and docs/engine.md.")
    parser.add_argument("--records", type=Path, metavar="DIR", help="what runs wrote (PERENNIAL_RECORD)")
    parser.add_argument("--add", action="store_true", help="keep what was recorded before")
    given = parser.parse_args()
    files = sorted(given.records.glob("*.jsonl")) if given.records else []
    lines = [line for file in files for line in file.read_text().splitlines()]
    if given.add or not given.records:
        lines += lines_of(json.loads(FILE.read_bytes()))
    content = recorded([*lines, *map(json.dumps, BY_HAND)])
    with_pages(content["calls"])
    content |= {"templates": uses_of(templates_of(MODELS)), "own": own_operations()}
    written = plain(content)
    FILE.write_text(json.dumps(written, indent=1) + "\n")
    DOCUMENT.write_text(document(written))


if __name__ == "__main__":
    main()
