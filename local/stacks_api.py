"""CloudFormation's read operations and DeleteStack, over the stacks that the deployer keeps."""

import json
from collections.abc import Callable
from typing import Any

from local import cdk_command_line
from local.api import ApiError, Caller, Operations
from local.stack_state import Stack, StackEvent, StackResource, Stacks

SERVICE = "cloudformation"


class StacksApi:
    """Answers what a CloudFormation client asks; `delete` deletes a stack by name."""

    def __init__(self, stacks: Stacks, delete: Callable[[str], None]) -> None:
        self._stacks = stacks
        self._delete = delete

    def operations(self) -> Operations:
        """Return the operations by (service, operation)."""
        return {
            (SERVICE, "DescribeStacks"): self._describe_stacks,
            (SERVICE, "ListStackResources"): self._list_stack_resources,
            (SERVICE, "DescribeStackEvents"): self._describe_stack_events,
            (SERVICE, "GetTemplate"): self._get_template,
            (SERVICE, "DeleteStack"): self._delete_stack,
            **cdk_command_line.operations(),
        }

    def _stack(self, name: str) -> Stack:
        # a deleted stack is found by its id only
        by_id = next((s for s in self._stacks.all() if s.id == name), None)
        stack = self._stacks.existing(name) or by_id
        if stack is None:
            raise ApiError("ValidationError", f"Stack with id {name} does not exist")
        return stack

    def _describe_stacks(self, parameters: dict[str, Any], _: Caller) -> dict[str, Any]:
        if "StackName" in parameters:
            return {"Stacks": [_described(self._stack(parameters["StackName"]))]}
        return {"Stacks": [_described(s) for s in self._stacks.all() if self._stacks.existing(s.id)]}

    def _list_stack_resources(self, parameters: dict[str, Any], _: Caller) -> dict[str, Any]:
        stack = self._stack(parameters["StackName"])
        return {"StackResourceSummaries": [_resource(r) for r in stack.resources.values()]}

    def _describe_stack_events(self, parameters: dict[str, Any], _: Caller) -> dict[str, Any]:
        stack = self._stack(parameters["StackName"])
        numbered = list(enumerate(stack.events))
        return {"StackEvents": [_event(stack, number, event) for number, event in reversed(numbered)]}

    def _get_template(self, parameters: dict[str, Any], _: Caller) -> dict[str, Any]:
        return {"TemplateBody": json.dumps(self._stack(parameters["StackName"]).template)}

    def _delete_stack(self, parameters: dict[str, Any], _: Caller) -> dict[str, Any]:
        # AWS answers success for a stack that does not exist
        self._delete(parameters["StackName"])
        return {}


def _summary(stack: Stack) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "StackName": stack.name,
        "StackId": stack.id,
        "CreationTime": stack.created_at,
        "StackStatus": stack.status,
    }
    optional = {
        "StackStatusReason": stack.reason,
        "LastUpdatedTime": stack.updated_at,
        "DeletionTime": stack.deleted_at,
    }
    return summary | {name: value for name, value in optional.items() if value}


def _described(stack: Stack) -> dict[str, Any]:
    exported = {key: name for name, key in stack.exports.items()}
    descriptions = stack.template.get("Outputs", {})
    outputs = []
    for key, value in stack.outputs.items():
        optional = {"Description": descriptions.get(key, {}).get("Description"), "ExportName": exported.get(key)}
        present = {name: text for name, text in optional.items() if text}
        outputs.append({"OutputKey": key, "OutputValue": value} | present)
    return _summary(stack) | {
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": parameter["Default"]}
            for key, parameter in stack.template.get("Parameters", {}).items()
        ],
        "Outputs": outputs,
        "Tags": [{"Key": key, "Value": value} for key, value in stack.tags.items()],
    }


def _resource(resource: StackResource) -> dict[str, Any]:
    return {
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.id,
        "ResourceType": resource.type,
        "ResourceStatus": resource.status,
        "LastUpdatedTimestamp": resource.changed_at,
    }


def _event(stack: Stack, number: int, event: StackEvent) -> dict[str, Any]:
    reason = {"ResourceStatusReason": event.reason} if event.reason else {}
    return reason | {
        "EventId": f"{event.logical_id}-{number}",
        "StackId": stack.id,
        "StackName": stack.name,
        "LogicalResourceId": event.logical_id,
        "PhysicalResourceId": event.physical_id,
        "ResourceType": event.type,
        "ResourceStatus": event.status,
        "Timestamp": event.at,
    }
