"""A cloud assembly -> resources of the laptop engine, as `cdk deploy --all` brings them about on AWS."""

import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from lifecycle.names import STACK_CHANGED
from local import bootstrap
from local.api import ACCOUNT, ApiError, Emit, Operations
from local.assembly import AssemblyError, StackArtifact, read_assembly
from local.clock import Clock
from local.deployment import Deployment
from local.keeping import NOWHERE, Keep
from local.preflight import BOOTSTRAP_PARAMETER, offenders
from local.resource_steps import CHANGING, FAULTS, Environment, ResourceError, remove, told
from local.resources.kind import Clients
from local.set_aside import give_up, put_back
from local.stack_state import CLEANING, DELETED, Stack, StackEvent, StackResource, Stacks, moment
from local.stacks_api import StacksApi

Progress = Callable[[str, str, str], None]
"""(stack, logical id, status)"""

UNCHANGED: Final = "UNCHANGED"
_SETTLED = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"})
_DELETING = "DELETE_IN_PROGRESS"
_STACK_TYPE = "AWS::CloudFormation::Stack"


class DeploymentError(Exception):
    """A stack could not be deployed; the message names stack, logical id, type and AWS's message."""


class Deployer:
    """Deploys assemblies and answers for the stacks."""

    def __init__(self, clients: Clients, emit: Emit, clock: Clock, keep: Keep = NOWHERE) -> None:
        self._clients = clients
        self._emit = emit
        self._clock = clock
        self._stacks = Stacks(keep)

    def operations(self) -> Operations:
        """Return CloudFormation's operations on the deployed stacks, and the parameter that bootstrapping leaves."""
        return {**StacksApi(self._stacks, self._delete).operations(), ("ssm", "GetParameter"): bootstrap.get_parameter}

    def deploy(self, assembly_dir: Path, progress: Progress) -> None:
        """Deploy every stack of `assembly_dir` in order; an unchanged stack is left alone.

        Raises
        ------
        AssemblyError
            when the assembly holds anything that the engine cannot deploy; nothing has been created then.
        DeploymentError
            when a resource failed. Its stack is as it was before then, or the message names what is left; the stacks
            before it are deployed.
        """
        region = self._clients.client("s3").meta.region_name
        pseudo = {"AWS::AccountId": ACCOUNT, "AWS::Region": region, "AWS::Partition": "aws"}
        with self._stacks.lock:
            assembly = read_assembly(assembly_dir, pseudo)
            known = frozenset(self._stacks.exports())
            if found := offenders(assembly, f"aws://{ACCOUNT}/{region}", known):
                raise AssemblyError("\n".join(["the laptop engine cannot deploy this assembly:", *found]))
            bootstrap.make_buckets(self._clients.client("s3"), assembly)
            bootstrap.publish(self._clients.client("s3"), assembly, assembly_dir / ".cache")
            for artifact in assembly.stacks:
                self._deploy_stack(artifact, pseudo | {"AWS::URLSuffix": "amazonaws.com"}, progress)

    def _deploy_stack(self, artifact: StackArtifact, pseudo: Mapping[str, str], progress: Progress) -> None:
        stack = self._known(artifact.name, progress)
        same = stack is not None and (stack.template, stack.tags) == (artifact.template, artifact.tags)
        if stack is not None and same and stack.status in _SETTLED:
            progress(stack.name, stack.name, UNCHANGED)
            return
        verb = "CREATE" if stack is None else "UPDATE"
        stack = stack or self._new_stack(artifact.name, pseudo["AWS::Region"])
        _refuse_other_types(stack, artifact.template)
        # of a deployment that was killed
        (give_up if stack.status == CLEANING else put_back)(self._stacks, stack)
        self._close(stack, f"{verb}_IN_PROGRESS", "", progress)
        deployment = Deployment(
            stack, self._environment(stack, pseudo, progress), artifact.template, dict(artifact.tags)
        )
        before = dict(stack.resources)
        try:
            deployment.run()
        except ResourceError as error:
            left = self._roll_back(stack, deployment, before, str(error), progress)
            raise DeploymentError(f"{stack.name}: {error}\n{_told(stack, left)}") from error
        self._close(stack, f"{verb}_COMPLETE", _remains(deployment.left), progress)

    def _known(self, name: str, progress: Progress) -> Stack | None:
        """Return the stack of a name; one that was not created, or is being deleted, goes first, as with `cdk deploy`.

        What its templates retain stays behind and is told.
        """
        stack = self._stacks.existing(name)
        if stack is None or (stack.template and stack.status != _DELETING):
            return stack
        kept = [told(resource) for resource in stack.resources.values() if resource.retain]
        self._delete(name)
        if stack.status != DELETED:
            raise DeploymentError(f"{name} was begun before, and what is left of it does not go: {stack.reason}")
        progress(name, name, f"{f'kept of what was begun: {", ".join(kept)}; ' if kept else ''}{DELETED}")
        return None

    def _roll_back(
        self, stack: Stack, failed: Deployment, before: Mapping[str, StackResource], reason: str, progress: Progress
    ) -> list[str]:
        """Undo a deployment that failed; return what is not as it was."""
        verb = "UPDATE_ROLLBACK" if stack.template else "ROLLBACK"
        self._close(stack, f"{verb}_IN_PROGRESS", reason, progress)
        if stack.template:
            left = _undo(stack, failed.back(stack.template, stack.tags), before)
        else:
            kept = [told(resource) for resource in stack.resources.values() if resource.retain]
            left = [*kept, *self._empty(stack)]
        self._close(stack, f"{verb}_FAILED" if left else f"{verb}_COMPLETE", reason, progress)
        return left

    def _new_stack(self, name: str, region: str) -> Stack:
        arn = f"arn:aws:cloudformation:{region}:{ACCOUNT}:stack/{name}/{uuid.uuid4()}"
        stack = Stack(name=name, id=arn, created_at=moment(self._clock.now()))
        self._stacks.add(stack)
        return stack

    def _environment(self, stack: Stack, pseudo: Mapping[str, str], progress: Progress) -> Environment:
        def report(logical_id: str, physical_id: str, type_: str, status: str, reason: str) -> None:
            self._record(stack, (logical_id, physical_id, type_), status, reason)
            progress(stack.name, logical_id, status)

        own = {"AWS::StackId": stack.id, BOOTSTRAP_PARAMETER: bootstrap.VERSION}
        return Environment(
            clients=self._clients,
            stacks=self._stacks,
            refs={**pseudo, **own},
            report=report,
            now=lambda: moment(self._clock.now()),
        )

    def _record(self, stack: Stack, subject: tuple[str, str, str], status: str, reason: str) -> None:
        logical_id, physical_id, type_ = subject
        at = moment(self._clock.now())
        stack.events.append(
            StackEvent(logical_id=logical_id, physical_id=physical_id, type=type_, status=status, reason=reason, at=at)
        )

    def _close(self, stack: Stack, status: str, reason: str, progress: Progress) -> None:
        """Give the stack a status and tell everybody: its history, the caller, the event bus.

        Source of the event: CloudFormation User Guide, "Stack Status Change event detail".
        """
        stack.status, stack.reason = status, reason
        now = moment(self._clock.now())
        if status == DELETED:
            stack.deleted_at = now
        elif status.startswith("UPDATE"):
            stack.updated_at = now
        self._record(stack, (stack.name, stack.id, _STACK_TYPE), status, reason)
        progress(stack.name, stack.name, status)
        self._stacks.add(stack)
        detail: dict[str, Any] = {
            "stack-id": stack.id,
            "status-details": {"status": status, "status-reason": reason},
            "client-request-token": "",
        }
        self._emit("aws.cloudformation", STACK_CHANGED, detail, [stack.id])

    def _delete(self, name: str) -> None:
        with self._stacks.lock:
            stack = self._stacks.existing(name)
            if stack is None:
                return
            for export in stack.exports:
                if users := self._stacks.importers(export):
                    message = f"Export {export} cannot be deleted as it is in use by {', '.join(users)}"
                    raise ApiError("ValidationError", message)
            self._close(stack, _DELETING, "", _silent)
            failed = self._empty(stack)
            status = "DELETE_FAILED" if failed else DELETED
            reason = f"The following resource(s) failed to delete: [{', '.join(failed)}]." if failed else ""
            self._close(stack, status, reason, _silent)

    def _empty(self, stack: Stack) -> list[str]:
        """Delete the stack's resources, last made first; return the logical ids that could not be."""
        failed = []

        def report(logical_id: str, physical_id: str, type_: str, status: str, reason: str) -> None:
            self._record(stack, (logical_id, physical_id, type_), status, reason)

        for resource in reversed(list(stack.resources.values())):
            try:
                with self._stacks.together():
                    remove(resource, self._clients, report)
                    self._stacks.drop_resource(stack, resource.logical_id)
            except FAULTS as error:
                report(resource.logical_id, resource.id, resource.type, "DELETE_FAILED", str(error))
                failed.append(resource.logical_id)
        return failed


def _undo(stack: Stack, back: Deployment, before: Mapping[str, StackResource]) -> list[str]:
    """Run the deployment that undoes another; return what is not as it was."""
    with suppress(ResourceError):  # what it could not do is what is found to be different
        back.run()
        return back.left
    now = stack.resources
    other = [
        f"{told(now[i])}, changed"
        for i in before.keys() & now.keys()
        if (now[i].id, now[i].properties) != (before[i].id, before[i].properties) or now[i].status == CHANGING
    ]
    new = [f"{told(resource)}, new" for i, resource in now.items() if i not in before]
    gone = [f"{told(resource)}, missing" for i, resource in before.items() if i not in now]
    return [*sorted(other), *new, *gone, *back.left]


def _refuse_other_types(stack: Stack, template: Mapping[str, Any]) -> None:
    """CloudFormation changes nothing at all then: aws/aws-sam-cli issue 6786 has its words."""
    wanted = {logical_id: resource["Type"] for logical_id, resource in template["Resources"].items()}
    others = [one.logical_id for one in stack.resources.values() if wanted.get(one.logical_id, one.type) != one.type]
    if others:
        message = "Update of resource type is not permitted. The new template modifies resource type of the following"
        raise DeploymentError(f"{stack.name}: {message} resources: [{', '.join(others)}]")


def _remains(left: list[str]) -> str:
    """Return CloudFormation's reason of an update whose old resources do not all go, with their names."""
    return f"Update successful. One or more resources could not be deleted: {'; '.join(left)}" if left else ""


def _told(stack: Stack, left: list[str]) -> str:
    if left:
        return f"{stack.name} was rolled back, but not all of it; left: {'; '.join(left)}"
    return f"{stack.name} was rolled back: {'it is as it was before' if stack.template else 'nothing of it is left'}"


def _silent(_: str, __: str, ___: str) -> None:
    """Nobody follows a deletion but through the API."""
