"""Templates -> everything in them that the laptop engine cannot deploy, all at once, before anything is created."""

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from local.assembly import Assembly, StackArtifact
from local.iam.statements import problems
from local.intrinsics import FUNCTIONS, PSEUDO_PARAMETERS, function_of, uses
from local.resources.catalogue import IGNORED, KINDS
from local.resources.kind import Kind

BOOTSTRAP_PARAMETER = "BootstrapVersion"
_BOOTSTRAP_TYPE = "AWS::SSM::Parameter::Value<String>"
_SECTIONS = frozenset({"Resources", "Outputs", "Parameters", "Rules", "Description", "Metadata"})
_RULE = "CheckBootstrapVersion"
_RESOURCE_KEYS = frozenset({"Type", "Properties", "DependsOn", "DeletionPolicy", "UpdateReplacePolicy", "Metadata"})
_POLICIES = frozenset({"Delete", "Retain"})


def offenders(assembly: Assembly, environment: str, exported: frozenset[str]) -> list[str]:
    """Return one line per thing that cannot be deployed: file, logical id, property path, reason.

    `environment` is the engine's `aws://ACCOUNT/REGION`; `exported` are the exports of stacks that exist already.
    """
    found: list[str] = []
    available = set(exported)
    for stack in assembly.stacks:
        own = zip(stack.environment.split("/")[2:], environment.split("/")[2:], strict=True)
        if any(place not in (here, "unknown-account", "unknown-region") for place, here in own):
            found.append(f"{stack.file}: is for {stack.environment}, the laptop engine is {environment}")
        found += [f"{stack.file}: {line}" for line in _offenders(stack.template, available)]
        available |= {name for name in _exports(stack) if name}
    return found


def _exports(stack: StackArtifact) -> Iterator[str | None]:
    for output in stack.template.get("Outputs", {}).values():
        name = output.get("Export", {}).get("Name")
        yield name if isinstance(name, str) else None


def _offenders(template: Mapping[str, Any], exported: set[str]) -> Iterator[str]:
    for section in sorted(set(template) - _SECTIONS):
        yield f"section {section} is not supported"
    for name, parameter in template.get("Parameters", {}).items():
        if name != BOOTSTRAP_PARAMETER or parameter["Type"] != _BOOTSTRAP_TYPE:
            yield f"parameter {name} is not supported; {BOOTSTRAP_PARAMETER} is the only one"
    for name in template.get("Rules", {}):
        if name != _RULE:
            yield f"rule {name} is not supported; {_RULE} is the only one"
    resources = template.get("Resources", {})
    for logical_id, resource in resources.items():
        yield from _resource(logical_id, resource, resources)
        yield from _references(logical_id, resource.get("Properties", {}), resources, exported)
    try:
        order_of(template)
    except CycleError as error:
        yield f"resources need each other: {' -> '.join(error.args[1])}"
    for key, output in template.get("Outputs", {}).items():
        yield from _references(f"output {key}", output.get("Value"), resources, exported)
        if unknown := sorted(set(output) - {"Value", "Export", "Description"}):
            yield f"output {key}: {', '.join(unknown)} is not supported"
        if not isinstance(output.get("Export", {}).get("Name", ""), str):
            yield f"output {key}: an export's name must be plain text"


def _resource(logical_id: str, resource: Mapping[str, Any], resources: Mapping[str, Any]) -> Iterator[str]:
    if resource["Type"] in IGNORED:
        return
    kind = KINDS.get(resource["Type"])
    if kind is None:
        yield f"{logical_id}: resource type {resource['Type']} is not supported"
        return
    for key in sorted(set(resource) - _RESOURCE_KEYS):
        yield f"{logical_id}: {key} is not supported"
    for key in ("DeletionPolicy", "UpdateReplacePolicy"):
        if resource.get(key, "Delete") not in _POLICIES:
            yield f"{logical_id}: {key} {resource[key]} is not supported; it must be Delete or Retain"
    for problem in _policy_problems(resource.get("Properties", {})):
        yield f"{logical_id}: {problem}"
    for target in depends_on(resource):
        if target not in resources:
            yield f"{logical_id}: DependsOn {target}: there is no such resource"
    for path in dict.fromkeys(property_paths(resource.get("Properties", {}))):
        if path and not _supported(kind, path):
            yield f"{logical_id}: {resource['Type']} property {path} is not supported"


def _policy_problems(value: Any) -> Iterator[str]:
    """Yield what the engine cannot evaluate in the policies of a resource, wherever they are among its properties."""
    if isinstance(value, dict):
        listed = value.get("Statement", ())
        for statement in listed if isinstance(listed, list) else [listed] if listed else ():
            yield from problems(statement)
        for child in value.values():
            yield from _policy_problems(child)
    elif isinstance(value, list):
        for child in value:
            yield from _policy_problems(child)


def depends_on(resource: Mapping[str, Any]) -> list[str]:
    """Return the logical ids of a resource's DependsOn."""
    named = resource.get("DependsOn", [])
    return [named] if isinstance(named, str) else list(named)


def property_paths(value: Any, prefix: str = "") -> Iterator[str]:
    """Yield the path of every value in `value`; lists leave no trace in it, intrinsic functions end it."""
    if isinstance(value, dict) and value and function_of(value) is None:
        for key, child in value.items():
            yield from property_paths(child, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(value, list) and value:
        for child in value:
            yield from property_paths(child, prefix)
    else:
        yield prefix


def _supported(kind: Kind, path: str) -> bool:
    for allowed in [*kind.properties.split(), *(["Tags.*"] if kind.tags else [])]:
        if allowed.endswith(".*"):
            if path == allowed[:-2] or path.startswith(allowed[:-1]):
                return True
        elif path == allowed or allowed.startswith(f"{path}."):
            return True
    return False


def order_of(template: Mapping[str, Any]) -> list[str]:
    """Return the logical ids in the order in which references and DependsOn want them made; ignored types left out.

    Raises
    ------
    CycleError
        when resources need each other.
    """
    resources = template.get("Resources", {})
    graph = {
        logical_id: {
            *depends_on(resource),
            *(str(use.target) for use in uses(resource.get("Properties", {})) if use.target in resources),
        }
        for logical_id, resource in resources.items()
    }
    return [
        i for i in TopologicalSorter(graph).static_order() if i in resources and resources[i]["Type"] not in IGNORED
    ]


def _references(where: str, value: Any, resources: Mapping[str, Any], exported: set[str]) -> Iterator[str]:
    for use in uses(value):
        if use.function not in FUNCTIONS:
            yield f"{where}: {use.function} is not supported; supported are {', '.join(sorted(FUNCTIONS))}"
        elif use.target in PSEUDO_PARAMETERS or (use.function == "Fn::ImportValue" and use.target is None):
            continue
        elif use.function == "Ref" and str(use.target).startswith("AWS::"):
            yield f"{where}: pseudo parameter {use.target} is not supported"
        elif use.target is not None and use.target not in resources:
            yield f"{where}: {use.function} {use.target}: there is no such resource"
        elif use.attribute is not None:
            kind = KINDS.get(resources[str(use.target)]["Type"])
            if kind is not None and use.attribute not in kind.attribute_names.split():
                yield f"{where}: {kind.type} has no supported attribute {use.attribute} (of {use.target})"
    for name in _imported(value):
        if name not in exported:
            yield f"{where}: Fn::ImportValue {name}: no stack before this one exports it"


def _imported(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(name := value.get("Fn::ImportValue"), str):
            yield name
        for child in value.values():
            yield from _imported(child)
    elif isinstance(value, list):
        for child in value:
            yield from _imported(child)
