"""The stacks as CloudFormation would remember them, shared by the deployer and the CloudFormation API."""

import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from local.keeping import NOWHERE, Keep

CLEANING = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
DELETED = "DELETE_COMPLETE"
_PART = "stacks"


@dataclass(slots=True, kw_only=True)
class StackResource:
    """A resource that exists. `properties` are resolved, `attributes` are the values of GetAtt."""

    logical_id: str
    type: str
    id: str
    name: str
    properties: dict[str, Any]
    attributes: dict[str, str]
    retain: bool
    status: str
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StackEvent:
    """One line of a stack's history."""

    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str
    at: datetime


@dataclass(slots=True, kw_only=True)
class Stack:
    """A stack; `resources` are in the order in which they were created."""

    name: str
    id: str
    created_at: datetime
    template: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    status: str = "REVIEW_IN_PROGRESS"
    reason: str = ""
    updated_at: datetime | None = None
    deleted_at: datetime | None = None
    outputs: dict[str, str] = field(default_factory=dict)
    exports: dict[str, str] = field(default_factory=dict)
    imports: set[str] = field(default_factory=set)
    resources: dict[str, StackResource] = field(default_factory=dict)
    events: list[StackEvent] = field(default_factory=list)


class Stacks:
    """All stacks, deleted ones included; `lock` is held while stacks are changed."""

    def __init__(self, keep: Keep = NOWHERE) -> None:
        self.lock = threading.RLock()
        self._keep = keep
        self._by_id: dict[str, Stack] = keep.rows(_PART)
        for stack in self._by_id.values():
            for logical_id, resource in keep.rows(stack.id).items():
                stack.resources[logical_id] = resource

    def add(self, stack: Stack) -> None:
        """Remember a new stack, or what changed in it but its resources."""
        self._by_id[stack.id] = stack
        self._keep.put(_PART, stack.id, replace(stack, resources={}))

    def set_resource(self, stack: Stack, resource: StackResource) -> None:
        """Remember a resource of a stack, or what changed in it."""
        stack.resources[resource.logical_id] = resource
        self._keep.put(stack.id, resource.logical_id, resource)

    def drop_resource(self, stack: Stack, logical_id: str) -> None:
        """Forget a resource of a stack."""
        del stack.resources[logical_id]
        self._keep.remove(stack.id, logical_id)

    def together(self) -> AbstractContextManager[None]:
        """What is done inside, the services' part included, outlives a kill as a whole or not at all."""
        return self._keep.together()

    def all(self) -> list[Stack]:
        """Return every stack, oldest first."""
        return list(self._by_id.values())

    def existing(self, name: str) -> Stack | None:
        """Return the stack called `name` (or with that id) that is not deleted."""
        return next((s for s in self.all() if name in (s.name, s.id) and s.status != DELETED), None)

    def exports(self) -> dict[str, tuple[str, Stack]]:
        """Return every export: name to value and exporting stack."""
        return {
            name: (stack.outputs[key], stack)
            for stack in self.all()
            if stack.status != DELETED
            for name, key in stack.exports.items()
            if key in stack.outputs
        }

    def importers(self, export: str) -> list[str]:
        """Return the names of the stacks that use an export."""
        return sorted(s.name for s in self.all() if s.status != DELETED and export in s.imports)


def moment(epoch_seconds: float) -> datetime:
    """Return engine time as the API's timestamp."""
    return datetime.fromtimestamp(epoch_seconds, UTC)
