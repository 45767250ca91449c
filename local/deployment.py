"""One stack, one template: create, update, replace and remove resources in dependency order.

Follows CloudFormation: what a template no longer holds is removed only after everything else succeeded; DeletionPolicy
and UpdateReplacePolicy Retain keep a resource; one with a name of its own is replaced only under another; an export in
use neither goes nor changes.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from local.intrinsics import Scope, UnresolvableError, resolve
from local.preflight import order_of
from local.resource_steps import (
    BEGUN,
    CHANGING,
    FAULTS,
    Environment,
    discard,
    lists_of,
    naming,
    physical_name,
    read_back,
    refuse_change,
    remove,
    told,
)
from local.resources.catalogue import KINDS
from local.resources.kind import Kind, Subject
from local.set_aside import give_up, own_id, put_back, set_aside
from local.stack_state import CLEANING, Stack, StackResource


class Deployment:
    """Brings one stack to a template."""

    def __init__(
        self, stack: Stack, environment: Environment, template: Mapping[str, Any], tags: dict[str, str]
    ) -> None:
        self._stack = stack
        self._environment = environment
        self._template = template
        self._tags = tags
        self._unfinished: list[tuple[str, Kind, Subject]] = []
        self._imports: set[str] = set()
        self._before = dict(stack.resources)
        self.left: list[str] = []

    def run(self) -> None:
        """Create and change resources, then outputs, then remove what is no longer asked for.

        Raises
        ------
        ResourceError
            when a resource or output cannot be brought about.
        """
        for logical_id in order_of(self._template):
            resource = self._template["Resources"][logical_id]
            with naming(logical_id, resource["Type"], self._environment.report):
                self._apply(logical_id, resource)
        for logical_id, kind, subject in self._unfinished:
            with naming(logical_id, kind.type, self._environment.report):
                assert kind.finish is not None
                kind.finish(subject)
                read_back(kind, subject)
                self._finished(logical_id)
        self._settle_outputs()
        self._stack.imports = self._imports
        self._stack.template, self._stack.tags, self._stack.status = dict(self._template), self._tags, CLEANING
        self._environment.stacks.add(self._stack)
        give_up(self._environment.stacks, self._stack)
        for resource in reversed(list(self._stack.resources.values())):
            if resource.logical_id not in self._template["Resources"]:
                self._remove(resource)

    def back(self, template: Mapping[str, Any], tags: dict[str, str]) -> "Deployment":
        """Return the deployment that undoes this one, which failed; `left` names afterwards what could not be removed.

        What this one replaced is there still: it takes its place again, and what replaced it goes.
        """
        put_back(self._environment.stacks, self._stack)
        return Deployment(self._stack, self._environment, template, tags)

    def _scope(self) -> Scope:
        resources = self._stack.resources

        def attribute(logical_id: str, name: str) -> str:
            return resources[logical_id].attributes[name]

        ids = {logical_id: resource.id for logical_id, resource in resources.items()}
        return Scope({**self._environment.refs, **ids}, attribute, self._import)

    def _import(self, name: str) -> str:
        exports = self._environment.stacks.exports()
        if name not in exports:
            raise UnresolvableError(f"Fn::ImportValue {name}: no stack exports it")
        self._imports.add(name)
        return exports[name][0]

    def _apply(self, logical_id: str, resource: Mapping[str, Any]) -> None:
        kind = KINDS[resource["Type"]]
        properties = self._with_tags(kind, resolve(resource.get("Properties", {}), self._scope()))
        retain = resource.get("DeletionPolicy") == "Retain"
        old = self._before.get(logical_id)
        if old is not None and old.status == BEGUN:
            discard(old, self._environment.clients)
            old = None
        if old is None or old.type != kind.type:
            self._create(logical_id, kind, properties, retain)
        elif old.properties != properties or old.status == CHANGING:
            changed = {key for key in {*old.properties, *properties} if old.properties.get(key) != properties.get(key)}
            if changed and (kind.replaces == "*" or changed & set(kind.replaces.split())):
                self._replace(old, kind, properties, retain)
            else:
                self._update(old, kind, properties, retain)
        elif old.retain != retain:
            self._environment.stacks.set_resource(self._stack, replace(old, retain=retain))

    def _with_tags(self, kind: Kind, properties: dict[str, Any]) -> dict[str, Any]:
        """Return the properties with tags as one mapping, the stack's own included."""
        if not kind.tags:
            return properties
        own = properties.get("Tags", {})
        if isinstance(own, list):
            own = {tag["Key"]: tag["Value"] for tag in own}
        return {**properties, "Tags": {**self._tags, **own}}

    def _create(self, logical_id: str, kind: Kind, properties: dict[str, Any], retain: bool) -> None:
        self._environment.report(logical_id, "", kind.type, "CREATE_IN_PROGRESS", "")
        name = physical_name(kind, properties, self._stack.name, logical_id)
        begun = StackResource(
            logical_id=logical_id,
            type=kind.type,
            id="",
            name=name,
            properties=properties,
            attributes={},
            retain=retain,
            status=BEGUN,
            changed_at=self._environment.now(),
        )
        subject = self._made(begun, kind)
        kind.configure(subject)
        made = replace(begun, id=subject.id, attributes=dict(kind.attributes(subject)))
        self._environment.stacks.set_resource(self._stack, made)
        self._complete(logical_id, kind, subject)
        if kind.finish is None:
            self._finished(logical_id)
        self._environment.report(logical_id, subject.id, kind.type, "CREATE_COMPLETE", "")

    def _made(self, begun: StackResource, kind: Kind) -> Subject:
        """Make a resource that is known before it is there: after a kill somebody finds what may be left of it."""
        stacks = self._environment.stacks
        before = self._stack.resources.get(begun.logical_id)
        stacks.set_resource(self._stack, begun)
        subject = kind.subject(self._environment.clients, begun.name, begun.properties)
        try:
            with stacks.together():
                subject = replace(subject, id=kind.create(subject))
                stacks.set_resource(self._stack, replace(begun, id=subject.id))
        except FAULTS:
            # not made, and what has its name may be somebody else's
            if before is None:
                stacks.drop_resource(self._stack, begun.logical_id)
            else:
                stacks.set_resource(self._stack, before)
            raise
        return subject

    def _finished(self, logical_id: str) -> None:
        resource = self._stack.resources[logical_id]
        ended = {BEGUN: "CREATE_COMPLETE", CHANGING: "UPDATE_COMPLETE"}[resource.status]
        self._environment.stacks.set_resource(self._stack, replace(resource, status=ended))

    def _complete(self, logical_id: str, kind: Kind, subject: Subject) -> None:
        if kind.finish is None:
            read_back(kind, subject)
        else:
            self._unfinished.append((logical_id, kind, subject))

    def _replace(self, old: StackResource, kind: Kind, properties: dict[str, Any], retain: bool) -> None:
        if kind.naming[0] in properties and properties[kind.naming[0]] == old.properties.get(kind.naming[0]):
            raise ValueError(
                f"{kind.type} {old.id} has a name of its own and must be replaced, which CloudFormation refuses; "
                "change its name, or delete the stack first"
            )
        set_aside(self._environment.stacks, self._stack, old)
        self._create(old.logical_id, kind, properties, retain)

    def _update(self, old: StackResource, kind: Kind, properties: dict[str, Any], retain: bool) -> None:
        refuse_change(old, kind, properties)
        self._environment.report(old.logical_id, old.id, kind.type, "UPDATE_IN_PROGRESS", "")
        before = {**{k: kind.defaults[k] for k in properties if k in kind.defaults}, **old.properties}
        before = lists_of(old.properties) if old.status == CHANGING else before
        after = {**{k: kind.defaults[k] for k in old.properties if k in kind.defaults}, **properties}
        subject = kind.subject(self._environment.clients, old.name, after, id=old.id, previous=before)
        stacks, now = self._environment.stacks, self._environment.now()
        changed = replace(old, properties=properties, retain=retain, status=CHANGING, changed_at=now)
        with stacks.together():
            # before the change, which may fail half-way: whoever undoes it must know what to undo
            stacks.set_resource(self._stack, changed)
            kind.update(subject)
        stacks.set_resource(self._stack, replace(changed, attributes=dict(kind.attributes(subject))))
        self._complete(old.logical_id, kind, subject)
        if kind.finish is None:
            self._finished(old.logical_id)
        self._environment.report(old.logical_id, old.id, kind.type, "UPDATE_COMPLETE", "")

    def _settle_outputs(self) -> None:
        """Work out outputs and exports; refuse to take away or change an export that another stack imports."""
        outputs, exports = {}, {}
        for key, output in self._template.get("Outputs", {}).items():
            with naming(f"output {key}", "Output", self._environment.report):
                outputs[key] = str(resolve(output["Value"], self._scope()))
                if "Export" in output:
                    self._check_export(output["Export"]["Name"], outputs[key])
                    exports[output["Export"]["Name"]] = key
        for name in set(self._stack.exports) - set(exports):
            with naming(f"export {name}", "Output", self._environment.report):
                self._check_export(name, None)
        self._stack.outputs, self._stack.exports = outputs, exports

    def _check_export(self, name: str, value: str | None) -> None:
        known = self._environment.stacks.exports().get(name)
        if known is None:
            return
        if known[1].id != self._stack.id:
            raise ValueError(f"Export with name {name} is already exported by stack {known[1].name}")
        if known[0] != value and (users := self._environment.stacks.importers(name)):
            verb = "deleted" if value is None else "updated"
            raise ValueError(f"Export {name} cannot be {verb} as it is in use by {', '.join(users)}")

    def _remove(self, resource: StackResource) -> None:
        """Clean up after success: a resource that cannot be deleted is reported and forgotten, as on AWS."""
        stacks = self._environment.stacks
        key, resource = resource.logical_id, replace(resource, logical_id=own_id(resource))
        try:
            with stacks.together():
                stacks.drop_resource(self._stack, key)
                remove(resource, self._environment.clients, self._environment.report)
        except FAULTS as error:
            self.left.append(told(resource))
            self._environment.report(resource.logical_id, resource.id, resource.type, "DELETE_FAILED", str(error))
