"""Physical resources that wait until their stack is done: those that were replaced, and those that were to replace.

They stand among the stack's resources under a logical id of their own, so that they are known after a kill, too.
"""

from dataclasses import replace

from local.stack_state import Stack, StackResource, Stacks

_REPLACED, _UNWANTED = "replaced", "to be removed"


def set_aside(stacks: Stacks, stack: Stack, old: StackResource, what: str = _REPLACED) -> None:
    """Keep a resource that is about to be replaced."""
    stacks.set_resource(stack, replace(old, logical_id=f"{old.logical_id} ({old.id}, {what})"))


def put_back(stacks: Stacks, stack: Stack) -> None:
    """Let what was replaced take its place again; what took it is to be removed.

    Nothing is removed here: others may refer to it until they are changed, too.
    """
    for old in _replaced(stack):
        logical_id = own_id(old)
        new = stack.resources.get(logical_id)
        with stacks.together():
            stacks.drop_resource(stack, old.logical_id)
            stacks.set_resource(stack, replace(old, logical_id=logical_id))
            if new is not None and new.id not in ("", old.id):
                set_aside(stacks, stack, new, _UNWANTED)


def give_up(stacks: Stacks, stack: Stack) -> None:
    """Let what was replaced be removed, or kept, as the stack's template says, which replaced it."""
    for old in _replaced(stack):
        policy = stack.template["Resources"].get(own_id(old), {}).get("UpdateReplacePolicy")
        with stacks.together():
            stacks.drop_resource(stack, old.logical_id)
            given_up = replace(old, logical_id=own_id(old), retain=policy == "Retain")
            set_aside(stacks, stack, given_up, _UNWANTED)


def own_id(resource: StackResource) -> str:
    """Return the logical id that a resource had before it was set aside."""
    return resource.logical_id.partition(" (")[0]


def _replaced(stack: Stack) -> list[StackResource]:
    return [one for one in stack.resources.values() if one.logical_id.endswith(f", {_REPLACED})")]
