"""The single steps that deployments consist of: name, read back and compare, remove, and say what went wrong where."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.intrinsics import UnresolvableError
from local.resources.catalogue import KINDS
from local.resources.comparison import differences
from local.resources.kind import Clients, Kind, Subject
from local.stack_state import StackResource, Stacks

BEGUN = "CREATE_IN_PROGRESS"
CHANGING = "UPDATE_IN_PROGRESS"
FAULTS = (ClientError, BotoCoreError, UnresolvableError, ValueError, LookupError)
Report = Callable[[str, str, str, str, str], None]
"""(logical id, physical id, type, status, reason)"""


class ResourceError(Exception):
    """A resource could not be made, changed or read back; the message names logical id, type and AWS's message."""


class NotAsAskedError(ValueError):
    """A resource reads back other than it was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What a deployment works with. `refs` are pseudo parameters and parameters of the template."""

    clients: Clients
    stacks: Stacks
    refs: Mapping[str, Any]
    report: Report
    now: Callable[[], Any]


def discard(resource: StackResource, clients: Clients) -> None:
    """Delete a resource, or what is left of one whose making did not end; nothing there is no error.

    What it belonged to may have gone before it. Without an id it was never made: both are kept at once.
    """
    if not resource.id:
        return
    kind = KINDS[resource.type]
    subject = kind.subject(clients, resource.name, resource.properties, id=resource.id)
    try:
        kind.delete(subject)
    except FAULTS:
        try:
            kind.read(subject)
        except FAULTS:
            return
        raise


def told(resource: StackResource) -> str:
    """Return a resource as people are told of it."""
    return f"{resource.logical_id} ({resource.type} {resource.id})"


def remove(resource: StackResource, clients: Clients, report: Report) -> None:
    """Delete a resource, or leave it when its DeletionPolicy says so; errors of AWS pass through."""
    logical_id, type_ = resource.logical_id, resource.type
    if resource.retain:
        report(logical_id, resource.id, type_, "DELETE_SKIPPED", "")
        return
    report(logical_id, resource.id, type_, "DELETE_IN_PROGRESS", "")
    discard(resource, clients)
    report(logical_id, resource.id, type_, "DELETE_COMPLETE", "")


@contextmanager
def naming(logical_id: str, type_: str, report: Report) -> Iterator[None]:
    """Turn what goes wrong inside into one ResourceError that says where, and report it."""
    try:
        yield
    except FAULTS as error:
        report(logical_id, "", type_, "FAILED", str(error))
        raise ResourceError(f"{logical_id} ({type_}): {error}") from error


def refuse_change(old: StackResource, kind: Kind, properties: Mapping[str, Any]) -> None:
    """Raise ValueError naming each property that cannot be changed in place, or not be taken away."""
    before = old.properties
    changed = {key for key in {*before, *properties} if before.get(key) != properties.get(key)}
    fixed = changed - set(kind.updates.split())
    wanted = {key for key in changed - fixed if key not in properties and key not in kind.defaults}
    again = "begin afresh (perennial local forget)"
    if fixed:
        raise ValueError(f"the laptop engine cannot change {', '.join(sorted(fixed))} in place; {again}")
    if wanted:
        raise ValueError(f"the laptop engine cannot take {', '.join(sorted(wanted))} away; give a value, or {again}")


def lists_of(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return what says which members may be too many, and lets all else count as changed."""
    return {name: value for name, value in properties.items() if isinstance(value, list)}


def read_back(kind: Kind, subject: Subject) -> None:
    """Compare what AWS says is there with what was asked; raise NotAsAskedError naming each difference."""
    asked = kind.spelled({name: value for name, value in subject.properties.items() if name not in kind.unread})
    if wrong := differences(asked, kind.read(subject)):
        raise NotAsAskedError(f"reads back other than asked: {'; '.join(wrong)}")


def physical_name(kind: Kind, properties: Mapping[str, Any], stack: str, logical_id: str) -> str:
    """Return the given name, or make one up as CloudFormation does: stack, logical id, twelve random characters."""
    name, longest = kind.naming
    if name in properties:
        return str(properties[name])
    room, suffix = longest - 14, uuid.uuid4().hex[:12]
    own = logical_id[: max(room - len(stack), room // 2)]
    made = f"{stack[: room - len(own)]}-{own}-{suffix}" if kind.stack_in_name else f"{logical_id[:room]}-{suffix}"
    return made.lower() if kind.type == "AWS::S3::Bucket" else made
